"""The doubles of the Neuron compilers, for every test of the targets."""

from tests.doubles.install import compilers as compilers
