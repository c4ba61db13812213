"""Tests of `gluon_neuron.culprit`, and what they share."""
