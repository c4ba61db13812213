"""Measures gluon_neuron and its rivals in one run, taking turns; nothing here is a test."""
