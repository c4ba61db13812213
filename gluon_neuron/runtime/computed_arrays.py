"""What `Symbol.optimize_for` is given is computed before MXNet looks at it, as MXNet itself does not wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mxnet as mx

_BACKEND = "neuron"


def optimize_for(original: Callable[..., Any], symbol: mx.sym.Symbol, backend: str, *args: Any, **kwargs: Any) -> Any:
    """`Symbol.optimize_for`, by which `HybridBlock.hybridize` and `HybridBlock.optimize_for` partition, too.

    MXNet 1.9.1 takes the address of each array without waiting for the engine. An array that is still to be computed
    has no memory yet: where it got some here and in the engine at once, its values were lost with one of the two.
    """
    if backend == _BACKEND:
        mx.nd.waitall()
    return original(symbol, backend, *args, **kwargs)
