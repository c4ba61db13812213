"""First states of recurrent layers: in mx.np's shapes, the length that they leave open is no length of 0."""

from __future__ import annotations

import json
from typing import Any

import mxnet as mx

from ..graph.attrs import Attrs
from ..graph.text import to_text
from ..runtime.mxnet_private import like


def with_open_batch(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """The symbol, of mx.np, in which the batch of first states follows from what they meet.

    Gluon's layers make the states that they are not given with a batch of 0, which meant an unknown one. Called with
    arrays they know the batch, so MXNet itself runs them.
    """
    text = symbol.tojson(remove_amp_cast=False)
    if "__layout__" not in text:
        return symbol
    raw = json.loads(text)
    changed = [_opened(n) for n in raw["nodes"] if n["op"] == "_zeros"]
    return like(symbol, mx.sym.load_json(to_text(raw))) if any(changed) else symbol


def _opened(node: dict[str, Any]) -> bool:
    attrs = node.get("attrs", {})
    batch = attrs.get("__layout__", "").find("N")
    shape = list(Attrs(attrs, "the node of a first state").ints("shape", ()))
    if not 0 <= batch < len(shape) or shape[batch] != 0:
        return False
    shape[batch] = -1
    attrs["shape"] = str(tuple(shape))
    return True
