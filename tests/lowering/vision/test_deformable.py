"""Deformable convolutions agree with MXNet: offsets to and past the borders, masks, groups of both kinds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, random

V1, V2 = "_contrib_DeformableConvolution", "_contrib_ModulatedDeformableConvolution"


def _inputs(op, size, channels=4, filters=8, kernel=(3, 3), groups=1, parts=1, batch=2, out=None, spread=2.0):
    taps = parts * kernel[0] * kernel[1]
    out = out or size
    found = [random(batch, channels, *size), random(batch, taps * 2, *out, low=-spread, high=spread, seed=1)]
    if op == V2:
        found.append(random(batch, taps, *out, low=0.0, high=1.0, seed=2))
    return [*found, random(filters, channels // groups, *kernel, seed=3), random(filters, seed=4)]


@pytest.mark.parametrize("op", [V1, V2])
@pytest.mark.parametrize(
    ("attrs", "out", "options"),
    [
        ({"pad": "(1, 1)"}, (5, 6), {}),
        ({}, (3, 4), {}),
        ({"pad": "(2, 1)", "stride": "(2, 1)", "dilate": "(1, 2)"}, (4, 4), {}),
        ({"pad": "(1, 1)", "num_group": 2}, (5, 6), {"groups": 2}),
        ({"pad": "(1, 1)", "num_deformable_group": 2}, (5, 6), {"parts": 2}),
        ({"pad": "(1, 1)", "num_deformable_group": 4, "num_group": 2}, (5, 6), {"parts": 4, "groups": 2}),
        ({"kernel": "(1, 2)", "layout": "NCHW"}, (5, 5), {"kernel": (1, 2)}),
    ],
)
def test_attributes(op, attrs, out, options):
    inputs = _inputs(op, (5, 6), out=out, **options)
    attrs = {"kernel": "(3, 3)", "num_filter": 8, **attrs}
    check_op(op, inputs, attrs)
    check_op(op, inputs[:-1], {**attrs, "no_bias": True})


@pytest.mark.parametrize("op", [V1, V2])
def test_far_away_and_one_element(op):
    inputs = _inputs(op, (4, 3), spread=9.0)
    inputs[1].flat[::7] = 1e12
    check_op(op, inputs, {"kernel": "(3, 3)", "pad": "(1, 1)", "num_filter": 8})
    single = _inputs(op, (1, 1), channels=1, kernel=(1, 1), batch=1)
    check_op(op, single, {"kernel": "(1, 1)", "num_filter": 8})


@pytest.mark.parametrize("op", [V1, V2])
@pytest.mark.parametrize("row", [-1, -0.75, -0.25, 0, 2.5, 3, 3.25, 3.75, 4])
def test_taps_on_and_around_the_border(op, row):
    """A kernel of one tap that reads row `row` of 4, at columns that run past both ends of 5."""
    rows = np.full((4, 5), row, "float32")
    columns = np.linspace(-1.5, 5.25, 20, dtype="float32").reshape(4, 5)
    ys, xs = np.indices((4, 5), dtype="float32")
    offset = np.stack([rows - ys, columns - xs])[None]
    mask = [np.ones((1, 1, 4, 5), "float32")] if op == V2 else []
    inputs = [random(1, 1, 4, 5) + 5, offset, *mask, np.ones((1, 1, 1, 1), "float32")]
    check_op(op, inputs, {"kernel": "(1, 1)", "num_filter": 1, "no_bias": True}, atol=1e-4)
