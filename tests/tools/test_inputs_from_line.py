"""Shapes, dtypes and drawn values of a line."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.errors import InputError
from gluon_neuron.graph.spec import Spec
from gluon_neuron.tools.inputs_from_line import drawn, dtypes, every, fitted, shapes


def test_by_name_and_alone():
    assert shapes(["a:1,2", "b:3"], ["a", "b"]) == {"a": (1, 2), "b": (3,)}
    assert shapes(["1,2"], ["a"]) == {"a": (1, 2)}
    assert shapes(["a:b:7"], ["a:b"]) == {"a:b": (7,)}
    assert shapes(["a:"], ["a"]) == {"a": ()}
    assert dtypes(["b:int32"], ["a", "b"]) == {"b": "int32"}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["1,2"], "say of which input"),
        (["c:1"], "no input 'c'"),
        (["a:1", "a:2"], "twice"),
        (["a:1,,2"], "no shape"),
        (["a:1x2"], "no shape"),
        (["a:-1,2"], "no shape"),
        (["a:²"], "no shape"),
        (["a:0,2"], "extent of 0"),
    ],
)
def test_wrong_shapes(lines, told):
    with pytest.raises(InputError, match=told):
        shapes(lines, ["a", "b"])


def test_what_is_missing_is_said_as_it_is_to_be_written():
    with pytest.raises(InputError, match="--shape b:1,3,224,224 --shape c:1,3,224,224"):
        every(["a", "b", "c"], {"a": Spec((1,), "float32")})


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "uint8", "bool"])
def test_drawn_values_are_the_same_for_a_seed(dtype):
    one, same, other = (drawn(Spec((5, 20), dtype), s) for s in (1, 1, 2))
    assert one.dtype == dtype and one.shape == (5, 20)
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert dtype.startswith("float") or set(np.unique(one)) == {0, 1}


def test_values_that_fit():
    assert fitted(np.array([1.0, 2.0]), "int32", "x").dtype == np.int32
    assert fitted(np.array([0.1]), "float32", "x").dtype == np.float32
    assert fitted(np.array([3]), "float16", "x").dtype == np.float16
    assert np.isinf(fitted(np.array([np.inf]), "float32", "x")) and fitted(np.array([2**24]), "float32", "x") == 2**24
    assert fitted(np.array([True]), "float32", "x") == 1 and np.isnan(fitted(np.array([np.nan]), "float16", "x"))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([1e300]), "float32"),
        (np.array([70000.0]), "float16"),
        (np.array([2**24 + 1]), "float32"),
        (np.array([70000]), "float16"),
        (np.array([2**63 - 1]), "float64"),
        (np.array([2**64 - 1], "uint64"), "float32"),
    ],
)
def test_values_that_a_float_does_not_hold(value, dtype):
    with pytest.raises(InputError, match="cannot hold"):
        fitted(value, dtype, "x")


@pytest.mark.parametrize("value", [np.array([0.5]), np.array([np.nan]), np.array([300]), np.array([-1])])
def test_values_that_do_not(value):
    with np.errstate(invalid="ignore"), pytest.raises(InputError, match="cannot hold"):
        fitted(value, "uint8", "x")
