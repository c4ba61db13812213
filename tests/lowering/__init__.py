"""Tests of the lowering rules, against MXNet's own results."""
