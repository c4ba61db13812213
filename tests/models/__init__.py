"""Tests on whole models of the model zoos."""
