"""Tests of the array language in OpenVINO."""
