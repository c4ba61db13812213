"""The names of a model's classes: which lists of them are taken, from a user, from a block, and from a file."""

from __future__ import annotations

import re
from typing import Any

from .errors import InputError

MOST, LONGEST, TOTAL = 100_000, 1_000, 1 << 22
"""How many names a model may have, of how many characters each may be, and of how many all together."""

# What a terminal would obey, where a command prints a stranger's names.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def checked_classes(value: object) -> tuple[str, ...]:
    """The names, in the order of the classes; none for None. Raises InputError for what is no list of names."""
    if value is None:
        return ()
    if isinstance(value, tuple | list) and len(value) <= MOST:
        wrong = [n for n in value if not isinstance(n, str) or len(n) > LONGEST or _CONTROL.search(n)]
        if not wrong and sum(map(len, value)) <= TOTAL:
            return tuple(map(str, value))
        seen = f"one of them is {str(wrong[0])[:60]!r}" if wrong else f"all of them are more than {TOTAL}"
    else:
        seen = f"this is a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, tuple | list) else "")
    raise InputError(
        f"classes must be a list of at most {MOST} names, each a text of at most {LONGEST} characters, "
        f"none of which is a control character, and {seen}."
    )


def classes_of(block: Any) -> tuple[str, ...]:
    """The names that a block itself has in its attribute `classes`, as GluonCV's detectors and pretrained nets do.

    Others have a number of classes there, or something of their own: that is no list of names, and not kept.
    """
    try:
        return checked_classes(getattr(block, "classes", None))
    except InputError:
        return ()
