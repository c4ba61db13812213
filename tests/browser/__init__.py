"""Tests of a report's page in Chromium, which `make test-browser` runs."""
