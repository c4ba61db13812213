"""Buckets: which one holds a call, what is cut from its results, and the same as JSON."""

import json

from gluon_neuron.graph.buckets import BucketAxis, Buckets, CutAxis, by_size
from gluon_neuron.graph.spec import Spec

BATCH = BucketAxis(((0, 0), (1, 0)), (1, 4), (CutAxis(0, 0, 1), CutAxis(1, 0, 3)))
LENGTH = BucketAxis(((0, 1),), (8, 16), (CutAxis(0, 1, 1, -2),), (0.5,))
SAMPLE = ((2, 10), (2,))
SIZES = by_size((BATCH, LENGTH), SAMPLE, [(4, 16), (4, 8), (1, 16), (1, 8), (2, 10), (1, 8)])
BUCKETS = Buckets((BATCH, LENGTH), SIZES, True)
SPECS = [Spec(SAMPLE[0], "float32"), Spec(SAMPLE[1], "int32")]


def given(first, second, kind="int32"):
    return BUCKETS.extents(SPECS, [Spec(first, "float32"), Spec(second, kind)])


def test_the_smallest_comes_first():
    assert SIZES == ((1, 8), (1, 16), (2, 10), (4, 8), (4, 16))
    assert BUCKETS.shapes(SAMPLE, (4, 16)) == ((4, 16), (4,))


def test_the_smallest_that_holds_a_call():
    for extents, size in {(1, 3): (1, 8), (1, 9): (1, 16), (2, 9): (2, 10), (2, 8): (2, 10), (3, 1): (4, 8)}.items():
        assert BUCKETS.smallest(extents) == size
    assert BUCKETS.smallest((5, 1)) is None and BUCKETS.smallest((1, 17)) is None


def test_extents_of_a_call():
    assert given((3, 7), (3,)) == (3, 7)
    assert given((3, 7), (4,)) is None, "they are one extent"
    assert given((3, 7), (3,), "int64") is None, "nothing is known of other types"
    assert given((3, 7, 1), (3,)) is None and given((3,), (3,)) is None
    assert given((3, 0), (3,)) is None


def test_what_is_cut():
    assert BUCKETS.cut(((4, 14), (12, 5)), (3, 9)) == ((3, 7), (9, 5))


def test_json_and_back():
    assert Buckets.from_json(json.loads(json.dumps(BUCKETS.to_json()))) == BUCKETS
