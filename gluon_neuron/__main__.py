"""`python -m gluon_neuron`: the command `gluon-neuron` where its script is not on the PATH."""

import sys

from .tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
