"""Operators that cut, join and pad agree with MXNet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, refusal_of

X = np.arange(2 * 6 * 5 * 7, dtype=np.float32).reshape(2, 6, 5, 7)

ONE_INPUT = [
    ("slice", {"begin": "(0, 1)", "end": "(2, 4)"}),
    ("slice", {"begin": "(None, -1)", "end": "(None, -4)", "step": "(-1, -1)"}),
    ("slice", {"begin": "(0, None, 1)", "end": "(100, None, None)", "step": "(None, 2, 3)"}),
    ("slice", {"begin": "(None, 10)", "end": "(None, None)", "step": "(None, -2)"}),
    ("slice", {"begin": "()", "end": "()"}),
    ("slice_axis", {"axis": -1, "begin": -3, "end": -1}),
    ("slice_axis", {"axis": 2, "begin": 1, "end": "None"}),
    ("slice_axis", {"axis": 0, "begin": 1, "end": 2}),
    ("Crop", {"num_args": 1, "h_w": "(3, 4)", "offset": "(1, 2)"}),
    ("Crop", {"num_args": 1, "h_w": "(3, 4)"}),
    ("Crop", {"num_args": 1, "h_w": "(2, 4)", "offset": "(1, 2)", "center_crop": True}),
    ("Pad", {"mode": "constant", "pad_width": "(0, 0, 0, 0, 1, 2, 3, 0)", "constant_value": 1.5}),
    ("Pad", {"mode": "edge", "pad_width": "(0, 0, 0, 0, 1, 2, 3, 0)"}),
    ("Pad", {"mode": "reflect", "pad_width": "(0, 0, 0, 0, 4, 2, 0, 6)"}),
]


@pytest.mark.parametrize(("op", "attrs"), ONE_INPUT)
def test_one_input(op, attrs):
    check_op(op, [X], attrs)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_pad_three_spatial_axes(mode):
    check_op("Pad", [X.reshape(1, 2, 6, 5, 7)], {"mode": mode, "pad_width": "(0, 0, 0, 0, 1, 2, 0, 3, 4, 0)"})


@pytest.mark.parametrize("dtype", ["float16", "int32", "int64", "uint8"])
def test_dtypes(dtype):
    x = (X % 100).astype(dtype)
    check_op("slice", [x], {"begin": "(None, 1)", "end": "(None, 6)", "step": "(-1, 2)"})
    check_op("Concat", [x, x], {"num_args": 2, "dim": 2})


@pytest.mark.parametrize(
    ("op", "attrs", "outputs"),
    [
        ("SliceChannel", {"num_outputs": 3}, (0, 1, 2)),
        ("SliceChannel", {"num_outputs": 3}, (0, 2)),
        ("SliceChannel", {"num_outputs": 7, "axis": -1, "squeeze_axis": True}, (0, 6)),
        ("SliceChannel", {"num_outputs": 1, "axis": 0}, (0,)),
        ("_split_v2", {"indices": "(0, 2, 5)", "axis": 1}, (0, 1, 2)),
        ("_split_v2", {"indices": "(0, 1)", "axis": 0, "squeeze_axis": True}, (0, 1)),
        ("_split_v2", {"indices": "()", "sections": 3, "axis": -3}, (0, 1, 2)),
        ("_split_v2", {"indices": "()", "sections": 3, "axis": -1}, (0, 1, 2)),
    ],
)
def test_split(op, attrs, outputs):
    check_op(op, [X], attrs, outputs=outputs)


def test_split_of_one_squeezed_part():
    check_op("SliceChannel", [X[:1]], {"num_outputs": 1, "axis": 0, "squeeze_axis": True})


@pytest.mark.parametrize("attrs", [{}, {"axes": "(1, -4)"}, {"axes": "(0,)"}])
def test_slice_like(attrs):
    check_op("slice_like", [X, X[:1, :2, :3, :4].copy()], attrs)


@pytest.mark.parametrize("attrs", [{"offset": "(1, 1)"}, {"center_crop": True}, {"h_w": "(2, 2)"}])
def test_crop_like(attrs):
    check_op("Crop", [X, X[:, :, :3, :4].copy()], {"num_args": 2, **attrs})


def test_join():
    check_op("Concat", [X, X[:, :2].copy()], {"num_args": 2})
    check_op("Concat", [X, X[..., :1].copy(), X], {"num_args": 3, "dim": -1})
    check_op("Concat", [X], {"num_args": 1, "dim": 0})
    check_op("stack", [X, X], {"num_args": 2})
    check_op("stack", [X, X, X], {"num_args": 3, "axis": -1})
    check_op("stack", [X], {"num_args": 1, "axis": 2})
    check_op("_npi_concatenate", [X, X], {"num_args": 2, "axis": -1})
    check_op("_npi_concatenate", [X, X], {"num_args": 2})
    check_op("_npi_concatenate", [X, X[0]], {"num_args": 2, "axis": "None"})
    check_op("_npi_stack", [X, X], {"num_args": 2, "axis": -2})


def test_refusals():
    category, sentence = refusal_of("slice", [X], {"begin": "(2,)", "end": "(1,)"})
    assert category == "attribute" and "(0, 6, 5, 7)" in sentence
    category, sentence = refusal_of("Crop", [X], {"num_args": 1, "h_w": "(3, 4)", "offset": "(3, 0)"})
    assert category == "attribute" and "offset (3, 0)" in sentence
    category, sentence = refusal_of("Pad", [X], {"mode": "constant", "pad_width": "(0, 0, 0, 0, -1, 0, 0, 0)"})
    assert category == "attribute" and "negative" in sentence
    assert (
        refusal_of("Pad", [X.astype(np.int32)], {"mode": "edge", "pad_width": "(0, 0, 0, 0, 1, 0, 0, 0)"})[0] == "dtype"
    )


BOUND = st.one_of(st.none(), st.integers(-7, 7))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(BOUND, BOUND, st.sampled_from([None, 1, 2, -1, -2])), min_size=1, max_size=3))
def test_any_slice(bounds):
    # Integers, because for float32 MXNet fails where a bound lies before the first element.
    x = np.arange(4 * 4 * 4, dtype=np.int32).reshape(4, 4, 4)
    begin, end, step = (str(tuple(b)) for b in zip(*bounds))
    attrs = {"begin": begin, "end": end, "step": step}
    if x[tuple(slice(*b) for b in bounds)].size:
        check_op("slice", [x], attrs)
    else:
        assert refusal_of("slice", [x], attrs)[0] in ("attribute", "shape")
