"""ExportedModel: a symbol with its parameters, inputs and the structure of its arguments and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx

from ..graph.spec import Spec, dtype_name
from ..preprocessing import Preprocessing
from ..runtime.asked import value_of
from ..runtime.mxnet_private import arrays_of
from .held_array import HeldArray


@dataclass(frozen=True)
class ExportedModel:
    """What a block is when it has been exported.

    `inputs` are the names of the data inputs in the order of the block's flattened arguments and `specs` their
    shapes and dtypes; `in_format` and `out_format` are Gluon's own description of nested arguments and results, and
    `arguments` the names of the block's own arguments, where it has any.
    `sample` are the arrays that it was exported with, in the order of `inputs`, where there is one for each.
    `classes` names the classes and `preprocessing` says how images become inputs, where that is known.
    `params` are the block's own Parameter objects, or a checkpoint's arrays, by name: nothing is copied.
    """

    symbol: mx.sym.Symbol
    inputs: tuple[str, ...]
    specs: Mapping[str, Spec]
    params: Mapping[str, mx.gluon.Parameter | HeldArray]
    in_format: Any
    out_format: Any
    is_np: bool
    arguments: tuple[str, ...] = ()
    sample: Sequence[mx.nd.NDArray] | None = None
    classes: tuple[str, ...] = ()
    preprocessing: Preprocessing | None = None

    def all_specs(self) -> dict[str, Spec]:
        """Shapes and dtypes of the inputs and of all parameters, by name."""
        specs = dict(self.specs)
        for name, param in self.params.items():
            if name not in specs:
                array = value_of(param)
                specs[name] = Spec(tuple(array.shape), dtype_name(array.dtype))
        return specs

    def stored(self) -> dict[str, str]:
        """The storage types of the parameters that are not dense, by name."""
        kinds = {n: arrays_of(p)[0].stype for n, p in self.params.items()}
        return {n: kind for n, kind in kinds.items() if kind != "default"}
