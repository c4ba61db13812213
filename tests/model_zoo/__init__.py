"""Tests of the model zoo and of the demo."""
