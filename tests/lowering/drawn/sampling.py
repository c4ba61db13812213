"""Strategies of operators that sample maps where other inputs say, and of the windows of convolutions as columns."""

from __future__ import annotations

import numpy as np

from .case import OMIT, Case, Draw, Strategy

_MOST = ("float32", "float32", "float64")


def deformable_convolution(d: Draw) -> Case:
    groups, parts, dtype = d.pick(1, 1, 2), d.pick(1, 1, 2), d.pick(*_MOST)
    channels, filters = 2 * groups * parts // (2 if groups == parts == 2 else 1), groups * d.integer(1, 2)
    given, count, sizes = _window(d)
    taps = parts * given["kernel"][0] * given["kernel"][1]
    batch, bare = d.integer(1, 2), d.flag()
    shapes = [(batch, channels, *sizes), (batch, 2 * taps, *count)]
    modulated = "Modulated" in d.op
    if modulated:
        shapes.append((batch, taps, *count))
        given["im2col_step"] = d.pick(OMIT, 1)
    shapes += [(filters, channels // groups, *given["kernel"]), *([] if bare else [(filters,)])]
    given |= {"num_filter": filters, "num_group": groups, "num_deformable_group": parts, "no_bias": bare}
    kinds = ("plain", "plain", "positive" if modulated else "plain", "plain", "plain")
    arrays = [d.array(s, dtype, k) for s, k in zip(shapes, kinds)]
    return Case(arrays, d.attrs(**given, workspace=OMIT, layout=d.pick(OMIT, None, "NCHW")))


def _window(d: Draw) -> tuple[dict[str, object], tuple[int, ...], tuple[int, ...]]:
    """kernel, stride, dilate and pad of two axes, how many windows there are, and the sizes that they cut."""
    kernel, pad = (d.integer(1, 3), d.integer(1, 3)), (d.integer(0, 2), d.integer(0, 2))
    stride, dilate = (d.integer(1, 3), d.integer(1, 3)), (d.integer(1, 2), d.integer(1, 2))
    parts = {"kernel": kernel}
    for key, value, default in (("stride", stride, 1), ("dilate", dilate, 1), ("pad", pad, 0)):
        parts[key] = d.pick(value, OMIT) if value == (default, default) else value
    least = [max(1, e * (k - 1) + 1 - 2 * p) for k, e, p in zip(kernel, dilate, pad)]
    sizes = tuple(s + d.integer(0, 4) for s in least)
    counts = tuple((s + 2 * p - e * (k - 1) - 1) // t + 1 for s, p, e, k, t in zip(sizes, pad, dilate, kernel, stride))
    return parts, counts, sizes


def columns(d: Draw) -> Case:
    given, counts, sizes = _window(d)
    batch, channels = d.integer(1, 2), d.integer(1, 3)
    if d.op == "im2col":
        return Case([d.array((batch, channels, *sizes), d.pick(*_MOST))], d.attrs(**given))
    taps = given["kernel"][0] * given["kernel"][1]
    x = d.array((batch, channels * taps, counts[0] * counts[1]), d.pick(*_MOST))
    return Case([x], d.attrs(**given, output_size=sizes))


def correlation(d: Draw) -> Case:
    kernel, reach, pad = d.pick(1, 3), d.integer(0, 3), d.integer(0, 4)
    least = max(1, 2 * (reach + kernel // 2) + 1 - 2 * pad)
    shape = (d.integer(1, 2), d.integer(1, 3), least + d.integer(0, 4), least + d.integer(0, 4))
    given = {"kernel_size": d.pick(kernel, OMIT) if kernel == 1 else kernel, "pad_size": pad}
    given |= {"max_displacement": reach, "stride1": d.integer(1, 2), "stride2": d.integer(1, 2)}
    dtype = d.pick(*_MOST)
    return Case([d.array(shape, dtype), d.array(shape, dtype)], d.attrs(**given))


def _rois(d: Draw, batch: int, dtype: str, extra: int = 0) -> np.ndarray:
    """Batch index and two pairs of numbers, corners or centre and size, and as many angles as `extra`."""
    random, count = np.random.RandomState(d.integer(0, 9999)), d.integer(1, 4)
    first = random.uniform(-2, 8, (count, 2))
    second = random.uniform(0.5, 9, (count, 2)) + (0 if extra else first)
    angles = random.uniform(-180, 180, (count, extra))
    return np.concatenate([random.randint(0, batch, (count, 1)), first, second, angles], 1).astype(dtype)


def sensitive_pooling(d: Draw) -> Case:
    size, outputs, batch = d.integer(1, 3), d.integer(1, 2), d.integer(1, 2)
    deformable = "Deformable" in d.op
    groups = d.pick(size, size, d.integer(1, 3)) if deformable else d.pick(OMIT, size, d.integer(1, 3))
    dtype = d.pick(*_MOST)
    channels = outputs * (size if groups is OMIT else groups) ** 2
    x = d.array((batch, channels, d.integer(1, 8), d.integer(1, 8)), dtype)
    inputs = [x, _rois(d, batch, dtype)]
    given = {"spatial_scale": d.pick(1.0, 0.5, 0.3), "output_dim": outputs, "pooled_size": size, "group_size": groups}
    if deformable:
        still, part = d.flag(), d.pick(size, 1, 2)
        classes = d.pick(*(c for c in (1, 2) if outputs % c == 0))
        if not still:
            inputs.append(d.array((inputs[1].shape[0], 2 * classes, part, part), dtype, "unit"))
        given |= {"no_trans": still, "part_size": part, "sample_per_part": d.pick(OMIT, 1, 2, 3)}
        given["trans_std"] = d.pick(OMIT, 0.1, 0.5)
    return Case(inputs, d.attrs(**given))


def rotated_roi(d: Draw) -> Case:
    batch, dtype = d.integer(1, 2), d.pick(*_MOST)
    x = d.array((batch, d.integer(1, 3), d.integer(1, 8), d.integer(1, 8)), dtype)
    given = {"pooled_size": (d.integer(1, 4), d.integer(1, 4)), "spatial_scale": d.pick(1.0, 0.5, 0.3)}
    return Case([x, _rois(d, batch, dtype, 1)], d.attrs(**given, sampling_ratio=d.pick(2, 1, 3)))


STRATEGIES: dict[str, Strategy] = {
    **{f"_contrib_{kind}DeformableConvolution": deformable_convolution for kind in ("", "Modulated")},
    **dict.fromkeys(("im2col", "col2im"), columns),
    "Correlation": correlation,
    **{f"_contrib_{kind}PSROIPooling": sensitive_pooling for kind in ("", "Deformable")},
    "_contrib_RROIAlign": rotated_roi,
}
