"""Tests of the walk over whole model zoos."""
