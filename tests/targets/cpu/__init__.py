"""Tests of the CPU target."""
