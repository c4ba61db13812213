"""Read at the start of Python by gluon_neuron_mxnet.pth; it does nothing yet."""
