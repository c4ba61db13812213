"""Preprocessing: how an encoded image becomes an input of a model, as plain values that files keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from .errors import InputError, nearest
from .shape_options import is_int

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's: what Gluon's model zoo takes off each channel of 0..1, and divides it by."""

LAYOUTS = ("NCHW", "NHWC")
_MOST_PIXELS = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How an image becomes one example of a model's input.

    It is turned as its Exif orientation says, its shorter side is resized, the middle is cropped, red, green and blue
    as values of 0..1 are normalised, and the axes are ordered. Raises InputError for values that are not allowed.
    """

    mean: tuple[float, float, float] = MEAN
    """Taken off red, green and blue, which are 0..1; ImageNet's without it."""

    std: tuple[float, float, float] = STD
    """What red, green and blue are divided by then; none may be zero. ImageNet's without it."""

    resize: int | None = None
    """Pixels of the shorter side before the crop; 256/224 of the shorter side that is cropped without it."""

    size: tuple[int, int] | None = None
    """Height and width of the crop, in pixels; those of the model's input without it."""

    layout: str = "NCHW"
    """The order of the input's axes: "NCHW" (batch, channels, height, width) or "NHWC"."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", three("mean", self.mean))
        object.__setattr__(self, "std", three("std", self.std))
        if 0 in self.std:
            raise InputError(f"std={self.std!r}: values are divided by it, so none may be zero.")
        if self.resize is not None and not _is_length(self.resize):
            raise InputError(f"resize={self.resize!r} must be a number of pixels from 1 to {_MOST_PIXELS}.")
        size = (self.size, self.size) if is_int(self.size) else self.size
        if size is not None:
            if not isinstance(size, tuple | list) or len(size) != 2 or not all(map(_is_length, size)):
                raise InputError(
                    f"size={size!r} must be (height, width), or one length for both, from 1 to {_MOST_PIXELS} pixels."
                )
            object.__setattr__(self, "size", (int(size[0]), int(size[1])))
        if self.layout not in LAYOUTS:
            hint = nearest(str(self.layout).upper(), LAYOUTS)
            raise InputError(f"layout={self.layout!r} must be one of {', '.join(LAYOUTS)}.{hint}")

    def crop(self, shape: Sequence[int]) -> tuple[int, int]:
        """Height and width of what is cropped for an input of this shape, batch first.

        Raises InputError for a shape that no images of this layout have.
        """
        channels = self.layout.index("C")
        if not self.takes(shape):
            places = "batch, 3, height, width" if channels == 1 else "batch, height, width, 3"
            raise InputError(
                f"Images need an input of shape ({places}), as their layout is {self.layout}, not {tuple(shape)}."
            )
        height, width = (n for axis, n in enumerate(shape) if axis not in (0, channels))
        return self.size or (height, width)

    def takes(self, shape: Sequence[int]) -> bool:
        """Whether an input of this shape, batch first, is one for images of this layout."""
        return len(shape) == 4 and shape[self.layout.index("C")] == 3

    def short_side(self, height: int, width: int) -> int:
        """Pixels to which the shorter side is resized before the middle of this height and width is cropped."""
        least = max(height, width)
        return max(self.resize or min(height, width) * 256 // 224, least)

    def to_json(self) -> dict[str, Any]:
        """The values, as JSON has them."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Preprocessing:
        """The inverse of `to_json`; values that this version does not know are left out. Raises InputError."""
        known = {f.name for f in fields(cls)}
        return cls(**{n: v for n, v in dict(raw).items() if n in known})


def checked_preprocessing(value: object) -> Preprocessing | None:
    """The value, where it is one, or None. Raises InputError."""
    if value is None or isinstance(value, Preprocessing):
        return value
    raise InputError(
        f"preprocessing must be a gluon_neuron.Preprocessing, such as Preprocessing(resize=256), not {value!r}."
    )


def three(name: str, values: object) -> tuple[float, float, float]:
    """Finite numbers for red, green and blue. Raises InputError, which names them."""
    given = tuple(values) if isinstance(values, Sequence) and not isinstance(values, str) else ()
    if len(given) != 3 or not all(isinstance(v, Real) and math.isfinite(v) for v in given):
        raise InputError(f"{name}={values!r} must be three finite numbers, for red, green and blue.")
    red, green, blue = map(float, given)
    return red, green, blue


def _is_length(value: object) -> bool:
    return is_int(value) and 0 < value <= _MOST_PIXELS
