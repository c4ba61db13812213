"""Measures gluon_neuron beside its rivals, in one run, taking turns; nothing here is a test."""
