"""Real photographs, and what a net says about them, without the code that is tested."""

from __future__ import annotations

import io
from pathlib import Path

import mxnet as mx
import numpy as np
import sklearn.datasets
from mxnet.gluon.data.vision import transforms
from PIL import Image


def jpegs() -> list[bytes]:
    """Several JPEG files: the two that come with scikit-learn, and parts of them."""
    found = []
    for path in sorted(Path(sklearn.datasets.__file__).parent.joinpath("images").glob("*.jpg")):
        found.append(path.read_bytes())
        with Image.open(path) as image:
            for box in ((0, 0, 300, 400), (200, 100, 640, 420)):
                part = io.BytesIO()
                image.crop(box).save(part, "JPEG", quality=92)
                found.append(part.getvalue())
    return found


def probabilities(net: mx.gluon.Block, body: bytes) -> np.ndarray:
    """What Gluon's own transforms and the net give for an image."""
    image = mx.image.resize_short(mx.image.imdecode(body), 256)
    prepare = transforms.Compose(
        [
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    return net(prepare(image).expand_dims(0)).softmax().asnumpy()[0]
