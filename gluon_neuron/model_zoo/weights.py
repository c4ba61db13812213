"""Random weights for models that are to be timed or tried: activations stay of a moderate size through any depth."""

from __future__ import annotations

import math
from typing import Any

import mxnet as mx

_GAIN = 1.5
_ONES = ("gamma", "var", "scale")


class ScaledNormal(mx.init.Initializer):
    """Normal weights with variance 1.5 / fan-in; ones for scales and variances, zeros for shifts and means.

    Between LeCun's 1 / fan-in ("Efficient BackProp", 1998), with which a deep plain net fades, and He's 2 / fan-in
    ("Delving deep into rectifiers", 2015), with which a deep residual net, which sums its blocks, grows a thousandfold.
    Other than MXNet's Xavier it takes parameters of any rank, as GluonCV's feature extractors (imported symbols) have.
    """

    def _init_weight(self, name: Any, array: mx.nd.NDArray) -> None:
        if array.ndim < 2:
            array[:] = 1.0 if str(name).endswith(_ONES) else 0.0
            return
        fan_in = array.size // array.shape[0]
        # An operator of mx.nd, which takes no array of mx.np; both are the same memory.
        mx.nd.random.normal(0, math.sqrt(_GAIN / fan_in), out=array.as_nd_ndarray())
