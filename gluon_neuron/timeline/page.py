"""A profile as HTML: tables with bars, light and dark, that load nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .table import about, head, share
from .times import OperatorTime, Profile

_STYLE = """
.gn-profile{--gn-ink:#1c2126;--gn-soft:#5b6670;--gn-line:#d9dee3;--gn-bar:#4a86c5;--gn-other:#b9a26a;--gn-wait:#b3bac1;
color:var(--gn-ink);font:14px/1.45 system-ui,sans-serif}
@media (prefers-color-scheme:dark){.gn-profile{--gn-ink:#e4e8ec;--gn-soft:#9aa5af;--gn-line:#3a424a;--gn-bar:#5f9bd8;
--gn-other:#a08c58;--gn-wait:#626b74}}
.gn-profile table{border-collapse:collapse;width:100%;margin:.4em 0 1.4em}
.gn-profile th,.gn-profile td{padding:.2em .6em;text-align:left;border-bottom:1px solid var(--gn-line);
vertical-align:top;overflow-wrap:anywhere;background:none;color:inherit}
.gn-profile th{color:var(--gn-soft);font-weight:normal}
.gn-profile .gn-ms{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.gn-profile .gn-track{width:22%;min-width:6em}
.gn-profile .gn-bar{display:block;height:.8em;margin-top:.3em;background:var(--gn-bar);min-width:1px}
.gn-profile .gn-copies,.gn-profile .gn-engine{background:var(--gn-other)}
.gn-profile .gn-waiting{background:var(--gn-wait)}
.gn-profile .gn-soft{color:var(--gn-soft)}
.gn-profile h2{font-size:1em;margin:1em 0 0}
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Where the time of a call goes</title>
<style>body{{margin:2em auto;padding:0 1em;max-width:75em}}</style>
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
    lines = ["<table>", '<tr><th class="gn-ms">ms</th><th class="gn-ms"></th><th></th><th>what</th><th></th></tr>']
    for row in rows:
        width = 100 * max(row.ms, 0.0) / longest if longest > 0 else 0.0
        how = " · ".join(filter(None, [row.op, *row.kernels]))
        lines.append(
            f'<tr><td class="gn-ms">{row.ms:.3f}</td><td class="gn-ms gn-soft">{share(row.ms, whole)}</td>'
            f'<td class="gn-track"><span class="gn-bar gn-{row.kind}" style="width:{width:.1f}%"></span></td>'
            f'<td>{escape(row.name)}</td><td class="gn-soft">{escape(how)}</td></tr>'
        )
    return "\n".join([*lines, "</table>"])
