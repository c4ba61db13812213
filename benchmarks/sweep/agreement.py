"""Compares what a compiled model gives with what MXNet gives: number by number, and detections box by box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np

RTOL, ATOL = 1e-3, 1e-4


def flat(result: Any) -> list[np.ndarray]:
    """All arrays of a nested result, in order."""
    if isinstance(result, list | tuple):
        return [a for part in result for a in flat(part)]
    return [result.asnumpy()]


def compare(found: Sequence[np.ndarray], expected: Sequence[np.ndarray], detection: bool) -> dict[str, Any]:
    """How two results differ.

    `difference` is the largest over all outputs of max|a-b| / max|b|; `apart` the share of numbers that are not
    within rtol 1e-3 and atol 1e-4; `agrees` whether all are within them, the absolute one taken times max|b| where that
    exceeds 1. A result of ids, scores and corners is compared box by box instead; `boxes` are those that MXNet found
    and `unmatched` those of either side that the other has not.
    """
    if len(found) != len(expected):
        return {"agrees": False, "why": f"{len(found)} outputs instead of {len(expected)}"}
    for number, (a, b) in enumerate(zip(found, expected)):
        if a.shape != b.shape or a.dtype != b.dtype:
            return {"agrees": False, "why": f"output {number} is {a.dtype}{a.shape} instead of {b.dtype}{b.shape}"}
    if detection and [a.shape[2:] for a in expected[:3]] in ([(1,), (1,), (4,)], [(), (), (4,)]):
        return _boxes(found, expected)
    difference, outside, total, agrees = 0.0, 0, 0, True
    for a, b in zip(found, expected):
        x, y = a.astype(np.float64), b.astype(np.float64)
        finite = np.isfinite(x) & np.isfinite(y)
        scale = float(np.abs(y[finite]).max(initial=0.0))
        apart = float(np.abs(x - y)[finite].max(initial=0.0))
        difference = max(difference, apart / scale if scale else apart)
        outside += int((~np.isclose(x, y, RTOL, ATOL, equal_nan=True)).sum())
        total += x.size
        agrees &= bool(np.isclose(x, y, RTOL, ATOL * max(1.0, scale), equal_nan=True).all())
    return {
        "agrees": agrees,
        "difference": difference,
        "apart": outside / max(total, 1),
        "telling": all(map(_telling, expected)),
    }


def steps(compared: Mapping[str, Any]) -> int:
    """By how many steps results of 8 bits differ, if by four at most and at no more than 1% of the numbers; else 0.

    A number that lies between two steps is rounded one way or the other by the last bit of a float32, and the layer
    behind it makes a few steps of that one.
    """
    most = ceil(127 * compared.get("difference", 1) / 1.001)
    return max(1, most) if most <= 4 and compared["apart"] <= 0.01 else 0


def _telling(expected: np.ndarray) -> bool:
    """Whether an output is finite and not the same everywhere, so that equality says something."""
    return bool(
        np.isfinite(expected).all() and (expected.size == 1 or np.ptp(expected) > 1e-3 * np.abs(expected).max())
    )


def _boxes(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> dict[str, Any]:
    boxes, unmatched, difference = 0, 0, 0.0
    for image in range(len(expected[0])):
        ours, theirs = (_valid(side, image) for side in (found, expected))
        boxes += len(theirs[0])
        left = list(range(len(ours[0])))
        for number in range(len(theirs[0])):
            # The order of nearly equal scores is not compared, so look at all that are left.
            best = next((i for i in left if _same_box(ours, i, theirs, number)), None)
            if best is None:
                unmatched += 1
            else:
                left.remove(best)
                scale = max(1.0, float(np.abs(theirs[2][number]).max()))
                difference = max(difference, float(np.abs(ours[2][best] - theirs[2][number]).max()) / scale)
        unmatched += len(left)
    # What is cut off at a threshold or at the number of boxes depends on the last bit of a score: one box of each side.
    return {
        "agrees": unmatched <= max(2, 0.02 * boxes),
        "difference": difference,
        "boxes": boxes,
        "unmatched": unmatched,
        "telling": boxes > 0,
    }


def _valid(result: Sequence[np.ndarray], image: int) -> list[np.ndarray]:
    kept = result[0][image].reshape(-1) >= 0
    return [part[image][kept] for part in result]


def _same_box(ours: Sequence[np.ndarray], i: int, theirs: Sequence[np.ndarray], k: int) -> bool:
    if ours[0][i] != theirs[0][k] or not np.allclose(ours[1][i], theirs[1][k], RTOL, ATOL):
        return False
    # Corners are in pixels, and come from widths of hundreds of them.
    rest = zip(ours[2:], theirs[2:])
    return all(np.allclose(a[i], b[k], RTOL, 1e-2) for a, b in rest)
