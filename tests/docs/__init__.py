"""Tests of the generators of pages."""
