"""Tests of what runs an artifact and knows no MXNet."""
