"""The reader of `.params` files, beside MXNet's own, and over damaged files."""

from __future__ import annotations

import random

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.artifact.arrays_file import read_stored, stored_arrays
from gluon_neuron.errors import InputError

DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64")


def written(tmp_path, np_mode=False):
    path = tmp_path / "some.params"
    rng = np.random.default_rng(0)
    shapes = [(2, 3), (1,), (4, 1, 2, 2), (7,), (3, 3), (5,), (2,)]
    arrays = {f"arg:{d}": (rng.random(s) * 100).astype(d) for d, s in zip(DTYPES, shapes, strict=True)}
    if not np_mode:
        mx.nd.save(str(path), {n: mx.nd.array(a, dtype=a.dtype) for n, a in arrays.items()})
        return path, arrays
    arrays |= {"aux:none": np.zeros((0, 3), "float32"), "ß": np.array(3.0, "float32"), "b": np.array([True, False])}
    mx.npx.set_np()
    try:
        mx.npx.save(str(path), {n: mx.np.array(a, dtype=a.dtype) for n, a in arrays.items()})
    finally:
        mx.npx.reset_np()
    return path, arrays


@pytest.mark.parametrize("np_mode", [False, True])
def test_reads_what_mxnet_wrote(tmp_path, np_mode):
    path, arrays = written(tmp_path, np_mode)
    found = {a.name: a for a in stored_arrays(path)}
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert (found[name].shape, found[name].dtype) == (array.shape, str(array.dtype))
        np.testing.assert_array_equal(
            np.frombuffer(read_stored(path, found[name]), array.dtype).reshape(array.shape), array
        )


def test_a_list_has_no_names(tmp_path):
    mx.nd.save(str(tmp_path / "list"), [mx.nd.ones((2, 2)), mx.nd.zeros(3)])
    assert [(a.name, a.shape) for a in stored_arrays(tmp_path / "list")] == [("", (2, 2)), ("", (3,))]


def test_sparse_arrays_are_refused(tmp_path):
    mx.nd.save(str(tmp_path / "sparse"), {"w": mx.nd.ones((4, 2)).tostype("row_sparse")})
    with pytest.raises(InputError, match="sparse"):
        stored_arrays(tmp_path / "sparse")


@pytest.mark.parametrize("data", [b"", b"\x12\x01", b"x" * 100, bytes(100)])
def test_other_files(tmp_path, data):
    (tmp_path / "other").write_bytes(data)
    with pytest.raises(InputError, match="not a file of MXNet's arrays"):
        stored_arrays(tmp_path / "other")


def test_damaged_files_are_errors_or_read(tmp_path):
    path, _ = written(tmp_path)
    whole = path.read_bytes()
    drawn = random.Random(0)
    for trial in range(2000):
        data = bytearray(whole)
        if trial % 4 == 0:
            del data[drawn.randrange(len(data)) :]
        else:
            at = drawn.randrange(len(data))
            data[at : at + 8] = drawn.choice((b"\xff" * 8, bytes(8), drawn.randbytes(8), b"\0\0\0\0\1\0\0\0"))
        path.write_bytes(data)
        try:
            found = stored_arrays(path)
        except InputError:
            continue
        assert sum(a.size for a in found) <= len(data)
        for array in found:
            assert len(read_stored(path, array)) == array.size


def test_a_file_that_shrinks_meanwhile(tmp_path):
    path, _ = written(tmp_path)
    found = stored_arrays(path)
    path.write_bytes(path.read_bytes()[: found[0].offset])
    with pytest.raises(InputError, match="was changed"):
        read_stored(path, found[0])
