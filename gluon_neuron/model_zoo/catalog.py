"""The models' names, where each comes from, and the size of its images."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from ..preprocessing import Preprocessing

VISION = (
    *(f"resnet{depth}_v{version}" for version in (1, 2) for depth in (18, 34, 50, 101, 152)),
    *(f"vgg{depth}{norm}" for norm in ("", "_bn") for depth in (11, 13, 16, 19)),
    "alexnet",
    *(f"densenet{depth}" for depth in (121, 161, 169, 201)),
    *("squeezenet1.0", "squeezenet1.1"),
    "inceptionv3",
    *(f"mobilenet{width}" for width in ("1.0", "0.75", "0.5", "0.25")),
    *(f"mobilenetv2_{width}" for width in ("1.0", "0.75", "0.5", "0.25")),
)
"""The names of `mxnet.gluon.model_zoo.vision`."""

_DEFAULT = (224, 224)
# The first pattern that fits a name decides: height and width of the images that the model was made for.
_SIZES: tuple[tuple[str, tuple[int, int]], ...] = (
    (r"ssd_300", (300, 300)),
    (r"ssd_512|center_net", (512, 512)),
    (r"yolo3", (416, 416)),
    (r"faster_rcnn|mask_rcnn|custom_", (600, 800)),
    (r"fcn|psp|deeplab|icnet|fastscnn|danet", (480, 480)),
    (r"pose", (256, 192)),
    (r"cifar", (32, 32)),
    (r"inception|xception|googlenet", (299, 299)),
    (r"nasnet", (331, 331)),
)


def names() -> tuple[str, ...]:
    """All names that `get_model` knows here: Gluon's vision zoo, and GluonCV's models when it is installed."""
    return (*VISION, *sorted(set(gluoncv_models()) - set(VISION)))


def gluoncv_models() -> dict[str, Any]:
    """GluonCV's functions by name; empty when it cannot be imported."""
    try:
        from gluoncv.model_zoo.model_zoo import _models
    except ImportError:
        return {}
    return dict(_models)


def why_no_gluoncv() -> str:
    """A sentence that says why GluonCV's models are not there, and what to do; empty where they are."""
    if find_spec("gluoncv") is None:
        return (
            "GluonCV is not installed; its models need the extra gluoncv: pip install '.[mxnet,gluoncv]' in a clone of "
            "gluon_neuron, or pip install gluoncv==0.10.5.post0."
        )
    try:
        from gluoncv.model_zoo import model_zoo  # noqa: F401
    except ImportError as error:
        # GluonCV itself says then that MXNet is missing.
        lacks = find_spec("distutils") is None
        needs = ": it needs distutils, which Python had until 3.11: pip install setuptools" if lacks else ""
        return f"GluonCV is installed and cannot be imported ({error}){needs}."
    return ""


def preprocessing_of(name: str) -> Preprocessing | None:
    """How images are prepared for the model of this name; None where the zoo does it in another way for each task."""
    return Preprocessing() if name.lower() in VISION else None


def image_size_of(name: str) -> tuple[int, int]:
    """Height and width of the images that the model of this name was made for."""
    return next((size for pattern, size in _SIZES if re.search(pattern, name)), _DEFAULT)
