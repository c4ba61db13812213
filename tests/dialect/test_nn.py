"""Neural-network functions agree with plain loops over their definitions in every namespace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import naive
from .conformance import Case, check, parameters, random

# name: x, w, stride, pads, dilate, groups
CONVOLUTIONS: dict[str, tuple[Any, ...]] = {
    "1d": ((2, 3, 9), (4, 3, 3), (2,), ((1, 2),), (1,), 1),
    "1d-dilated-groups": ((2, 4, 9), (6, 2, 3), (1,), ((0, 3),), (2,), 2),
    "1x1": ((2, 3, 5, 4), (7, 3, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "strided": ((1, 3, 8, 7), (4, 3, 3, 2), (2, 3), ((1, 1), (0, 2)), (1, 1), 1),
    "dilated": ((1, 2, 9, 9), (3, 2, 3, 3), (1, 2), ((2, 1), (3, 0)), (2, 3), 1),
    "groups": ((2, 6, 5, 5), (9, 2, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 3),
    "depthwise": ((1, 4, 6, 6), (8, 1, 3, 3), (2, 2), ((1, 0), (0, 1)), (1, 1), 4),
    "pads-wider-than-kernel": ((1, 2, 3, 3), (2, 2, 2, 2), (1, 1), ((4, 3), (5, 0)), (1, 1), 1),
    "3d": ((1, 2, 4, 5, 4), (3, 2, 2, 3, 2), (1, 2, 2), ((1, 0), (1, 1), (0, 1)), (1, 1, 2), 1),
    "3d-groups": ((1, 4, 3, 4, 3), (4, 2, 2, 2, 2), (1, 1, 1), ((0, 0), (0, 0), (0, 0)), (1, 1, 1), 2),
}
CASES = [
    Case(
        f"conv-{n}",
        lambda xp, x, w, g=g: xp.conv(x, w, *g),
        [random(*x), random(*w)],
        lambda x, w, g=g: naive.conv(x, w, *g),
    )
    for n, (x, w, *g) in CONVOLUTIONS.items()
]
# the same, with w as (I, O / groups, kernel...) and output_padding
TRANSPOSED: dict[str, tuple[Any, ...]] = {
    "1d": ((2, 3, 5), (3, 4, 3), (2,), ((1, 1),), (1,), 1, (1,)),
    "2d": ((1, 3, 4, 5), (3, 2, 3, 4), (2, 1), ((1, 0), (0, 2)), (1, 1), 1, (1, 0)),
    "stride-1": ((2, 2, 4, 4), (2, 3, 2, 3), (1, 1), ((0, 0), (1, 1)), (1, 1), 1, (0, 0)),
    "stride-over-kernel": ((1, 2, 3, 3), (2, 2, 2, 2), (3, 4), ((0, 0), (0, 1)), (1, 1), 1, (2, 3)),
    "dilated": ((1, 2, 4, 4), (2, 2, 3, 3), (2, 3), ((1, 2), (0, 1)), (2, 3), 1, (1, 1)),
    "groups": ((2, 6, 3, 3), (6, 2, 3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 3, (1, 1)),
    "depthwise": ((1, 4, 3, 3), (4, 1, 4, 4), (2, 2), ((1, 1), (1, 1)), (1, 1), 4, (0, 0)),
    "cut-more-than-kernel": ((1, 2, 6, 6), (2, 2, 2, 2), (1, 1), ((3, 1), (2, 2)), (1, 1), 1, (0, 0)),
    "3d": ((1, 2, 3, 2, 3), (2, 3, 2, 3, 2), (2, 1, 2), ((0, 1), (1, 1), (0, 0)), (1, 1, 1), 1, (1, 0, 1)),
}
CASES += [
    Case(
        f"conv_transpose-{n}",
        lambda xp, x, w, g=g: xp.conv_transpose(x, w, *g),
        [random(*x), random(*w)],
        lambda x, w, g=g: naive.conv_transpose(x, w, *g),
    )
    for n, (x, w, *g) in TRANSPOSED.items()
]
# x, kernel, stride, pads
POOLS: dict[str, tuple[Any, ...]] = {
    "1d": ((2, 3, 9), (3,), (2,), ((1, 2),)),
    "2d": ((2, 3, 7, 6), (2, 3), (2, 1), ((0, 1), (2, 0))),
    "global": ((2, 3, 4, 5), (4, 5), (1, 1), ((0, 0), (0, 0))),
    "gaps": ((1, 2, 9, 9), (1, 2), (3, 4), ((0, 0), (0, 0))),
    "windows-outside": ((1, 2, 3, 4), (2, 2), (1, 2), ((0, 4), (3, 0))),
    "3d": ((1, 2, 4, 5, 3), (2, 3, 2), (1, 2, 2), ((1, 0), (1, 1), (0, 1))),
}
LOWEST = float(np.finfo("float32").min)
for n, (shape, *g) in POOLS.items():
    inside = naive.pool(np.ones((1, 1, *shape[2:])), *g, np.sum, 0)[0, 0]
    counts = np.maximum(inside, 1)
    odd = counts + 0.5
    CASES += [
        Case(
            f"max_pool-{n}",
            lambda xp, x, g=g: xp.max_pool(x, *g),
            [random(*shape)],
            lambda x, g=g: naive.pool(x, *g, np.max, LOWEST),
        ),
        Case(
            f"sum_pool-{n}",
            lambda xp, x, g=g: xp.sum_pool(x, *g),
            [random(*shape)],
            lambda x, g=g: naive.pool(x, *g, np.sum, 0),
        ),
        Case(
            f"avg_pool-{n}",
            lambda xp, x, g=g: xp.avg_pool(x, *g),
            [random(*shape)],
            lambda x, g=g: naive.pool(x, *g, np.sum, 0, "kernel"),
        ),
        Case(
            f"avg_pool-number-{n}",
            lambda xp, x, g=g: xp.avg_pool(x, *g, 3.5),
            [random(*shape)],
            lambda x, g=g: naive.pool(x, *g, np.sum, 0) / 3.5,
        ),
        Case(
            f"avg_pool-counts-{n}",
            lambda xp, x, g=g, odd=odd: xp.avg_pool(x, *g, xp.constant(odd)),
            [random(*shape)],
            lambda x, g=g, odd=odd: naive.pool(x, *g, np.sum, 0) / odd,
        ),
        Case(
            f"avg_pool-inside-{n}",
            lambda xp, x, g=g, c=counts: xp.avg_pool(x, *g, xp.constant(c, "float32")),
            [random(*shape)],
            lambda x, g=g, c=counts: naive.pool(x, *g, np.sum, 0) / c,
        ),
    ]

IMAGE = random(2, 3, 7, 6)
ROIS = np.float32([[0, 1, 2, 9, 11], [1, 0, 0, 3, 3], [0, -4, 2, 30, 6], [1, 4.6, 3.3, 4.9, 3.4], [0, 2, 8, 9.4, 12]])
GRID = random(2, 4, 3, 2, low=-1.6, high=1.6)
# Rows and columns on both sides of an image of 4 x 5, on it, and between the last element and the edge.
POINTS = np.float32([[-9, -1, -0.5, 0, 1.25, 3, 3.5, 4, 1e20], [2.5, 0, 4.5, 4, -0.25, 1, 4, 0.5, 2]])[:, None].repeat(
    2, 1
)
# stride, pads, dilate of a 3 x 2 kernel over 4 x 5 elements
MOVED = ((2, 1), ((1, 2), (0, 0)), (1, 2))


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _normalize(x: Any, axes: Any, eps: float) -> Any:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def _batch_norm(x: Any, gamma: Any, beta: Any, mean: Any, var: Any) -> Any:
    return (x - mean[:, None, None]) / np.sqrt(var[:, None, None] + 1e-3) * gamma[:, None, None] + beta[:, None, None]


STATISTICS = [random(3, seed=1), random(3, seed=2), random(3, seed=3), random(3, seed=4, low=0.1)]
SPREAD = random(3, 5, low=-90, high=90)
CASES += [
    *(
        Case(
            f"softmax-{axis}-{v.dtype}",
            lambda xp, x, axis=axis: xp.softmax(x, axis),
            [v],
            lambda x, axis=axis: _softmax(x, axis),
            scale=2,
        )
        for axis in (0, 2, -1)
        for v in (random(2, 3, 4), random(2, 3, 4, dtype="float16"))
    ),
    Case("softmax-spread", lambda xp, x: xp.softmax(x), [SPREAD * 9], lambda x: _softmax(x, -1)),
    Case("log_softmax", lambda xp, x: xp.log_softmax(x, 0), [SPREAD], lambda x: np.log(_softmax(x, 0))),
    Case(
        "layer_norm",
        lambda xp, x, g, b: xp.layer_norm(x, -1, 1e-5, g, b),
        [random(2, 3, 8), random(8), random(8, seed=1)],
        lambda x, g, b: _normalize(x, -1, 1e-5) * g + b,
        scale=4,
    ),
    Case(
        "layer_norm-plain",
        lambda xp, x: xp.layer_norm(x, (1,), 1e-3),
        [IMAGE],
        lambda x: _normalize(x, 1, 1e-3),
        scale=4,
    ),
    Case(
        "layer_norm-spatial",
        lambda xp, x: xp.layer_norm(x, (2, 3), 0.1),
        [IMAGE * 0.1],
        lambda x: _normalize(x, (2, 3), 0.1),
        scale=4,
    ),
    # A variance computed as E[x^2] - E[x]^2 would lose everything here.
    Case(
        "layer_norm-offset",
        lambda xp, x: xp.layer_norm(x, -1, 1e-5),
        [random(4, 64) + 500],
        lambda x: _normalize(x, -1, 1e-5),
        scale=200,
    ),
    Case(
        "batch_norm",
        lambda xp, x, g, b, m, v: xp.batch_norm(x, g, b, m, v, 1e-3),
        [IMAGE, *STATISTICS],
        _batch_norm,
        scale=4,
    ),
    Case(
        "batch_norm-bare",
        lambda xp, x, m, v: xp.batch_norm(x, None, None, m, v, 1e-3),
        [IMAGE, *STATISTICS[2:]],
        lambda x, m, v: _batch_norm(x, np.ones(3), np.zeros(3), m, v),
        scale=4,
    ),
    Case(
        "batch_norm-last",
        lambda xp, x, g, b, m, v: xp.batch_norm(x, g, b, m, v, 1e-3, -1),
        [IMAGE.transpose(0, 2, 3, 1), *STATISTICS],
        lambda x, *s: _batch_norm(x.transpose(0, 3, 1, 2), *s).transpose(0, 2, 3, 1),
        scale=4,
    ),
    Case(
        "batch_norm-known-gamma",
        lambda xp, x, b, m, v: xp.batch_norm(x, xp.ones((3,), "float32"), b, m, v, 1e-3),
        [IMAGE, *STATISTICS[1:]],
        lambda x, b, m, v: _batch_norm(x, np.ones(3), b, m, v),
        scale=4,
    ),
    Case(
        "batch_norm-2d",
        lambda xp, x, g, b, m, v: xp.batch_norm(x, g, b, m, v, 1e-3),
        [random(5, 3), *STATISTICS],
        lambda x, *s: _batch_norm(x[:, :, None, None], *s)[:, :, 0, 0],
        scale=4,
    ),
    Case("bias", lambda xp, x, b: xp.bias(x, b), [IMAGE, random(3)], lambda x, b: x + b[:, None, None]),
    Case("bias-axis", lambda xp, x, b: xp.bias(x, b, 2), [IMAGE, random(7)], lambda x, b: x + b[:, None]),
    *(
        Case(
            f"resize_nearest-{len(f)}d",
            lambda xp, x, f=f: xp.resize_nearest(x, f),
            [random(1, 2, *(3, 4, 2)[: len(f)])],
            lambda x, f=f: np.kron(x, np.ones((1, 1, *f))),
        )
        for f in ((3,), (2, 5), (2, 1, 3))
    ),
    Case(
        "resize_nearest-number",
        lambda xp, x: xp.resize_nearest(x, 2),
        [IMAGE],
        lambda x: np.kron(x, np.ones((1, 1, 2, 2))),
    ),
    *(
        Case(
            f"resize_linear-{n}",
            lambda xp, x, c=c: xp.resize_linear(x, [len(a) for a in c], c),
            [x],
            lambda x, c=c: naive.resize_linear(x, c),
        )
        for n, x, c in (
            ("1d", random(2, 3, 5), [np.linspace(0, 4, 9)]),
            ("corners", IMAGE, [np.linspace(0, 6, 13), np.linspace(0, 5, 4)]),
            ("centres", IMAGE, [(np.arange(14) + 0.5) / 2 - 0.5, (np.arange(3) + 0.5) * 2 - 0.5]),
            ("same-height", IMAGE, [np.arange(7), np.zeros(1)]),
            ("one", random(1, 2, 1, 1), [np.zeros(3), np.zeros(2)]),
            ("3d", random(1, 2, 3, 4, 3), [np.linspace(0, 2, 5), np.linspace(0, 3, 2), np.linspace(0, 2, 4)]),
        )
    ),
    *(
        Case(
            f"adaptive_avg_pool-{n}",
            lambda xp, x, s=s: xp.adaptive_avg_pool(x, s),
            [x],
            lambda x, s=s: naive.adaptive_avg_pool(x, s),
        )
        for n, x, s in (
            ("1", IMAGE, (1, 1)),
            ("uneven", IMAGE, (3, 4)),
            ("larger", IMAGE, (9, 6)),
            ("1d", random(2, 3, 10), (4,)),
            ("3d", random(1, 2, 4, 5, 3), (2, 3, 2)),
        )
    ),
    *(
        Case(
            f"sample-{border}",
            lambda xp, x, i, r, c, b=border: xp.sample(x, i, r, c, b),
            [random(2, 4, 5, 3), np.int32([[0], [1]]), POINTS[0], POINTS[1]],
            lambda x, i, r, c, b=border: naive.sample(x, i, r, c, b),
            scale=8,
        )
        for border in ("zeros", "edge")
    ),
    *(
        Case(
            f"deform_conv-{border}-{m}-{g}-{d}",
            lambda xp, x, o, w, *m, p=(g, d, border): xp.deform_conv(x, o, m[0] if m else None, w, *MOVED, *p),
            [random(1, 4, 4, 5), random(1, 12 * d, 3, 3), random(2, 4 // g, 3, 2)] + [random(1, 6 * d, 3, 3)] * m,
            lambda x, o, w, *m, p=(g, d, border): naive.deform_conv(x, o, m[0] if m else None, w, *MOVED, *p),
            scale=8,
        )
        for border in ("zeros", "edge")
        for m, g, d in ((0, 1, 1), (1, 2, 1), (1, 1, 2), (0, 2, 4))
    ),
    Case("grid_sample", lambda xp, x, g: xp.grid_sample(x, g), [IMAGE, GRID], naive.grid_sample, scale=4),
    *(
        Case(
            f"roi_align-{s}-{a}",
            lambda xp, x, r, s=s, a=a: xp.roi_align(x, r, (3, 2), 0.5, s, a),
            [IMAGE, ROIS],
            lambda x, r, s=s, a=a: naive.roi_align(x, r, (3, 2), 0.5, s, a),
            # The composition takes a number of samples that does not hang on the regions.
            skip=() if s else ("composed", "jax"),
            scale=4,
        )
        for s in (0, 1, 2)
        for a in (False, True)
    ),
    Case(
        "roi_pool",
        lambda xp, x, r: xp.roi_pool(x, r, (3, 2), 0.5),
        [IMAGE, ROIS],
        lambda x, r: naive.roi_pool(x, r, (3, 2), 0.5),
    ),
]


@pytest.mark.parametrize("mode, case", parameters(CASES))
def test_nn(mode: str, case: Case) -> None:
    check(mode, case)


@st.composite
def geometries(draw: st.DrawFn) -> tuple[Any, ...]:
    """Sizes, kernel, stride, pads and dilation of one to three spatial axes, such that a window fits."""
    axes = draw(st.integers(1, 3))
    found = []
    for _ in range(axes):
        kernel, dilate = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        low, high = draw(st.integers(0, 3)), draw(st.integers(0, 3))
        shortest = max(1, dilate * (kernel - 1) + 1 - low - high)
        found.append((draw(st.integers(shortest, shortest + 3)), kernel, draw(st.integers(1, 3)), (low, high), dilate))
    return tuple(zip(*found))


@settings(max_examples=25)
@given(geometries(), st.sampled_from([1, 2, 3]))
def test_any_convolution(geometry: tuple[Any, ...], groups: int) -> None:
    size, kernel, stride, pads, dilate = geometry
    inputs = [random(1, 2 * groups, *size), random(2 * groups, 2, *kernel)]
    want = naive.conv(*(v.astype("float64") for v in inputs), stride, pads, dilate, groups)
    case = Case("conv", lambda xp, x, w: xp.conv(x, w, stride, pads, dilate, groups), inputs, want, scale=2)
    for mode in ("numpy", "openvino"):
        check(mode, case)
