"""A symbol with its arrays as a block of MXNet's own, which compiles nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mxnet as mx

from ..errors import InputError
from ..graph.spec import Spec
from ..runtime.front_end import front_end
from ..runtime.mxnet_private import regroup_results


def plain_block(
    symbol: mx.sym.Symbol, specs: Mapping[str, Spec], nesting: Any, arrays: Mapping[str, mx.nd.NDArray], is_np: bool
) -> mx.gluon.SymbolBlock:
    """A SymbolBlock that computes the symbol with copies of these parameters, for inputs nested like this.

    `specs` are the inputs', in order. Raises InputError where a parameter has no array.
    """
    with front_end(is_np):
        variables = [mx.sym.var(n, dtype=s.dtype) for n, s in specs.items()]
        if is_np:
            variables = [v.as_np_ndarray() for v in variables]
        block = mx.gluon.SymbolBlock(symbol, regroup_results(variables, nesting))
        params = block.collect_params()
        params.setattr("grad_req", "null")
        kinds = {n: a.as_np_ndarray() if is_np else a.as_nd_ndarray() for n, a in arrays.items()}
        lacking = [n for n in params if n not in kinds]
        if lacking:
            raise InputError(f"The parameters lack {', '.join(lacking[:5])}{' and more' if len(lacking) > 5 else ''}.")
        params.load_dict(kinds, mx.cpu(), ignore_extra=True, cast_dtype=True, dtype_source="saved")
    return block
