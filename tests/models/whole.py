"""Compiles a block for one sample, asserts what stays in MXNet, and compares with MXNet on all samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mxnet as mx
import numpy as np

import gluon_neuron
from tests.agreement import agree

from .zoo import ATOL, RTOL


def flat(nested: Any) -> list[Any]:
    """The arrays of nested lists and tuples, in order."""
    return [a for n in nested for a in flat(n)] if isinstance(nested, list | tuple) else [nested]


def outside(compiled: Any) -> dict[str, int]:
    """How many operators of each kind stay in MXNet."""
    ops = [o.op for o in compiled.report.outside]
    return {op: ops.count(op) for op in ops}


def compiles(net: Any, *samples: Any, stays: Mapping[str, int] = {}, regions: int = 1) -> Any:
    """Compile an initialized block for the first sample, and compare on all; only what `stays` is left to MXNet.

    A sample is a tuple of arguments. Outputs must vary, else their agreement would say little.
    """
    net(*samples[0])
    compiled = gluon_neuron.compile(net, samples[0])
    assert outside(compiled) == stays, str(compiled.report)
    assert len(compiled.report.regions) == regions
    for seed, sample in enumerate(samples):
        # What draws random numbers draws the same ones for both.
        mx.random.seed(seed)
        found = flat(compiled(*sample))
        mx.random.seed(seed)
        expected = flat(net(*sample))
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert one.shape == other.shape and one.dtype == other.dtype
            a, b = one.asnumpy(), other.asnumpy()
            assert np.isfinite(b).all() and (b.size == 1 or b.std() > 10 * ATOL), "there is too little to compare"
            agree(a, b, RTOL, ATOL)
    return compiled
