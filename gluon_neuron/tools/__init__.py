"""The command `gluon-neuron` and what its subcommands do."""
