"""How an image becomes an input: decoded, resized, cropped and normalised, the same wherever a model is given one."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np

from ..errors import InputError
from .signature import Preprocessing


def prepared(
    body: bytes, height: int, width: int, before: Preprocessing, dtype: str, said: str = "The body is"
) -> np.ndarray[Any, Any]:
    """An array of shape (3, height, width) of an encoded image: red, green and blue.

    `said` begins the InputError for what cannot be decoded.
    """
    if not body:
        raise InputError(f"{said} not an image; send JPEG or PNG.")
    try:
        image = mx.image.imdecode(bytes(body), to_rgb=1)
        image = mx.image.resize_short(image, max(before.resize, height, width))
        image = mx.image.center_crop(image, (width, height))[0]
        array = image.asnumpy().astype(np.float32) / 255
    except mx.base.MXNetError as error:
        raise InputError(f"{said} not an image that can be decoded; send JPEG or PNG.") from error
    normal = (array - np.array(before.mean, np.float32)) / np.array(before.std, np.float32)
    return normal.transpose(2, 0, 1).astype(dtype)
