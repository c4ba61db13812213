"""Tests of `gluon_neuron.timeline`."""
