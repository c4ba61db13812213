"""Operators whose rules say that they only move values do so in MXNet, and on the CPU with 8-bit integers too."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.api import compile_symbol
from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.cost import flops
from gluon_neuron.lowering.registry import rules
from tests.lowering.harness import NODE, mxnet_result, node_of, symbol_of

SHAPE = (2, 3, 4, 4)
LIKE, ROW = (2, 12, 4), (2, 1, 4)
AXES = {"begin": "(0, 1)", "end": "(2, 3)"}
# By operator: the shapes of its inputs, its attributes, and its outputs.
CASES: dict[str, tuple[list[tuple[int, ...]], dict[str, Any], tuple[int, ...]]] = {
    **dict.fromkeys(("Reshape", "_np_reshape", "_npx_reshape"), ([SHAPE], {}, (0,))),
    **dict.fromkeys(("_copy", "_np_copy", "BlockGrad", "MakeLoss", "make_loss"), ([SHAPE], {}, (0,))),
    **dict.fromkeys(("_contrib_gradientmultiplier", "Flatten", "transpose", "_np_transpose"), ([SHAPE], {}, (0,))),
    **dict.fromkeys(("Dropout", "zeros_like", "ones_like", "Cast"), ([SHAPE], {}, (0,))),
    **dict.fromkeys(("reverse", "_npi_flip"), ([SHAPE], {"axis": 2}, (0,))),
    **dict.fromkeys(("squeeze", "_np_squeeze"), ([ROW], {"axis": 1}, (0,))),
    **dict.fromkeys(("broadcast_to", "_npi_broadcast_to"), ([ROW], {"shape": "(2, 3, 4)"}, (0,))),
    **dict.fromkeys(("stack", "_npi_stack"), ([ROW, ROW], {"axis": 1, "num_args": 2}, (0,))),
    **dict.fromkeys(("_split_v2", "_npi_dsplit"), ([LIKE], {"indices": "(0, 1)", "axis": 2}, (0, 1))),
    "Concat": ([ROW, LIKE], {"dim": 1, "num_args": 2}, (0,)),
    "Crop": ([SHAPE], {"h_w": "(2, 3)", "offset": "(1, 0)", "num_args": 1}, (0,)),
    "Pad": ([SHAPE], {"mode": "edge", "pad_width": "(0, 0, 0, 0, 1, 0, 2, 1)"}, (0,)),
    "SliceChannel": ([LIKE], {"num_outputs": 3}, (0, 2)),
    "SwapAxis": ([SHAPE], {"dim1": 0, "dim2": 2}, (0,)),
    "broadcast_axis": ([ROW], {"axis": 1, "size": 3}, (0,)),
    "broadcast_like": ([ROW, LIKE], {}, (0,)),
    "expand_dims": ([SHAPE], {"axis": 1}, (0,)),
    "repeat": ([SHAPE], {"repeats": 2, "axis": 1}, (0,)),
    "reshape_like": ([SHAPE, LIKE], {}, (0,)),
    "slice": ([SHAPE], AXES, (0,)),
    "slice_axis": ([SHAPE], {"axis": 1, "begin": 1, "end": 3}, (0,)),
    "slice_like": ([SHAPE, (1, 2, 3, 3)], {}, (0,)),
    "tile": ([SHAPE], {"reps": "(2, 1, 3)"}, (0,)),
}
for _op, _key in (("Reshape", "shape"), ("_np_reshape", "newshape"), ("_npx_reshape", "newshape")):
    CASES[_op] = ([SHAPE], {_key: "(4, 24)"}, (0,))
CASES["Cast"] = ([SHAPE], {"dtype": "float32"}, (0,))

ONLY_FLOATS = ("Crop", "Dropout", "MakeLoss", "Pad")
"""MXNet, or the rule of Pad, takes no integers for these."""
NEW_VALUES = {"zeros_like": {0.0}, "ones_like": {1.0}}


def inputs(op: str, dtype: str) -> list[np.ndarray]:
    """Different values, of 8-bit integers from the whole range."""
    low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype != "float32" else (-9.5, 9.5)
    return [np.linspace(low, high, int(np.prod(s))).astype(dtype).reshape(s) for s in CASES[op][0]]


def test_every_mover_is_tested():
    movers = {op for op, rule in rules().items() if rule.moves and rule.family.startswith("gluon_neuron.")}
    assert set(CASES) <= movers
    assert {rules()[op].build for op in movers} == {rules()[op].build for op in CASES}


@pytest.mark.parametrize("op", CASES)
def test_mxnet_computes_nothing(op):
    _, attrs, outputs = CASES[op]
    given = inputs(op, "float32")
    values = set(given[0].flat).union(*(v.flat for v in given[1:]), NEW_VALUES.get(op, ()))
    for found in mxnet_result(op, given, attrs, outputs):
        assert set(found.flat) <= values
    assert flops(node_of(op, [Spec(v.shape, v.dtype.name) for v in given], attrs, outputs)) == 0


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("op", [op for op in CASES if op not in ONLY_FLOATS])
def test_8_bits_stay_right_on_the_cpu(op, dtype):
    _, attrs, outputs = CASES[op]
    given = inputs(op, dtype)
    is_np = op.startswith("_np")
    # make_loss names an output of the model, which keeps it in MXNet: something else is the output.
    symbol = mx.sym.Group([mx.sym.identity(s) for s in symbol_of(op, len(given), attrs, outputs)])
    symbol = symbol.as_np_ndarray() if is_np else symbol
    with mx.util.np_shape(is_np):
        sample = {f"x{i}": (mx.np if is_np else mx.nd).array(v, dtype=dtype) for i, v in enumerate(given)}
        compiled = compile_symbol(symbol, sample, {}, {}, {"include_nodes": [NODE]})
        assert not compiled.report.outside and len(compiled.report.regions) == 1
        results = compiled(*sample.values())
    found = [r.asnumpy() for r in (results if isinstance(results, list | tuple) else [results])]
    wanted = mxnet_result(op, given, attrs, outputs)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
