"""Reads the walk's page back, so that a few models can be walked again without the records of all others."""

from __future__ import annotations

import re
from typing import Any

from .inputs import rule_of
from .table import ALL, DIFFERENT, FAILED, ROUNDED

_STAGES = {sentence: stage for stage, sentence in FAILED.items()}
_LINE = re.compile(r"- (\w+): (.+?): ?(.*)")
_LEFT = re.compile(r"(\S+?)(?: x(\d+))?")


def records(text: str) -> list[dict[str, Any]]:
    """What the page says of each model, as records: without the reasons of what stays in MXNet, and without times."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    notes: dict[tuple[str, str], str] = {}
    heading = package = ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("### "):
            package = line[4:]
        elif heading == ALL and line.startswith("| ") and not line.startswith("| model "):
            record = _row(package, line)
            found[package, record["name"]] = record
        elif told := _LINE.fullmatch(line):
            origin, names, rest = told.groups()
            for name in names.split(", "):
                if heading in _STAGES:
                    start = {"package": origin, "name": name, "kind": rule_of(origin, name).kind}
                    found[origin, name] = {**start, "stage": _STAGES[heading], "error": rest}
                elif heading in (ROUNDED, DIFFERENT):
                    notes[origin, name] = rest
    for key, note in notes.items():
        found[key]["note"] = note
    return list(found.values())


def _row(package: str, line: str) -> dict[str, Any]:
    name, operators, share, regions, difference, left = (cell.strip() for cell in line.strip("|").split("|"))
    compiled, total = map(int, operators.split("/"))
    outside = [_LEFT.fullmatch(part) for part in left.split(", ") if part]
    return {
        "package": package,
        "name": name,
        "kind": rule_of(package, name).kind,
        "stage": "done",
        "compiled": compiled,
        "operators": total,
        "flops_share": float(share) / 100,
        "regions": int(regions),
        "agrees": difference != "differs",
        "difference": 0.0 if difference == "differs" else float(difference),
        "outside": [[m[1], "", "", int(m[2] or 1)] for m in outside if m],
    }
