"""Image operators agree with MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, refusal_of

IMAGE = (np.arange(4 * 6 * 3).reshape(4, 6, 3) * 3).astype("uint8")
BATCH = np.stack([IMAGE, IMAGE[::-1]]).astype("float32")
TENSOR = np.arange(60, dtype="float32").reshape(3, 4, 5)


@pytest.mark.parametrize("x", [IMAGE, IMAGE.astype("float32"), BATCH, IMAGE.astype("int32")])
def test_to_tensor(x: np.ndarray) -> None:
    check_op("_image_to_tensor", [x])


def test_normalize() -> None:
    check_op("_image_normalize", [TENSOR], {"mean": "(0.5,0.2,0.1)", "std": "(2,3,4)"})
    check_op("_image_normalize", [np.stack([TENSOR, -TENSOR])], {"mean": "(0.5,)", "std": "(2,)"})
    check_op("_image_normalize", [TENSOR[:1]], {"mean": "0.5", "std": "2"})
    assert refusal_of("_image_normalize", [TENSOR], {"mean": "(0,)", "std": "(0,)"})


@pytest.mark.parametrize("x", [IMAGE, BATCH])
def test_crop(x: np.ndarray) -> None:
    check_op("_image_crop", [x], {"x": 1, "y": 0, "width": 2, "height": 3})


@pytest.mark.parametrize("op", ["_image_flip_left_right", "_image_flip_top_bottom"])
def test_flips(op: str) -> None:
    check_op(op, [IMAGE])
    check_op(op, [IMAGE.astype("float32")])


def test_adjust_lighting() -> None:
    check_op("_image_adjust_lighting", [IMAGE.astype("float32")], {"alpha": "(0.1,0.2,-0.3)"})


@pytest.mark.parametrize(
    "attrs",
    [{"size": "(3,2)"}, {"size": "(7,11)"}, {"size": "5"}, {"size": "5", "keep_ratio": True}, {"size": "(1,1)"}],
)
def test_resize(attrs: dict[str, Any]) -> None:
    check_op("_image_resize", [IMAGE.astype("float32")], attrs)
    check_op("_image_resize", [BATCH], attrs)


def test_resizes_that_are_refused() -> None:
    for x, attrs in ((IMAGE, {"size": "5"}), (BATCH, {"size": "5", "interp": 0})):
        refused = refusal_of("_image_resize", [x], attrs)
        assert refused and refused[0] == "attribute"
