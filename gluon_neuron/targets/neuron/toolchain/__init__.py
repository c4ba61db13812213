"""The Neuron compilers as subprocesses: their flags, their command lines, and how they are found and run."""
