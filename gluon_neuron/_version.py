"""The version of gluon_neuron."""

__version__ = "0.1.0"
