"""`python -m gluon_neuron.tools`: as `python -m gluon_neuron`, and as it was called before that."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
