"""The names of the archived packages for Inferentia: mx.contrib.neuron, mx_neuron and mx.neuron()."""
