"""Detections are compared box by box, in any order of equal scores."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sweep.agreement import compare, steps

BOXES = np.array([[[0, 0, 9, 9], [5, 5, 20, 30], [7, 1, 8, 2]]], "float32")


@pytest.mark.parametrize("last", [(), (1,)])
def test_boxes_of_one_score_may_change_places(last):
    ids = np.array([[3, 3, 1]], "float32").reshape(1, 3, *last)
    scores = np.array([[0.5, 0.5, 0.25]], "float32").reshape(1, 3, *last)
    swapped = BOXES[:, [1, 0, 2]]
    found = compare([ids, scores, swapped], [ids, scores, BOXES], detection=True)
    assert found["agrees"] and found["boxes"] == 3 and found["unmatched"] == 0
    assert compare([ids, scores, swapped + 1], [ids, scores, BOXES], detection=True)["unmatched"] == 6
    assert not compare([ids, scores, swapped + 1], [ids, scores, BOXES], detection=True)["agrees"]


def test_a_few_steps_of_eight_bits_are_told_from_more():
    theirs = np.linspace(-1, 1, 1000, dtype="float32")
    for apart in (1, 2, 4, 5):
        ours = theirs.copy()
        ours[::200] += apart / 127
        found = compare([ours], [theirs], detection=False)
        assert not found["agrees"] and steps(found) == (apart if apart < 5 else 0)
    assert not steps(compare([theirs + 1 / 127], [theirs], detection=False))
