"""Tests of what is shown as HTML."""
