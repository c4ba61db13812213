"""Random weights for models that are to be timed or tried: activations stay of a moderate size through any depth."""

from __future__ import annotations

import math
from typing import Any

import mxnet as mx

_ONES = ("gamma", "var", "scale")


class LecunNormal(mx.init.Initializer):
    """Normal weights with variance 1 / fan-in; ones for scales and variances, zeros for shifts and means.

    LeCun et al., "Efficient BackProp", 1998. A deep residual net sums its blocks, so that He's variance of 2 / fan-in
    would let it grow a thousandfold. Other than MXNet's Xavier it takes parameters of any rank, as GluonCV's feature
    extractors (imported symbols) have them.
    """

    def _init_weight(self, name: Any, array: mx.nd.NDArray) -> None:
        if array.ndim < 2:
            array[:] = 1.0 if str(name).endswith(_ONES) else 0.0
            return
        fan_in = array.size // array.shape[0]
        mx.random.normal(0, math.sqrt(1 / fan_in), out=array)
