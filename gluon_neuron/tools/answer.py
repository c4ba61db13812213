"""Answer: what a command found, as a text for people and as JSON for programs."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from enum import Enum
from typing import Any

from .ending import DONE


@dataclass(frozen=True)
class Answer:
    """A text, the same as values that JSON can hold, and the exit status."""

    text: str
    data: Any
    status: int = DONE

    def __str__(self) -> str:
        return self.text

    @property
    def json(self) -> str:
        """The values as one JSON document. What is not finite, which JSON cannot say, is null."""
        return _lines(plain(self.data), "")


def _lines(value: Any, margin: str) -> str:
    """As `json.dumps`, with a line for each member of an object, and an array of numbers on one."""
    if isinstance(value, dict) and value:
        members = [f"{json.dumps(k)}: {_lines(v, margin + '  ')}" for k, v in value.items()]
        return _block("{", members, "}", margin)
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return _block("[", [_lines(v, margin + "  ") for v in value], "]", margin)
    return json.dumps(value, allow_nan=False)


def _block(start: str, members: list[str], end: str, margin: str) -> str:
    return "\n".join([start, ",\n".join(f"{margin}  {m}" for m in members), f"{margin}{end}"])


def plain(value: Any) -> Any:
    """A value as JSON's types: paths and enums as text, arrays as lists, dataclasses as objects."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(plain(k)): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
