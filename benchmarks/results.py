"""What a call of a net gives: its arrays, and waiting for them."""

from __future__ import annotations

from typing import Any


def flat(nested: Any) -> list[Any]:
    """The arrays of nested results, in order."""
    return [a for n in nested for a in flat(n)] if isinstance(nested, list | tuple) else [nested]


def wait(found: Any) -> None:
    """Wait until all that a call gives is there."""
    for array in flat(found):
        array.wait_to_read()
