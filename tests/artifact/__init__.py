"""Tests of the artifact's container."""
