"""Tests of the graph and its rewrites."""
