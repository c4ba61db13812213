"""Every name of an operator in mx.np and mx.npx has the rule of the operator that it names."""

from __future__ import annotations

import ctypes

from mxnet.base import _LIB, OpHandle, c_str, check_call, mx_uint
from mxnet.operator import get_all_registered_operators

from gluon_neuron.lowering.registry import rules


def canonical(name: str) -> str:
    """The name under which MXNet writes an operator into a symbol's JSON."""
    handle = OpHandle()
    check_call(_LIB.NNGetOpHandle(c_str(name), ctypes.byref(handle)))
    texts = [ctypes.c_char_p() for _ in range(4)]
    lists = [ctypes.POINTER(ctypes.c_char_p)() for _ in range(3)]
    count = mx_uint()
    real, about, key, kind = (ctypes.byref(t) for t in texts)
    found = _LIB.MXSymbolGetAtomicSymbolInfo(
        handle, real, about, ctypes.byref(count), *map(ctypes.byref, lists), key, kind
    )
    check_call(found)
    return (texts[0].value or b"").decode()


NAMES = sorted(n for n in get_all_registered_operators() if n.startswith("_np"))


def test_aliases_have_the_same_rule() -> None:
    assert len(NAMES) > 200
    known, aliases = rules(), {n: canonical(n) for n in NAMES}
    assert sum(n != c for n, c in aliases.items()) > 50
    missing = {n: c for n, c in aliases.items() if c in known and n not in known}
    different = {n: c for n, c in aliases.items() if n in known and known[n].build is not known[c].build}
    assert (missing, different) == ({}, {})
