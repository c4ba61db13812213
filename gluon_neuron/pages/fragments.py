"""Pieces of HTML that need neither styles nor scripts, so that every viewer of notebooks shows them."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

_CELL = "text-align:left;vertical-align:top;padding:2px 10px 2px 2px"
"""Viewers that allow styles put cells to the right otherwise."""


def visible(text: str) -> str:
    """A text in which each character that is not seen, or turns the order of others, is named, as in ‹U+202E›."""
    return "".join(f"‹U+{ord(c):04X}›" if unicodedata.category(c)[0] == "C" else c for c in text)


def escaped(value: Any) -> str:
    """A value as HTML's text, also between quotes."""
    return html.escape(visible(str(value)), quote=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; values are texts, not HTML, unless they are `Markup`."""
    head = "".join(f'<th style="{_CELL}">{escaped(c)}</th>' for c in columns)
    lines = ["".join(f'<td style="{_CELL}">{_html(v)}</td>' for v in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Markup(str):
    """A text that is HTML already."""


def bar(share: float) -> Markup:
    """A share of 0 to 1 as a bar; where a viewer drops the element, the blocks inside it are shown."""
    share = min(max(share, 0.0), 1.0)
    full = round(share * 20)
    blocks = "█" * full + "░" * (20 - full)
    return Markup(f'<progress value="{share:.4f}" max="1">{blocks}</progress> {share:.1%}')


def folded(summary: str, inside: str) -> str:
    """What opens at a click on the summary, which is a text; `inside` is HTML."""
    return f"<details><summary>{escaped(summary)}</summary>{inside}</details>"


def lines(text: Any) -> str:
    """A text of several lines, each laid out as it is."""
    return f"<pre>{chr(10).join(map(escaped, str(text).split(chr(10))))}</pre>"


def counted(number: int, word: str) -> str:
    """A number with its word, which gets an s where it is not one."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _html(value: Any) -> str:
    return value if isinstance(value, Markup) else escaped(value)
