"""How an image becomes an input: decoded, resized, cropped and normalised, the same wherever a model is given one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mxnet as mx
import numpy as np

from ..errors import InputError
from ..preprocessing import Preprocessing
from .encoded import is_complete, orientation


def prepared(
    body: bytes, shape: Sequence[int], before: Preprocessing, dtype: str, said: str = "The body is"
) -> np.ndarray[Any, Any]:
    """One example, without the batch axis, for an input of this shape, of an encoded image: red, green and blue.

    `said` begins the InputError for what cannot be decoded, or is not all there.
    """
    height, width = before.crop(shape)
    if not body:
        raise InputError(f"{said} not an image; send JPEG or PNG.")
    try:
        image = mx.image.imdecode(bytes(body), to_rgb=1)
        image.wait_to_read()  # what cannot be decoded is said first
        if not is_complete(body):
            # The decoder fills what is missing with gray.
            raise InputError(f"{said} an image that ends too early: it was cut off. Send all of it.")
        image = _turned(image, orientation(body))
        image = mx.image.resize_short(image, before.short_side(height, width))
        image = mx.image.center_crop(image, (width, height))[0]
        array = image.asnumpy().astype(np.float32) / 255
    except mx.base.MXNetError as error:
        raise InputError(f"{said} not an image that can be decoded; send JPEG or PNG.") from error
    normal = (array - np.array(before.mean, np.float32)) / np.array(before.std, np.float32)
    return (normal.transpose(2, 0, 1) if before.layout == "NCHW" else normal).astype(dtype)


def _turned(image: Any, how: int) -> Any:
    """An image of shape (height, width, 3), upright."""
    if how >= 5:
        image = image.transpose((1, 0, 2))
    # In Exif's numbers, by what is left to be done once rows are rows.
    if how in (3, 4, 7, 8):
        image = image.flip(axis=0)
    if how in (2, 3, 6, 7):
        image = image.flip(axis=1)
    return image
