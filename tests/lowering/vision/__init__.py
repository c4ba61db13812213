"""Tests of the rules of vision operators."""
