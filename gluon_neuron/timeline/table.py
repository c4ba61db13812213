"""A profile as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from .times import OperatorTime, Profile, RegionTime

MOST = 25
"""Rows of a region, or of what is outside, that are shown."""

_WIDEST = 72


def text_of(profile: Profile) -> str:
    """The head, the sums, and the longest rows of each region and of MXNet's operators."""
    from tabulate import tabulate

    lines = [head(profile)]
    if profile.note:
        lines.append(profile.note)
    kinds = [(kind, f"{ms:.3f}", share(ms, profile.ms)) for kind, ms in profile.by_kind().items()]
    lines += ["", tabulate(kinds, ("of a call", "ms", ""), disable_numparse=True, colalign=("left", "right", "right"))]
    for region in profile.regions:
        lines += ["", f"{about(region)}:", _table(region.operators, profile.ms)]
        if region.folded:
            lines.append(f"No time of their own in a call: {_first(region.folded)}.")
    if profile.outside:
        lines += ["", f"Operators in MXNet, {sum(o.ms for o in profile.outside):.3f} ms:"]
        lines.append(_table(profile.outside, profile.ms))
    return "\n".join(lines)


def head(profile: Profile) -> str:
    """One sentence: what was measured."""
    inputs = ", ".join(f"{n} {s}" for n, s in profile.inputs.items())
    calls = f"{profile.calls} call{'s' if profile.calls > 1 else ''}"
    return (
        f"A call with {inputs} takes {profile.ordinary_ms:.3f} ms, and {profile.ms:.3f} ms while its operators are "
        f"timed (means of {calls}; {profile.target}, {profile.engine})."
    )


def about(region: RegionTime) -> str:
    """One line: a region, its time, and what runs."""
    how = f"{region.program} program"
    if region.parts > 1:
        how += f", the batch in {region.parts} parts on {region.streams} streams"
    if region.runs != 1:
        how += f", {region.runs:g} times a call"
    return f"Region {region.name}, {region.ms:.3f} ms ({how})"


def share(ms: float, whole: float) -> str:
    """A share of a call's time."""
    return f"{ms / whole:.1%}" if whole else ""


def _table(rows: Sequence[OperatorTime], whole: float) -> str:
    from tabulate import tabulate

    ordered = sorted(rows, key=lambda row: row.ms, reverse=True)
    table: list[tuple[str, ...]] = [
        (f"{r.ms:.3f}", share(r.ms, whole), _short(r.name), _short(r.op or r.kind), _short(", ".join(r.kernels)))
        for r in ordered[:MOST]
    ]
    rest = ordered[MOST:]
    if rest:
        ms = sum(r.ms for r in rest)
        table.append((f"{ms:.3f}", share(ms, whole), f"{len(rest)} more", "", ""))
    columns = ["ms", "", "node", "operator", "computed by"]
    if not any(r.kernels for r in rows):
        table, columns = [row[:4] for row in table], columns[:4]
    return tabulate(table, columns, disable_numparse=True, colalign=("right", "right", *["left"] * (len(columns) - 2)))


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
