"""Drawn tests: every rule over attributes, dtypes and shapes that nobody chose by hand, compared with MXNet."""
