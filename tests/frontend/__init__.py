"""Tests of MXNet in and out."""
