"""Makes docs/operators.md of the rules and of the reasons for operators without one: `make docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from gluon_neuron.lowering.common import FirstOf
from gluon_neuron.lowering.registry import ANY, FLOATS, INTS, NUMBERS, Rule, rules
from gluon_neuron.lowering.unsupported import LEFT_OUT

_HEAD = """# Operators

Made by `make docs` of the rules themselves; CI fails when it is stale. All rules follow MXNet 1.9.1, each compared with
MXNet's own results.

- A rule serves every target that can compute it. The CPU engine has no 64-bit and 8-bit arithmetic of MXNet's kind;
  such nodes stay in MXNet there, except those that only move data.
- float16 is computed in float32 inside a region and rounded at its border.
- What MXNet itself leaves undefined is not repeated: the order of equal elements in sorts, results with NaN, casts of
  numbers that the dtype cannot hold.
- On the CPU, a remainder of floats (`mod`) is exact up to quotients of 2**33, and some number of its range beyond;
  `erf` is off by up to 1e-9, which is much of its value near 0.
- Arrays without elements stay in MXNet.
- Dtypes: *floats* are float16, bfloat16, float32, float64; *integers* int8, uint8, int32, int64; *numbers* both; *any*
  with bool.
"""
_SETS = ((FLOATS, "floats"), (INTS, "integers"), (NUMBERS, "numbers"), (ANY, "any"))


def page(registered: Iterable[str]) -> str:
    """The page as Markdown; `registered` are the names of MXNet's forward operators."""
    parts = [_HEAD]
    by_family: dict[str, dict[int, list[Rule]]] = {}
    own = Rule.__module__.split(".")[0]  # users' rules have no place on this page
    for found in rules().values():
        if found.family.startswith(f"{own}."):
            by_family.setdefault(found.family, {}).setdefault(id(found.build), []).append(found)
    for family in sorted(by_family):
        parts += ["", f"## {_first_line(sys.modules[family].__doc__)}", ""]
        parts += ["| operators | what is computed | dtypes | stays in MXNet when |", "|---|---|---|---|"]
        parts += sorted(_row(group) for group in by_family[family].values())
    parts += ["", "## Operators without a rule", "", "| | why | operators |", "|---|---|---|"]
    names = sorted(registered)
    for entry in LEFT_OUT:
        matching = [n for n in names if entry.names.fullmatch(n)]
        parts.append(f"| {entry.kind} | {entry.reason} | {_code(matching)} |")
    return "\n".join(parts) + "\n"


def _row(group: list[Rule]) -> str:
    first = group[0]
    what = ". ".join(t.rstrip(".") for t in (_first_line(first.build.__doc__), first.notes) if t)
    dtypes = next((name for known, name in _SETS if known == first.dtypes), ", ".join(sorted(first.dtypes)))
    return f"| {_code(r.op for r in group)} | {_cell(what)} | {dtypes} | {_cell('; '.join(_restrictions(first)))} |"


def _restrictions(found: Rule) -> Iterator[str]:
    questions = found.refuse.questions if isinstance(found.refuse, FirstOf) else (found.refuse,)
    for question in questions:
        if question is not None:
            text = _first_line(question.__doc__).rstrip(".")
            yield text.removeprefix("Refuse ") if text else "its attributes are not those that MXNet documents"


def _first_line(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split()).rstrip(".")


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def registered_operators() -> list[str]:
    """The names of MXNet's own forward operators, with their aliases."""
    from gluon_neuron.runtime.registration import operators

    return [n for n in operators() if "backward" not in n and "_grad" not in n and not n.startswith("_neuron")]


def main() -> None:
    """Write the page to the file that the command line names."""
    Path(sys.argv[1]).write_text(page(registered_operators()))


if __name__ == "__main__":
    main()
