"""A report as one page of HTML that loads nothing: the graph to be looked at, and all that the report says."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from .._version import __version__
from .drawing import Drawing
from .fragments import counted, escaped, lines, visible
from .summary import gflop, reasons

if TYPE_CHECKING:
    from ..report import Report

_SCRIPTS = ("third_party/dagre/dagre.min.js", "data/tree.js", "data/draw.js", "data/page.js")


def report_page(report: Report, seconds: Mapping[str, float] | None = None) -> str:
    """The page's text. `seconds` has how long a call spends in regions and operators, by their names."""
    style = _file("data/page.css")
    scripts = [_file(name) for name in _SCRIPTS]
    data = None
    if report.graph is not None and report.graph.nodes:
        names = [visible(r.name) for r in report.regions]
        data = {**Drawing(report, report.graph, seconds or {}).to_json(), "regions": names}
    return _filled(
        _file("data/page.html"),
        policy=_policy(style, scripts),
        version=escaped(__version__),
        title=escaped(f"gluon_neuron report: {counted(report.operators, 'operator')} for {report.target}"),
        heading="gluon_neuron report",
        sub=escaped(f"target {report.target}, engine {report.engine}, {gflop(report.flops)} a call"),
        style=style,
        cards=_cards(report),
        overview=_overview(report),
        drawing=_drawing(report),
        data=_json(data),
        scripts="\n".join(f"<script>{text}</script>" for text in scripts),
    )


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _filled(template: str, **values: str) -> str:
    """The template with each {{name}} replaced; what is put in is not looked at again."""
    pieces = template.split("{{")
    found = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        found += [values[name], rest]
    return "".join(found)


def _policy(style: str, scripts: list[str]) -> str:
    """What a browser is to allow the page: its own style and scripts, by their digests, and nothing else."""

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    allowed = " ".join(map(source, scripts))
    return f"default-src 'none'; style-src {source(style)}; script-src {allowed}; base-uri 'none'; form-action 'none'"


def _json(data: object) -> str:
    """JSON that can stand in a script element: without what would end the element, or begin another."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _cards(report: Report) -> str:
    def card(value: str, what: str, share: float | None = None) -> str:
        bar = "" if share is None else f'<progress value="{share:.4f}" max="1"></progress>'
        return f'<div class="card"><b>{escaped(value)}</b><span>{escaped(what)}</span>{bar}</div>'

    operators = f"{report.compiled_operators:,} of {report.operators:,} operators compiled"
    cards = [
        card(f"{report.operator_share:.1%}", operators, report.operator_share),
        card(f"{report.flops_share:.1%}", f"of {gflop(report.flops)} compiled", report.flops_share),
        card(f"{len(report.regions):,}", "region" if len(report.regions) == 1 else "regions"),
        card(f"{len(report.outside):,}", "in MXNet"),
    ]
    if report.seconds:
        cards.append(card(f"{sum(report.seconds.values()):.2f} s", "to compile"))
    return "".join(cards)


def _drawing(report: Report) -> str:
    if report.graph is None or not report.graph.nodes:
        why = "the model has neither inputs nor operators"
        if report.graph is None:
            why = "the report was made by an earlier release, which kept none; compile the model again for one"
        return f'<section class="picture"><p class="empty">There is no graph to be drawn: {why}.</p></section>'
    entries = [(f"r{i % 8}", r.name) for i, r in enumerate(report.regions[:8])]
    if len(report.regions) > 8:
        entries = [("r0", f"{len(report.regions)} regions, in eight colours")]
    entries += [("mx", "in MXNet")] if report.outside else []
    legend = "".join(
        f'<span class="{kind}"><i></i>{escaped(name)}</span>' for kind, name in [*entries, ("io", "input, output")]
    )
    return _filled(_file("data/drawing.html"), legend=legend)


def _overview(report: Report) -> str:
    parts = []
    if report.regions:
        parts.append("<h2>Compiled</h2>")
        for i, r in enumerate(report.regions):
            small = f"{gflop(r.flops)}" + (f" · reads {', '.join(r.inputs)}" if r.inputs else "")
            parts.append(
                _row(
                    f"r{i % 8}", r.name, f"{r.operators:,} op{'' if r.operators == 1 else 's'}", small, "region", str(i)
                )
            )
    else:
        parts.append("<h2>Compiled</h2><p>Nothing was compiled: the model runs as plain MXNet.</p>")
    if report.outside:
        parts.append("<h2>In MXNet, and why</h2>")
        parts += [
            _row("mx", op, f"{n:,} ×", why, "search", f"{visible(op)} in mxnet") for op, n, _, why in reasons(report)
        ]
    shapes = [", ".join(f"{n} {s}" for n, s in one.items()) for one in report.static_shapes]
    for title, texts in (("Shapes", shapes), ("Buckets", [str(b) for b in report.buckets])):
        if texts:
            items = "".join(f"<li>{escaped(text)}</li>" for text in texts)
            parts.append(f'<h2>{title}</h2><ul class="plain">{items}</ul>')
    if report.seconds:
        items = "".join(f"<dt>{escaped(k)}</dt><dd>{v:.2f} s</dd>" for k, v in report.seconds.items())
        parts.append(f"<h2>Time to compile</h2><dl>{items}</dl>")
    parts.append(f"<details><summary>The report as text</summary>{lines(report)}</details>")
    return "".join(parts)


def _row(kind: str, name: str, number: str, small: str, key: str, value: str) -> str:
    return (
        f'<button type="button" class="row {kind}" data-{key}="{escaped(value)}"><i></i><b>{escaped(name)}</b>'
        f"<em>{escaped(number)}</em><small>{escaped(small)}</small></button>"
    )
