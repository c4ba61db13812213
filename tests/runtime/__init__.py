"""Tests of the native operator and the sessions on it."""
