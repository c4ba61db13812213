"""The walk's page: how many models of each package agree, what the others lack, and a line for each model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

Record = dict[str, Any]

_INTRODUCTION = """# Models

Made by `python -m benchmarks.walk --json records.jsonl --markdown docs/models.md`: every name in the model lists of
MXNet's vision zoo, GluonCV and gluoncv2, with random weights, compiled for the CPU and compared with MXNet on random
data. The outputs agree when they differ by no more than 1e-3 of MXNet's value and 1e-4, and detections box by box.
"""

_FAILED = {
    "build": "The package cannot build it here (weights to download, or its own error)",
    "run": "MXNet cannot run it",
    "hybridize": "MXNet cannot make a graph of it",
    "compile": "It runs in MXNet, and fails when it is compiled",
    "crashed": "Its process ended",
}


def good(record: Record) -> bool:
    """Whether the model agrees, or is none that MXNet itself can make a graph of and run."""
    return bool(record.get("agrees")) or record["stage"] in ("build", "run", "hybridize")


def table(records: Sequence[Record]) -> str:
    """The page, in Markdown."""
    parts = [_INTRODUCTION, _summary(records), _classification(records), _failures(records), _differences(records)]
    parts += ["## All models that were compared\n", _all(records)]
    return "\n".join(p for p in parts if p)


def _summary(records: Sequence[Record]) -> str:
    packages: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        packages[record["package"]].append(record)
    rows = []
    for name, found in packages.items():
        compared = [r for r in found if r["stage"] == "done"]
        whole = [r for r in compared if not r["outside"]]
        stages = [sum(r["stage"] == stage for r in found) for stage in _FAILED]
        rows.append((name, len(found), len(compared), sum(map(_agrees, compared)), len(whole), *stages))
    head = ("package", "models", "compared", "agree", "compiled whole", *(f"stopped: {s}" for s in _FAILED))
    return tabulate(rows, head, tablefmt="github") + "\n"


def _classification(records: Sequence[Record]) -> str:
    found = [r for r in records if r.get("kind") == "classification" and r["stage"] == "done"]
    one = sum(r["regions"] == 1 for r in found)
    return f"Of {len(found)} classification models, {one} compile to one region.\n" if found else ""


def _failures(records: Sequence[Record]) -> str:
    lines = []
    for stage, sentence in _FAILED.items():
        by_error: dict[str, list[str]] = defaultdict(list)
        for record in records:
            if record["stage"] == stage:
                by_error[_short(record["error"])].append(record["name"])
        if by_error:
            lines.append(f"## {sentence}\n")
            lines += [f"- {', '.join(names)}: {error}" for error, names in by_error.items()]
            lines.append("")
    return "\n".join(lines)


def _differences(records: Sequence[Record]) -> str:
    found = [r for r in records if r["stage"] == "done" and not r["agrees"]]
    if not found:
        return ""
    lines = ["## Compared, and different\n"]
    for record in found:
        own = "; MXNet's own results differ from run to run" if record.get("repeatable") is False else ""
        boxes = f", {record['unmatched']} of {record['boxes']} boxes" if record.get("boxes") else ""
        lines.append(f"- {record['name']}: largest difference {record.get('difference', 0):.0e}{boxes}{own}")
    return "\n".join([*lines, ""])


def _all(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        if record["stage"] != "done":
            continue
        left = ", ".join(f"{op} x{count}" if count > 1 else op for op, _, _, count in record["outside"])
        rows.append(
            (
                record["name"],
                f"{record['compiled']}/{record['operators']}",
                f"{100 * record['flops_share']:.4g}",
                record["regions"],
                f"{record.get('difference', 0):.0e}" if record["agrees"] else "differs",
                left,
            )
        )
    head = ("model", "operators", "% of FLOPs", "regions", "difference", "in MXNet")
    # Without the columns' padding, which would double the page.
    return re.sub(
        r" {2,}", " ", re.sub(r"-{4,}", "---", tabulate(rows, head, tablefmt="github", disable_numparse=True))
    )


def _agrees(record: Record) -> bool:
    return bool(record["agrees"])


def _short(error: str) -> str:
    """The error's first sentence, without addresses."""
    line = error.splitlines()[0] if error else ""
    return (line[:157] + "...") if len(line) > 160 else line
