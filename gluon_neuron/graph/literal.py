"""Reads literals from attributes: numbers, True, False, None, quoted words, tuples, lists and mappings of these.

`ast.literal_eval` is not used: up to Python 3.12 it raises SystemError ("AST constructor recursion depth mismatch")
now and then where two threads read at once, and programs for other shapes are made in a thread of their own.
"""

from __future__ import annotations

import re

_WORDS = {"True": True, "False": False, "None": None}
_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[][(){},:])
      | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>True|False|None)\b
      | '(?P<single>[^'\\]*)' | "(?P<double>[^"\\]*)")\s*""",
    re.VERBOSE,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_DEEPEST = 32


def literal(text: str) -> object:
    """The value that the text stands for; `1, 2` without brackets is a tuple. Raises ValueError for all else."""
    reader = _Reader(_tokens(text))
    values, comma = reader.items("", 0)
    if not values:
        raise ValueError(f"{text!r} has no value.")
    return tuple(values) if comma else values[0]


def _tokens(text: str) -> list[tuple[str, object]]:
    """Pairs of a mark and its value; values have the mark "value"."""
    found: list[tuple[str, object]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not understood from character {at} on.")
        kind = match.lastgroup or ""
        found.append((match[kind], None) if kind == "mark" else ("value", _single(kind, match[kind])))
        at = match.end()
    return found


def _single(kind: str, token: str) -> object:
    if kind == "word":
        return _WORDS[token]
    if kind != "number":
        return token
    return int(token) if token.lstrip("+-").isdecimal() else float(token)


class _Reader:
    """The tokens and the place that has been reached; behind the last the text ends, as by the mark ""."""

    def __init__(self, tokens: list[tuple[str, object]]) -> None:
        self.tokens = tokens
        self.at = 0

    def items(self, closing: str, depth: int) -> tuple[list[object], bool]:
        """The values up to the closing mark ("" is the end of the text), and whether a comma stood among them."""
        read = self._pair if closing == "}" else self._value
        values: list[object] = []
        comma = False
        while not self._ends(closing):
            values.append(read(depth))
            if not self._take(","):
                break
            comma = True
        if not self._ends(closing):
            raise ValueError(f"A comma or {closing!r} is missing." if closing else "More than one value stands here.")
        self.at += 1
        return values, comma

    def _ends(self, closing: str) -> bool:
        return closing == (self.tokens[self.at][0] if self.at < len(self.tokens) else "")

    def _take(self, mark: str) -> bool:
        taken = self._ends(mark)
        self.at += taken
        return taken

    def _pair(self, depth: int) -> tuple[object, object]:
        key = self._value(depth)
        if not self._take(":"):
            raise ValueError("A key has no value.")
        return key, self._value(depth)

    def _value(self, depth: int) -> object:
        if self.at == len(self.tokens) or depth > _DEEPEST:
            raise ValueError("A value is missing." if depth <= _DEEPEST else "Brackets are nested too deep.")
        mark, value = self.tokens[self.at]
        self.at += 1
        if mark == "value":
            return value
        if mark not in _CLOSING:
            raise ValueError(f"{mark!r} stands where a value is expected.")
        values, comma = self.items(_CLOSING[mark], depth + 1)
        if mark == "(":
            return values[0] if values and not comma else tuple(values)
        try:
            return values if mark == "[" else dict(values)  # type: ignore[arg-type]
        except TypeError:
            raise ValueError("A list is no key.") from None
