"""Makes docs/hlo-checks.md of the checker's codes: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

from gluon_neuron.hlo.codes import CODES, NOT_READ

_HEAD = """# What is checked before neuronx-cc sees a module

Made by `make docs` of the checker's codes; CI fails when it is stale. For Inf2, Trn1 and Trn2 a region becomes an HLO
module. `gluon-neuron check-hlo FILE --target trn2` finds in such a file what the compiler is known to refuse, names
the instruction and the MXNet node that it came from, and ends with status 1 if there is anything. It also counts what
costs: transposes, batch norms on activations, constants, FLOPs, bytes.

The compiler's messages put `NCC_` before these codes. All of it rests on what is published: no compiler has seen these
modules yet.
"""


def page() -> str:
    """The page as Markdown."""
    published = {code: what for code, what in CODES.items() if not code.startswith("GN-")}
    ours = {code: what for code, what in CODES.items() if code.startswith("GN-")}
    parts = [_HEAD, "| code | what is refused |", "|---|---|", *_rows(published)]
    parts += ["", "Known limits for which no code is published; these codes are ours:", ""]
    parts += ["| code | what is refused |", "|---|---|", *_rows(ours)]
    parts += [
        "",
        "Published, but not visible in a module:",
        "",
        "| code | what it is, and who takes care of it |",
        "|---|---|",
    ]
    return "\n".join([*parts, *_rows(NOT_READ)]) + "\n"


def _rows(codes: dict[str, str]) -> list[str]:
    return [f"| {code} | {what} |" for code, what in codes.items()]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
