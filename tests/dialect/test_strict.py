"""The contract: what mixes dtypes, asks for unknown values or leaves the range raises in every namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gluon_neuron.dialect import NumpyNamespace, OpenVINONamespace
from gluon_neuron.errors import DialectError, NotKnown
from tests.agreement import agree

VALUES = {
    "f": np.ones((2, 3, 4, 4), "float32"),
    "h": np.ones((2, 3, 4, 4), "float16"),
    "i": np.ones((2, 3, 4, 4), "int32"),
    "l": np.ones((2, 3, 4, 4), "int64"),
    "b": np.ones((2, 3, 4, 4), "bool"),
    "w": np.ones((5, 3, 2, 2), "float32"),
}


class Leaves:
    """The arrays of VALUES as parameters, by name."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        for name, value in VALUES.items():
            setattr(self, name, xp.parameter(name, value.shape, value.dtype.name))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


@pytest.fixture(params=["numpy", "composed", "openvino"])
def a(request: pytest.FixtureRequest) -> Leaves:
    if request.param == "openvino":
        return Leaves(OpenVINONamespace())
    return Leaves(NumpyNamespace(VALUES, native=request.param == "numpy"))


ONES = ((0, 0), (0, 0))
REFUSED: dict[str, Callable[[Any], Any]] = {
    "float + int": lambda a: a.f + a.i,
    "float * half": lambda a: a.f * a.h,
    "int32 - int64": lambda a: a.i - a.l,
    "float == int": lambda a: a.f == a.i,
    "float + known int": lambda a: a.f + a.xp.constant(1),
    "where": lambda a: a.xp.where(a.b, a.f, a.i),
    "where of scalars": lambda a: a.xp.where(a.b, 1.0, 2.0),
    "where without bool": lambda a: a.xp.where(a.i, a.f, a.f),
    "concat": lambda a: a.xp.concat([a.f, a.h], 0),
    "matmul": lambda a: a.f @ a.h,
    "matmul of ints": lambda a: a.i @ a.i,
    "conv": lambda a: a.xp.conv(a.h, a.w, (1, 1), ONES, (1, 1)),
    "layer_norm": lambda a: a.xp.layer_norm(a.f, 1, 1e-5, a.h),
    "int + fraction": lambda a: a.i + 2.5,
    "int + infinity": lambda a: a.i + float("inf"),
    "int + wide": lambda a: a.i + 2**31,
    "float + bool": lambda a: a.f + True,
    "bool + bool": lambda a: a.b + a.b,
    "bool < bool": lambda a: a.b < a.b,
    "float and float": lambda a: a.f & a.f,
    "int / int": lambda a: a.i / 2,
    "float trunc_divide": lambda a: a.xp.trunc_divide(a.f, a.f),
    "exp of ints": lambda a: a.xp.exp(a.i),
    "relu of ints": lambda a: a.xp.relu(a.i),
    "mean of ints": lambda a: a.xp.mean(a.i),
    "negative power": lambda a: a.i**-1,
    "ndarray operand": lambda a: a.f + np.ones((2, 3, 4, 4), "float32"),
    "ndarray first": lambda a: np.ones((2, 3, 4, 4), "float32") * a.f,
    "list operand": lambda a: a.xp.add(a.f, [1.0]),
    "constant of an array": lambda a: a.xp.constant(a.f),
    "constant of int16": lambda a: a.xp.constant(np.ones(2, "int16")),
    "unknown dtype": lambda a: a.xp.astype(a.f, "float8"),
    "bool()": lambda a: bool(a.f),
    "int()": lambda a: int(a.i),
    "float()": lambda a: float(a.f),
    "index": lambda a: [0, 1][a.i],
    "branch on a comparison": lambda a: 1 if a.f == a.f else 2,
    "bool() of a known": lambda a: bool(a.xp.constant(True)),
    "broadcast": lambda a: a.f + a.xp.ones((3,), "float32"),
    "reshape": lambda a: a.xp.reshape(a.f, (5, 5)),
    "reshape -1": lambda a: a.xp.reshape(a.f, (2, -1)),
    "broadcast_to": lambda a: a.xp.broadcast_to(a.f, (2, 3, 4, 5)),
    "permute_dims": lambda a: a.xp.permute_dims(a.f, (0, 1, 2, 2)),
    "squeeze": lambda a: a.xp.squeeze(a.f, 0),
    "axis": lambda a: a.xp.sum(a.f, 4),
    "axis twice": lambda a: a.xp.sum(a.f, (1, -3)),
    "getitem position": lambda a: a.f[2],
    "getitem count": lambda a: a.f[0, 0, 0, 0, 0],
    "getitem list": lambda a: a.f[[0, 1]],
    "getitem bool": lambda a: a.f[True],
    "getitem None": lambda a: a.f[None],
    "reflect too far": lambda a: a.xp.pad(a.f, ((0, 0), (0, 0), (0, 0), (4, 0)), "reflect"),
    "int64 indices": lambda a: a.xp.take(a.f, a.l, 0),
    "float indices": lambda a: a.xp.take(a.f, a.f, 0),
    "known index too large": lambda a: a.xp.take(a.f, a.xp.constant([0, 3]), 1),
    "known index negative": lambda a: a.xp.take(a.f, a.xp.constant([-1]), 1),
    "top_k": lambda a: a.xp.top_k(a.f, 5, 3),
    "clip order": lambda a: a.xp.clip(a.f, 1.0, 0.0),
    "window": lambda a: a.xp.max_pool(a.f, (5, 1), (1, 1), ONES),
    "window axes": lambda a: a.xp.max_pool(a.f, (2,), (1,), ((0, 0),)),
    "stride 0": lambda a: a.xp.max_pool(a.f, (2, 2), (0, 1), ONES),
    "conv channels": lambda a: a.xp.conv(a.f, a.w, (1, 1), ONES, (1, 1), 3),
    "linear": lambda a: a.xp.linear(a.f, a.w),
    "bias": lambda a: a.xp.bias(a.f, a.xp.ones((4,), "float32"), 1),
    "prelu": lambda a: a.xp.prelu(a.f[:, :, 0], a.f),
    "rois": lambda a: a.xp.roi_pool(a.f, a.f[0, 0], (2, 2), 1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(a: Leaves, name: str) -> None:
    with pytest.raises(DialectError, match=r".{20}"):
        REFUSED[name](a)


def test_arrays_of_two_namespaces_do_not_mix() -> None:
    one, other = (NumpyNamespace(VALUES) for _ in range(2))
    with pytest.raises(DialectError, match="another namespace"):
        one.constant(1.0) + other.constant(1.0)


def test_values_that_hang_on_a_leaf_are_not_known(a: Leaves) -> None:
    for array in (a.f, a.f * 0.0, a.f[0, 0, 0, 0], a.xp.where(a.b, a.i, 1)):
        assert not array.known
        with pytest.raises(NotKnown):
            a.xp.known(array)


def test_known_values_stay_known(a: Leaves) -> None:
    xp = a.xp
    x = xp.constant([[1.0, 2], [3, 4]])
    y = xp.astype(xp.sum(x * x + xp.full((2, 2), 1, "float32"), 0), "int32")[::-1]
    assert y.known and y.dtype == "int32"
    agree(xp.known(y), np.int32([22, 12]))
    assert xp.known(y).dtype == "int32"


def test_constants(a: Leaves) -> None:
    xp = a.xp
    assert [xp.constant(v).dtype for v in (1, 1.5, True, [1, 2], np.float64(1), np.ones(2, "int8"))] == [
        *("int32", "float32", "bool", "int32", "float64", "int8")
    ]
    assert xp.constant(2, "float16").dtype == "float16"
    agree(xp.known(xp.arange(5, 0, -2)), np.int32([5, 3, 1]))
    agree(xp.known(xp.arange(0, 1, 0.25, "float32")), np.float32([0, 0.25, 0.5, 0.75]))
    assert (xp.zeros((2, 0), "int8").shape, xp.ones((), xp.bfloat16).dtype) == ((2, 0), "bfloat16")
    assert xp.known(xp.constant(3.14159, "bfloat16")) == np.float32(3.140625)


def test_reductions_over_no_axes_and_changes_of_nothing_are_free(a: Leaves) -> None:
    xp = a.xp
    same = [xp.sum(a.f, ()), xp.reshape(a.f, a.f.shape), xp.astype(a.f, "float32"), a.f[...], xp.concat([a.f], 0)]
    same += [xp.permute_dims(a.f, range(4)), xp.pad(a.f, ((0, 0),) * 4), xp.broadcast_to(a.f, a.f.shape)]
    assert all(s is a.f for s in same)


def test_the_reference_refuses_indices_out_of_range() -> None:
    xp = NumpyNamespace({"x": np.ones(3, "float32"), "i": np.int32([-1])})
    x, i = xp.parameter("x", (3,), "float32"), xp.parameter("i", (1,), "int32")
    for take in (lambda: xp.take(x, i, 0), lambda: xp.gather_nd(x, i), lambda: xp.take_along_axis(x, i, 0)):
        with pytest.raises(DialectError, match=r"-1\.\.-1"):
            take()


def test_numpy_parameters() -> None:
    xp = NumpyNamespace({"x": np.ones((2, 3))})
    assert xp.parameter("x", (2, 3), "float32").dtype == "float32"
    with pytest.raises(DialectError, match="no value"):
        xp.parameter("y", (2, 3), "float32")
    with pytest.raises(DialectError, match="shape"):
        xp.parameter("x", (3, 2), "float32")
