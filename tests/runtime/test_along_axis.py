"""Padding, cutting and joining along any axis, of every type of array."""

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.runtime.along_axis import cut, joined, padded

KINDS = ("float32", "float64", "float16", "int8", "uint8", "int32", "int64", "bool")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_type(kind, axis):
    values = np.random.default_rng(0).integers(0, 2 if kind == "bool" else 100, (2, 3, 4)).astype(kind)
    array = mx.nd.array(values, dtype=kind)
    found = padded(array, axis, 7, None)
    more = 7 - values.shape[axis]
    assert found.dtype == array.dtype
    wanted = np.concatenate([values, np.take(values, [-1] * more, axis)], axis)
    assert np.array_equal(found.asnumpy(), wanted)
    found = padded(array, axis, 7, 1)
    assert found.dtype == array.dtype
    wanted = np.concatenate([values, np.ones_like(np.take(values, [0] * more, axis))], axis)
    assert np.array_equal(found.asnumpy(), wanted)
    assert np.array_equal(cut(found, axis, 0, values.shape[axis]).asnumpy(), values)
    assert np.array_equal(joined([array, array], axis).asnumpy(), np.concatenate([values, values], axis))


def test_what_is_as_large_already_stays():
    array = mx.nd.ones((2, 3))
    assert padded(array, 1, 3, None) is array
