"""Makes docs/environment.md of the variables that the package lists: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from gluon_neuron.environment_variables import VARIABLES

_HEAD = """# Environment variables

Made by `make docs` of `gluon_neuron/environment_variables.py`; a test fails when the package reads a variable of these
families that is not listed. `gluon-neuron doctor` shows those that are set. They name libraries and compilers that are
loaded and run:
[do not take them from a stranger](../SECURITY.md#what-may-be-trusted-today).

| variable | read when | for example | |
|---|---|---|---|
"""


def page() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(f"| `{v.name}` | {v.read} | `{v.example}` | {v.text} |\n" for v in VARIABLES)


def main() -> None:
    """Write the page to the file that the command line names."""
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
