"""Tests of HLO modules as bytes."""
