"""Doubles of the Neuron tools, as strict as their published contracts."""
