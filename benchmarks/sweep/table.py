"""The walk's page: how many models of each package agree, what the others lack, and a line for each model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

Record = dict[str, Any]

_INTRODUCTION = """# Models

Made by `python -m benchmarks.sweep --json records.jsonl --markdown docs/models.md`: the names in the model lists of
MXNet's vision zoo, GluonCV and gluoncv2, with random weights, compiled for the CPU and compared with MXNet on random
data. The outputs agree when they differ by no more than 1e-3 of MXNet's value and 1e-4, and detections box by box.
Where they differ by more, but the compiled model is on average no more than twice as far from what MXNet computes in
float64 as MXNet's own float32 is, or where results of 8 bits differ by four steps at most, at no more than 1% of the
numbers, they agree as well; so do detectors whose boxes agree number by number before those are dropped that overlap
better ones. For regions of no image, which feature pyramids have, MXNet's ROIAlign on a CPU gives what the memory held
before; here it gives 0, as on MXNet's GPUs.
"""

FAILED = {
    "build": "The package cannot build it here (weights to download, or its own error)",
    "run": "MXNet cannot run it",
    "hybridize": "MXNet cannot make a graph of it",
    "weights": "MXNet runs it, but not with random weights or not in training mode, which measures its statistics",
    "compile": "It runs in MXNet, and fails when it is compiled",
    "crashed": "Its process ended",
    "timeout": "It took too long",
}
ROUNDED = "Agree as far as their precision goes"
DIFFERENT = "Compared, and different"
ALL = "All models that were compared"


def good(record: Record) -> bool:
    """Whether the model agrees, or MXNet itself cannot make a graph of it and run it."""
    return bool(record.get("agrees")) or record["stage"] in ("build", "run", "hybridize")


def table(records: Sequence[Record], names: Mapping[str, int]) -> str:
    """The page, in Markdown; `names` is how many there are in each package's list. `page.records` reads it back."""
    parts = [_INTRODUCTION, _summary(records, names), _classification(records), _failures(records)]
    parts += [_rounded(records), _different(records), f"## {ALL}\n"]
    parts += [f"### {name}\n\n{_all(found)}\n" for name, found in _by_package(records).items()]
    return "\n".join(p for p in parts if p).rstrip("\n")


def _by_package(records: Sequence[Record]) -> dict[str, list[Record]]:
    packages: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        packages[record["package"]].append(record)
    return packages


def _summary(records: Sequence[Record], names: Mapping[str, int]) -> str:
    stages = [s for s in FAILED if any(r["stage"] == s for r in records)]
    rows = []
    for name, found in _by_package(records).items():
        compared = [r for r in found if r["stage"] == "done"]
        whole = [r for r in compared if not r["outside"]]
        counts = [sum(r["stage"] == stage for r in found) for stage in stages]
        rows.append((name, names[name], len(found), len(compared), sum(map(_agrees, compared)), len(whole), *counts))
    head = ("package", "names", "walked", "compared", "agree", "compiled whole", *(f"stopped: {s}" for s in stages))
    return tabulate(rows, head, tablefmt="github") + "\n"


def _classification(records: Sequence[Record]) -> str:
    found = [r for r in records if r.get("kind") == "classification" and r["stage"] == "done"]
    one = sum(r["regions"] == 1 for r in found)
    return f"Of {len(found)} classification models, {one} compile to one region.\n" if found else ""


def _failures(records: Sequence[Record]) -> str:
    lines = []
    for stage, sentence in FAILED.items():
        by_error: dict[tuple[str, str], list[str]] = defaultdict(list)
        for record in records:
            if record["stage"] == stage:
                by_error[record["package"], _short(record["error"])].append(record["name"])
        if by_error:
            lines.append(f"## {sentence}\n")
            lines += [f"- {package}: {', '.join(names)}: {error}" for (package, error), names in by_error.items()]
            lines.append("")
    return "\n".join(lines)


def _rounded(records: Sequence[Record]) -> str:
    found = [r for r in records if r["stage"] == "done" and r["agrees"] and _note(r)]
    return _notes(ROUNDED, found)


def _different(records: Sequence[Record]) -> str:
    return _notes(DIFFERENT, [r for r in records if r["stage"] == "done" and not r["agrees"]])


def _notes(heading: str, found: Sequence[Record]) -> str:
    lines = [f"- {r['package']}: {r['name']}: {_note(r)}" for r in found]
    return "\n".join([f"## {heading}\n", *lines, ""]) if lines else ""


def _note(record: Record) -> str:
    """The remark on a model that does not simply agree."""
    if "note" in record:
        return str(record["note"])
    parts = []
    if not record["agrees"]:
        boxes = (
            f", {record['unmatched']} boxes of either side alone, of {record['boxes']}" if record.get("boxes") else ""
        )
        parts.append(f"largest difference {record.get('difference', 0):.0e}{boxes}")
        if record.get("repeatable") is False:
            parts.append("MXNet's own results differ from run to run")
    if record.get("candidates"):
        parts.append(
            f"{record['unmatched']} boxes of either side alone, of {record['boxes']}, but all {record['candidates']} "
            "agree before those that overlap better ones are dropped"
        )
    if record.get("steps"):
        away = "one step" if record["steps"] == 1 else f"up to {record['steps']} steps"
        parts.append(f"{100 * record['apart']:.1g}% of the numbers are {away} of the 8 bits away")
    if "rounding" in record:
        ours, theirs = (record["rounding"][side] for side in ("compiled", "MXNet"))
        parts.append(
            f"from what MXNet computes in float64, the compiled model is {ours:.1e} away and MXNet {theirs:.1e}"
        )
    return "; ".join(parts)


def _all(records: Sequence[Record]) -> str:
    rows = []
    for record in (r for r in records if r["stage"] == "done"):
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
