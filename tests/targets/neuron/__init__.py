"""Tests of the Neuron targets."""
