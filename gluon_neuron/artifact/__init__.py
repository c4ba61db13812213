"""The container of compiled programs, embedded in a model's parameters as `<node>_<digest>_neuronbin`."""
