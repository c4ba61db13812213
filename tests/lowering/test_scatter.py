"""Writing to positions agrees with MXNet: fractions, positions past the end, duplicates, every dtype."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.graph.spec import Spec
from tests.agreement import agree
from tests.lowering.harness import check_op, node_of, random, refusal_of, run_rule


@pytest.mark.parametrize("kind", ["float32", "float16", "float64", "int32", "int64", "int8", "uint8"])
def test_dtypes(kind):
    old, new = (random(5, 3, seed=k, low=0, high=9).astype(kind) for k in (0, 1))
    check_op("_contrib_index_copy", [old, np.float32([3, 0]), new[:2]])
    check_op("scatter_nd", [new, np.int32([[3, 0, 6, 2, 1]])], {"shape": "(7,3)"})


@pytest.mark.parametrize("kind", ["float32", "int32", "int64", "float64"])
@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 2, 1)])
def test_index_copy(kind, shape):
    old, new = random(*shape), random(*shape, seed=1)
    check_op("_contrib_index_copy", [old, np.array([4, 1, 2], kind), new[:3]])
    check_op("_contrib_index_copy", [old, np.array([2.9, 0], kind), new[:2]])
    check_op("_contrib_index_copy", [old, np.array([4, 3, 2, 1, 0], kind), new])


def test_all_rows_at_one_position():
    check_op("_contrib_index_copy", [random(4, 2), np.int32([1, 1]), np.ones((2, 2), "float32")])


@pytest.mark.parametrize(
    ("places", "shape"),
    [
        ([[0, 2, 1]], (4,)),
        ([[0, 2, 1]], (4, 2, 3)),
        ([[0, 1, 1], [2, 0, 2]], (2, 3)),
        ([[0, 1, 1], [2, 0, 2]], (2, 3, 2)),
        ([[[0, 1], [1, 0]], [[2, 0], [2, 1]], [[0, 0], [1, 1]]], (2, 3, 2)),
        # Past the end of a row, which is the start of the next.
        ([[0, 0], [1, 3]], (2, 3)),
    ],
)
def test_scatter_nd(places, shape):
    for kind in ("int32", "float32", "int64"):
        at = np.array(places, kind)
        check_op("scatter_nd", [random(*at.shape[1:], *shape[at.shape[0] :]), at], {"shape": shape})


def test_scatter_nd_truncates():
    check_op("scatter_nd", [random(2), np.float32([[0.9, 2.2]])], {"shape": "(3,)"})


@pytest.mark.parametrize("at", [[1, 5], [-1, 1], [1, 2**31 - 1]])
def test_positions_outside_of_the_array_are_written_nowhere(at):
    """MXNet writes them beyond its memory, so there is nothing to compare with."""
    old, new = random(5, 2), random(2, 2, seed=1)
    inside = [k for k, position in enumerate(at) if 0 <= position < 5]
    want = old.copy()
    want[np.array(at)[inside]] = new[inside]
    node = node_of("_contrib_index_copy", [Spec(v.shape, v.dtype.name) for v in (old, np.int32(at), new)], {})
    for namespace in ("numpy", "openvino", "jax"):
        got = run_rule(namespace, node, [old, np.int32(at), new])
        agree(got[0], want)


def test_refusals():
    specs = [Spec((5, 2), "float32"), Spec((2,), "int32"), Spec((2, 2), "float32")]
    assert refusal_of("_contrib_index_copy", specs, {}) is None
    wide = {"shape": f"({2**20}, {2**11}, 2)"}
    found = refusal_of("scatter_nd", [Spec((3,), "float32"), Spec((3, 3), "int32")], wide)
    assert "int32 cannot hold" in found[1]
