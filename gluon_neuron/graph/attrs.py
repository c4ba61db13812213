"""Parsing of MXNet attribute strings: "(3, 3)", "[1,-1]", "True", "None", "1e-05"."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import TypeVar

from ..errors import GraphError
from .literal import literal

T = TypeVar("T")
_TRUE = frozenset(("1", "true", "True"))
_FALSE = frozenset(("0", "false", "False"))
_NONE = frozenset(("None", "none", ""))


class Attrs(Mapping[str, str]):
    """The attributes of one node as strings, with typed readers that name the node when a value is malformed."""

    __slots__ = ("_raw", "_where")

    def __init__(self, raw: Mapping[str, str], where: str = "a node") -> None:
        self._raw = raw
        self._where = where

    def __getitem__(self, key: str) -> str:
        return self._raw[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def has(self, key: str) -> bool:
        """Whether the attribute is given and is not None."""
        return self._raw.get(key, "None") not in _NONE

    def text(self, key: str, default: str = "") -> str:
        """The attribute as a string; `default` when absent or None."""
        return self._raw[key] if self.has(key) else default

    def flag(self, key: str, default: bool = False) -> bool:
        """The attribute as a bool."""
        if not self.has(key):
            return default
        value = self._raw[key]
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise self._malformed(key, "a boolean")

    def integer(self, key: str, default: int | None = None) -> int:
        """The attribute as an int; without a default it must be there."""
        return self._number(key, default, int, "an integer")

    def number(self, key: str, default: float | None = None) -> float:
        """The attribute as a float; without a default it must be there."""
        return self._number(key, default, float, "a number")

    def single(self, key: str, default: float | None = None) -> float:
        """The attribute as MXNet holds those that it documents as float: rounded to 32 bits."""
        try:
            return float(struct.unpack("<f", struct.pack("<f", self.number(key, default)))[0])
        except OverflowError:
            raise self._malformed(key, "a number that 32 bits hold") from None

    def ints(self, key: str, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """The attribute as a tuple of ints; a single int becomes a tuple of one."""
        return tuple(self._int(key, v) for v in self._sequence(key, default))

    def optional_ints(self, key: str) -> tuple[int | None, ...]:
        """The attribute as a tuple of ints and Nones, as `begin` and `end` of `slice` have it."""
        return tuple(None if v is None else self._int(key, v) for v in self._sequence(key, ()))

    def numbers(self, key: str, default: tuple[float, ...] | None = None) -> tuple[float, ...]:
        """The attribute as a tuple of floats; a single number becomes a tuple of one."""
        try:
            return tuple(float(v) for v in self._sequence(key, default))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise self._malformed(key, "a tuple of numbers") from None

    def _int(self, key: str, value: object) -> int:
        # MXNet prints 64-bit counts of some operators as "2L" or "2.0".
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise self._malformed(key, "a tuple of integers")
        return int(value)

    def _number(self, key: str, default: T | None, kind: type[T], what: str) -> T:
        if not self.has(key):
            if default is None:
                raise GraphError(f"{self._where} lacks the attribute {key!r}, which must be {what}.")
            return default
        text = self._raw[key]
        try:
            return kind(text)  # type: ignore[call-arg]
        except ValueError:
            pass
        try:
            value = float(text)
            if kind is int and value == int(value):
                return kind(int(value))  # type: ignore[call-arg]
        except (ValueError, OverflowError):
            pass
        raise self._malformed(key, what)

    def _sequence(self, key: str, default: tuple[object, ...] | None) -> tuple[object, ...]:
        if not self.has(key):
            if default is None:
                raise GraphError(f"{self._where} lacks the attribute {key!r}, which must be a tuple.")
            return default
        text = self._raw[key].replace("L", "")
        try:
            value = literal(text)
        except ValueError:
            raise self._malformed(key, "a tuple") from None
        return tuple(value) if isinstance(value, tuple | list) else (value,)

    def _malformed(self, key: str, what: str) -> GraphError:
        return GraphError(f"{self._where}: attribute {key}={self._raw[key]!r} is not {what}.")
