"""Tests of the rules of the NumPy front end."""
