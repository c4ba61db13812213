"""Checks of what a release consists of; `make wheel` runs them."""
