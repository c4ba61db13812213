"""The names of a model's classes: which lists of them are taken, from a user, from a block, and from a file."""

from __future__ import annotations

from typing import Any

from .errors import InputError

MOST, LONGEST = 100_000, 1_000
"""How many names a model may have, and of how many characters each may be."""


def checked_classes(value: object) -> tuple[str, ...]:
    """The names, in the order of the classes; none for None. Raises InputError for what is no list of names."""
    if value is None:
        return ()
    if isinstance(value, tuple | list) and len(value) <= MOST:
        wrong = next((n for n in value if not isinstance(n, str) or len(n) > LONGEST), None)
        if wrong is None:
            return tuple(map(str, value))
        seen = f"one of them is {str(wrong)[:60]!r}"
    else:
        seen = f"this is a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, tuple | list) else "")
    raise InputError(
        f"classes must be a list of at most {MOST} names, each a text of at most {LONGEST} characters, and {seen}."
    )


def classes_of(block: Any) -> tuple[str, ...]:
    """The names that a block itself has in its attribute `classes`, as GluonCV's detectors and pretrained nets do.

    Others have a number of classes there, or something of their own: that is no list of names, and not kept.
    """
    try:
        return checked_classes(getattr(block, "classes", None))
    except InputError:
        return ()
