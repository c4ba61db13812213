"""Strategies of operators of images and detectors: resizing, sampling, anchors, boxes, regions, image transforms."""

from __future__ import annotations

import numpy as np

from .case import NUMBERS, OMIT, Case, Draw, Strategy

_MOST = ("float32", "float32", "float64")


def _planes(d: Draw, longest: int = 6) -> tuple[int, ...]:
    return d.integer(1, 2), d.integer(1, 3), d.integer(1, longest), d.integer(1, longest)


def upsampling(d: Draw) -> Case:
    batch, channels, height, width = _planes(d, 4)
    dtype, factor = d.pick(*_MOST), d.integer(1, 3)
    if d.integer(0, 2) == 2:
        size = 2 * factor - factor % 2
        shapes = [(batch, channels, height, width), (channels, 1, size, size)]
        given = {"scale": factor, "num_filter": channels, "sample_type": "bilinear", "num_args": 2}
        return Case([d.array(s, dtype) for s in shapes], d.attrs(**given, multi_input_mode=OMIT, workspace=OMIT))
    count, mode = d.integer(1, 3), d.pick(OMIT, "concat", "sum")
    arrays = [d.array((batch, channels if mode == "sum" else d.integer(1, 3), height, width), dtype)]
    for _ in range(count - 1):
        # The others are enlarged to the size of the first.
        divisor = d.pick(1, *(v for v in (2, 3) if height * factor % v == 0 and width * factor % v == 0))
        size = (height * factor // divisor, width * factor // divisor)
        arrays.append(d.array((batch, channels if mode == "sum" else d.integer(1, 3), *size), dtype))
    given = {"scale": factor, "sample_type": "nearest", "multi_input_mode": mode, "num_args": count}
    return Case(arrays, d.attrs(**given, num_filter=OMIT, workspace=OMIT))


def bilinear_resize(d: Draw) -> Case:
    shape, dtype = _planes(d, 7), d.pick(*_MOST)
    mode = d.pick(OMIT, "size", "odd_scale", "like", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up")
    inputs = [d.array(shape, dtype)]
    given = dict.fromkeys(("height", "width", "scale_height", "scale_width"), OMIT) | {"mode": mode}
    if mode == "like":
        inputs.append(d.array((1, 1, d.integer(1, 9), d.integer(1, 9)), dtype))
    elif mode == "odd_scale" or (mode in (OMIT, "size") and d.flag()):
        given |= {key: d.pick(2.0, 0.5, 1.5) for key in ("scale_height", "scale_width")}
    elif mode in (OMIT, "size"):
        given |= {key: d.integer(1, 9) for key in ("height", "width")}
    return Case(inputs, d.attrs(**given), single=True)


def grid_generator(d: Draw) -> Case:
    kind, dtype = d.pick("affine", "warp"), d.pick(*_MOST)
    batch, size = d.integer(1, 3), (d.integer(1, 5), d.integer(1, 5))
    shape = (batch, 6) if kind == "affine" else (batch, 2, *size)
    given = {"transform_type": kind, "target_shape": size if kind == "affine" else OMIT}
    return Case([d.array(shape, dtype, "plain")], d.attrs(**given))


def bilinear_sampler(d: Draw) -> Case:
    shape, dtype = _planes(d), d.pick(*_MOST)
    grid = (shape[0], 2, d.integer(1, 4), d.integer(1, 4))
    return Case([d.array(shape, dtype), d.array(grid, dtype, "unit", "plain", "whole")], d.attrs())


def spatial_transformer(d: Draw) -> Case:
    shape, dtype = _planes(d), d.pick(*_MOST)
    given = {"target_shape": d.pick((d.integer(1, 5), d.integer(1, 5)), OMIT)}
    return Case([d.array(shape, dtype), d.array((shape[0], 6), dtype, "unit")], d.attrs(**given))


def multibox_prior(d: Draw) -> Case:
    given = {
        "sizes": d.pick(OMIT, (0.5,), (0.2, 0.7), (0.9, 0.3, 0.1)),
        "ratios": d.pick(OMIT, (2,), (1, 2, 0.5), (0.3, 3)),
        "steps": d.pick(OMIT, (0.2, 0.1), (-1, -1)),
        "offsets": d.pick(OMIT, (0.3, 0.9)),
    }
    return Case([d.array(_planes(d))], d.attrs(**given))


def _boxes(d: Draw, *shape: int, dtype: str = "float32") -> np.ndarray:
    """Corners of boxes of at least a half in each direction."""
    random = np.random.RandomState(d.integer(0, 9999))
    low = random.uniform(0, 4, (*shape, 2))
    return np.concatenate([low, low + random.uniform(0.5, 4, (*shape, 2))], -1).astype(dtype)


def box_decode(d: Draw) -> Case:
    count = d.integer(1, 5)
    offsets = d.array((d.integer(1, 3), count, 4), "float32", "unit")
    given = {"clip": d.pick(OMIT, 0.3, -1), **{f"std{i}": d.pick(OMIT, 0.1, 0.5) for i in range(4)}}
    return Case([offsets, _boxes(d, 1, count)], d.attrs(**given))


def box_iou(d: Draw) -> Case:
    dtype = d.pick(*_MOST)
    arrays = [_boxes(d, *d.shape(low=0, high=2, elements=8), dtype=dtype) for _ in range(2)]
    return Case(arrays, d.attrs())


def roi(d: Draw) -> Case:
    batch, channels, height, width = d.integer(1, 2), d.integer(1, 3), d.integer(1, 8), d.integer(1, 8)
    count, dtype = d.integer(1, 4), d.pick(*_MOST)
    random = np.random.RandomState(d.integer(0, 9999))
    aligned = "Align" in d.op and d.flag()
    # Regions without an extent end the process when they are aligned.
    corners = _boxes(d, count) if aligned or d.flag() else random.uniform(-3, 8, (count, 4))
    rois = np.concatenate([random.randint(0, batch, (count, 1)), corners], 1).astype(dtype)
    size = (d.integer(1, 4), d.integer(1, 4))
    given: dict[str, object] = {"pooled_size": size, "spatial_scale": d.pick(1.0, 0.5, 0.0625)}
    if "Align" in d.op:
        given |= {"sample_ratio": d.pick(2, 1, 3, OMIT), "aligned": aligned}
    return Case([d.array((batch, channels, height, width), dtype), rois], d.attrs(**given))


def _image(d: Draw, dtype: str, channels: int | None = None) -> np.ndarray:
    """An image (H, W, C), or a batch of them."""
    shape = (d.integer(1, 7), d.integer(1, 7), channels or d.integer(1, 4))
    return d.array((d.integer(1, 3), *shape) if d.integer(0, 2) == 2 else shape, dtype, "positive", "wide", "plain")


def to_tensor(d: Draw) -> Case:
    return Case([_image(d, d.pick("uint8", *NUMBERS))], d.attrs())


def normalize(d: Draw) -> Case:
    channels = d.pick(3, 1)
    shape = (channels, d.integer(1, 5), d.integer(1, 5))
    x = d.array((d.integer(1, 3), *shape) if d.flag() else shape, "float32")
    given = {"mean": d.pick(OMIT, 0.5, (0.5,) * channels), "std": d.pick(OMIT, 2, (2, 0.5, 0.3)[:channels])}
    return Case([x], d.attrs(**given))


def crop(d: Draw) -> Case:
    x = _image(d, d.pick("uint8", *NUMBERS))
    height, width = x.shape[-3:-1]
    left, top = d.integer(0, width - 1), d.integer(0, height - 1)
    given = {"x": left, "y": top, "width": d.integer(1, width - left), "height": d.integer(1, height - top)}
    return Case([x], d.attrs(**given))


def turned(d: Draw) -> Case:
    """MXNet leaves the middle of an odd number of rows or columns undefined."""
    shape = (2 * d.integer(1, 3), 2 * d.integer(1, 3), d.integer(1, 4))
    return Case([d.array(shape, d.pick("uint8", "float32"))], d.attrs())


def adjust_lighting(d: Draw) -> Case:
    shape = (d.integer(1, 5), d.integer(1, 5), 3)
    return Case([d.array(shape, "float32", "wide")], d.attrs(alpha=d.pick((0.1, 0.2, -0.3), (0, 0, 0), (1, -0.5, 0))))


def resize(d: Draw) -> Case:
    size = d.pick(d.integer(1, 8), (d.integer(1, 8),), (d.integer(1, 8), d.integer(1, 8)))
    return Case([_image(d, d.pick("float32", "float32", "uint8"))], d.attrs(size=size, interp=d.pick(OMIT, 1, 0, 2)))


_IMAGE = {
    "to_tensor": to_tensor,
    "normalize": normalize,
    "crop": crop,
    "flip_left_right": turned,
    "flip_top_bottom": turned,
    "adjust_lighting": adjust_lighting,
    "resize": resize,
}
STRATEGIES: dict[str, Strategy] = {
    "UpSampling": upsampling,
    "_contrib_BilinearResize2D": bilinear_resize,
    "GridGenerator": grid_generator,
    "BilinearSampler": bilinear_sampler,
    "SpatialTransformer": spatial_transformer,
    **dict.fromkeys(("_contrib_MultiBoxPrior", "_npx_multibox_prior"), multibox_prior),
    "_contrib_box_decode": box_decode,
    "_contrib_box_iou": box_iou,
    **dict.fromkeys(("_contrib_ROIAlign", "ROIPooling", "_npx_roi_pooling"), roi),
    **{f"{front}_image_{op}": strategy for op, strategy in _IMAGE.items() for front in ("", "_npx_")},
}
