"""A profile as HTML: tables with bars, light and dark, that load nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .table import about, head, share
from .times import OperatorTime, Profile

# Colours that stand on light and on dark, as a notebook's theme need not be the system's.
_STYLE = """
.gn-profile{font:14px/1.45 system-ui,sans-serif}
.gn-profile table{table-layout:fixed;border-collapse:collapse;width:100%;margin:.4em 0 1.4em}
.gn-profile th,.gn-profile td{padding:.2em .6em;text-align:left;border-bottom:1px solid rgba(128,128,128,.35);
vertical-align:top;overflow-wrap:anywhere;background:none;color:inherit;white-space:normal}
.gn-profile th,.gn-profile .gn-soft{opacity:.7;font-weight:normal}
.gn-profile .gn-ms{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;width:5em}
.gn-profile .gn-track{width:20%}
.gn-profile .gn-bar{display:block;height:.8em;margin-top:.3em;background:#4a8fd6}
.gn-profile .gn-copies,.gn-profile .gn-engine{background:#b08d3c}
.gn-profile .gn-waiting{background:#8a939b}
.gn-profile h2{font-size:1em;margin:1em 0 0}
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Where the time of a call goes</title>
<style>
:root{{color-scheme:light dark}}
body{{margin:2em auto;padding:0 1em;max-width:75em;font-family:system-ui,sans-serif}}
</style>
</head>
<body>
<h1>Where the time of a call goes</h1>
{fragment}
</body>
</html>
"""


def page(profile: Profile) -> str:
    """A document that stands alone."""
    return _PAGE.format(fragment=fragment(profile))


def fragment(profile: Profile) -> str:
    """The profile as a part of a page, with its style."""
    parts = [f"<p>{escape(head(profile))}</p>"]
    if profile.note:
        parts.append(f"<p>{escape(profile.note)}</p>")
    kinds = {"copies": "copies", "engine": "engine", "waiting": "waiting"}
    sums = [OperatorTime(kind, "", kinds.get(kind, "operator"), ms) for kind, ms in profile.by_kind().items()]
    parts.append(_table(sums, profile.ms))
    for region in profile.regions:
        parts += [f"<h2>{escape(about(region))}</h2>", _table(region.operators, profile.ms)]
        if region.folded:
            names = ", ".join(region.folded)
            parts.append(f'<p class="gn-soft">No time of their own in a call: {escape(names)}.</p>')
    if profile.outside:
        ms = sum(row.ms for row in profile.outside)
        parts += [f"<h2>Operators in MXNet, {ms:.3f} ms</h2>", _table(profile.outside, profile.ms)]
    return f'<div class="gn-profile"><style>{_STYLE}</style>\n' + "\n".join(parts) + "\n</div>"


def _table(rows: Sequence[OperatorTime], whole: float) -> str:
    longest = max((row.ms for row in rows), default=0.0)
    details = any(row.op or row.kernels for row in rows)
    more = "<th>operator</th><th>computed by</th>" if details else ""
    first = '<th class="gn-ms">ms</th><th class="gn-ms"></th><th class="gn-track"></th><th>node</th>'
    lines = [f"<table>\n<tr>{first}{more}</tr>"]
    for row in rows:
        width = 100 * max(row.ms, 0.0) / longest if longest > 0 else 0.0
        more = f"<td>{escape(row.op)}</td><td>{escape(', '.join(row.kernels))}</td>" if details else ""
        bar = f'<span class="gn-bar gn-{row.kind}" style="width:{width:.1f}%"></span>' if row.ms > 0 else ""
        lines.append(
            f'<tr><td class="gn-ms">{row.ms:.3f}</td><td class="gn-ms gn-soft">{share(row.ms, whole)}</td>'
            f'<td class="gn-track">{bar}</td><td>{escape(row.name)}</td>{more}</tr>'
        )
    return "\n".join([*lines, "</table>"])
