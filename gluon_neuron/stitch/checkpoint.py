"""Makes a checkpoint of a compiled symbol: the triple that `save_checkpoint`, `Module` and `bind` take."""

from __future__ import annotations

from collections.abc import Mapping

import mxnet as mx

from ..runtime.mxnet_private import is_np_symbol
from .parameters import ArtifactParameter

Arrays = Mapping[str, mx.nd.NDArray]


def checkpoint(
    symbol: mx.sym.Symbol,
    given: mx.sym.Symbol,
    params: Mapping[str, mx.gluon.Parameter],
    args: Arrays | None,
    aux: Arrays | None,
) -> tuple[mx.sym.Symbol, dict[str, mx.nd.NDArray], dict[str, mx.nd.NDArray]]:
    """The symbol, of the kind of `given`, its arguments with the artifacts, and its auxiliary states.

    The arrays are the caller's own, `args` and `aux`; those that the symbol does not read any more are left out. The
    artifacts are of the kind of `args`, whichever front end is in use: MXNet saves no list of both kinds.
    """
    names = set(symbol.list_inputs())
    is_np = isinstance(next(iter((args or aux or {}).values()), None), mx.np.ndarray)
    artifacts = {n: p.data() for n, p in params.items() if isinstance(p, ArtifactParameter)}
    made = {n: a.as_np_ndarray() if is_np else a.as_nd_ndarray() for n, a in artifacts.items()}
    return (
        symbol.as_np_ndarray() if is_np_symbol(given) else symbol.as_nd_ndarray(),
        {**{n: a for n, a in (args or {}).items() if n in names}, **made},
        {n: a for n, a in (aux or {}).items() if n in names},
    )
