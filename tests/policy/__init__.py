"""Tests of the source itself: what may import what, and how files look."""
