"""The Neuron targets: inf1, inf2, trn1 and trn2."""
