"""A report as notebooks show it: what was compiled, by region, and why the rest was not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .fragments import bar, counted, escaped, folded, table

if TYPE_CHECKING:
    from ..report import Report


def summary(report: Report) -> str:
    """The report as a piece of HTML without scripts."""
    where = f"target <b>{escaped(report.target)}</b>, engine {escaped(report.engine)}"
    regions = counted(len(report.regions), "region")
    shares = [
        ("operators compiled", bar(report.operator_share), f"{report.compiled_operators} of {report.operators}"),
        ("FLOPs compiled", bar(report.flops_share), f"{report.compiled_flops / 1e9:.3g} of {gflop(report.flops)}"),
    ]
    parts = [f"<p><b>gluon_neuron</b> report: {where}, {escaped(regions)}</p>", table(("", "share", ""), shares)]
    if not report.regions:
        parts.append("<p>Nothing was compiled: the model runs as plain MXNet.</p>")
    if report.regions:
        rows = [(r.name, r.operators, gflop(r.flops), ", ".join(r.inputs), len(r.outputs)) for r in report.regions]
        inside = table(("region", "operators", "work", "inputs", "outputs"), rows)
        parts.append(folded(f"{regions[:1].upper()}{regions[1:]}", inside))
    if report.outside:
        inside = table(("operator", "nodes", "first node", "because"), reasons(report))
        parts.append(folded(f"{counted(len(report.outside), 'operator')} in MXNet, and why", inside))
    if report.seconds:
        parts.append(f"<p>Seconds: {escaped(', '.join(f'{k} {v:.2f}' for k, v in report.seconds.items()))}</p>")
    return f"<div>{''.join(parts)}</div>"


def reasons(report: Report) -> list[tuple[str, int, str, str]]:
    """What stays in MXNet, grouped: operator, number of nodes, the first node, and the sentence; the most first."""
    grouped = Counter((o.op, o.sentence) for o in report.outside)
    first = {(o.op, o.sentence): o.node for o in reversed(report.outside)}
    return [(op, n, first[op, why], why) for (op, why), n in grouped.most_common()]


def gflop(flops: int) -> str:
    """Operations of one call in a readable unit."""
    for size, unit in ((1e12, "TFLOP"), (1e9, "GFLOP"), (1e6, "MFLOP"), (1e3, "kFLOP")):
        if flops >= size:
            return f"{flops / size:.3g} {unit}"
    return f"{flops} FLOP"
