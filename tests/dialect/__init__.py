"""Tests of the array language and its implementations."""
