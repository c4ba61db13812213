"""What MXNet itself says of an operator's arguments: their names, and what each may be."""

from __future__ import annotations

import ctypes
import functools
import re

from mxnet.base import _LIB, check_call

_ARRAYS = re.compile(r"(NDArray-or-)?Symbol")
_CHOICE = re.compile(r"\{(.*)\}")


@functools.cache
def arguments(op: str) -> dict[str, str]:
    """The attributes of an operator, or of what it is another name for, each with MXNet's description of its type."""
    handle = ctypes.c_void_p()
    check_call(_LIB.NNGetOpHandle(op.encode(), ctypes.byref(handle)))
    text, count = ctypes.c_char_p, ctypes.c_uint()
    name, description, variable, result = text(), text(), text(), text()
    names, kinds, descriptions = (ctypes.POINTER(text)() for _ in range(3))
    places = (name, description, count, names, kinds, descriptions, variable, result)
    check_call(_LIB.MXSymbolGetAtomicSymbolInfo(handle, *map(ctypes.byref, places)))
    found = {names[i].decode(): kinds[i].decode() for i in range(count.value)}
    if variable.value:
        # The operator takes as many arrays as this attribute says, whether or not it is listed.
        found.setdefault(variable.value.decode(), "int, required")
    return {key: kind for key, kind in found.items() if not _ARRAYS.match(kind)}


def choices(kind: str) -> list[str] | None:
    """The values that MXNet lists for an attribute: those of an enumeration, or of a boolean; None for others."""
    if kind.startswith("boolean"):
        return ["True", "False", "1", "0"] + (["None"] if "or None" in kind else [])
    match = _CHOICE.match(kind)
    return None if match is None else [v.strip().strip("'") for v in match[1].split(",")]


def is_required(kind: str) -> bool:
    """Whether the attribute must be given."""
    return kind.endswith("required")
