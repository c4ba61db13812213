"""Tests of the rules of linear algebra."""
