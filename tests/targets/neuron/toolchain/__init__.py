"""Tests of what drives the Neuron compilers."""
