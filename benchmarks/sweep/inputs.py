"""Builds a model by its name, without weights from anywhere, and says what it is called with."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any
from unittest import mock

import mxnet as mx
import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Rule:
    """What models whose names fit a pattern are for, the options that make them, and the shapes of their inputs.

    `sizes` may be a function of the net. Without any, it is (3, *net.in_size), or 224 x 224 where nets do not say.
    `few` are attributes by path that make the work less, such as the number of proposals; `spread` is the
    deviation that the outputs of layers are to have, by the attributes that hold the layers, in the order of the graph;
    `batch` is 1 where nets do not need more.
    """

    pattern: str
    kind: str
    sizes: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    few: Mapping[str, Any] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    batch: int = 1


def _slow_and_fast(net: Any) -> list[Shape]:
    return [(3, net.fast_frames + net.slow_frames, 112, 112)]


_MINE = {"classes": ["cat", "dog", "bird"]}
_UNTRAINED = {"use_kinetics_pretrain": False}
_CROP = {"crop_size": 240, "base_size": 260}
_CITY = {"in_size": (256, 512), "fixed_size": True}
# Proposals that leave their anchors would be cut to the border of the image, many of them to the same box.
_ANCHORED = {"loc": 0.1, "score": 2.0, "class_predictor": 4.0, "box_predictor": 1.0}
_NO_FILE = "no weights"
_PROPOSALS = {"_rpn_test_post_nms": 40, "rpn._test_post_nms": 40, "_rcnn_max_dets": 60}

# The first pattern that fits a name decides.
_GLUONCV = (
    Rule(r"ssd_300.*_int8", "quantized", [(3, 300, 300)]),
    Rule(r"ssd_512.*_int8", "quantized", [(3, 512, 512)]),
    Rule(r"(fcn|psp|deeplab).*_int8", "quantized", [(3, 480, 480)]),
    Rule(r"simple_pose.*_int8", "quantized", [(3, 256, 192)]),
    Rule(r"inceptionv3.*_int8", "quantized", [(3, 299, 299)]),
    Rule(r"_int8", "quantized", [(3, 224, 224)]),
    Rule(r"^ssd_300.*custom", "detection", [(3, 300, 300)], _MINE),
    Rule(r"^ssd_512_vgg.*custom", "detection", [(3, 512, 512)], _MINE),
    Rule(r"^ssd_512.*custom", "detection", [(3, 256, 320)], _MINE),
    Rule(r"^yolo3.*custom", "detection", [(3, 224, 288)], _MINE),
    Rule(r"rcnn.*custom|custom.*rcnn", "detection", [(3, 256, 320)], _MINE, _PROPOSALS, _ANCHORED),
    Rule(r"^ssd_300", "detection", [(3, 300, 300)]),
    Rule(r"^ssd_512_vgg", "detection", [(3, 512, 512)]),
    Rule(r"^ssd_512", "detection", [(3, 256, 320)]),
    Rule(r"^yolo3", "detection", [(3, 224, 288)]),
    Rule(r"^center_net", "detection", [(3, 256, 256)]),
    Rule(r"rcnn", "detection", [(3, 256, 320)], few=_PROPOSALS, spread=_ANCHORED),
    Rule(r"^fastscnn", "segmentation", [(3, 256, 256)], {"crop_size": 256, "base_size": 280}),
    Rule(r"^(fcn|psp|deeplab|icnet|danet)", "segmentation", [(3, 240, 240)], _CROP),
    Rule(r"^hrnet.*_s$", "segmentation", [(3, 256, 256)]),
    Rule(r"pose", "pose", [(3, 256, 192)]),
    Rule(r"^siamrpn", "tracking", [(3, 127, 127), (3, 287, 287)]),
    Rule(r"^monodepth2.*posenet", "depth", [(6, 192, 640)]),
    Rule(r"^monodepth2", "depth", [(3, 192, 640)]),
    Rule(r"^slowfast.*custom", "video", _slow_and_fast, _UNTRAINED),
    Rule(r"^slowfast", "video", _slow_and_fast),
    Rule(r"^i3d_resnet.*(custom|ucf101|hmdb51)", "video", [(3, 32, 112, 112)], _UNTRAINED),
    Rule(r"^i3d_inceptionv3", "video", [(3, 32, 299, 299)]),
    Rule(r"^i3d_inceptionv1", "video", [(3, 32, 224, 224)]),
    Rule(r"^i3d_", "video", [(3, 32, 112, 112)]),
    Rule(r"^(c3d|r2plus1d)", "video", [(3, 16, 112, 112)]),
    Rule(r"^p3d", "video", [(3, 16, 160, 160)]),
    Rule(r"^inceptionv3_\w", "video", [(3, 299, 299)]),
    Rule(r"_(ucf101|hmdb51|kinetics400|sthsthv2)$", "video", [(3, 224, 224)]),
    Rule(r"_custom$", "video", [(3, 224, 224)], _UNTRAINED),
    Rule(r"^cifar", "classification", [(3, 32, 32)]),
    Rule(r"^(inceptionv3|xception)", "classification", [(3, 299, 299)]),
    Rule(r"^nasnet", "classification", [(3, 224, 224)]),
    Rule(r"", "classification"),
)

_GLUONCV2 = (
    Rule(r"^jasperdr", "audio", [(64, 160), ()], {"from_audio": False}),
    Rule(r"^(jasper|quartznet)", "audio", [(64, 160), ()], {"from_audio": False}),
    Rule(r"^visemenet", "audio", [(8, 195), (76,)], batch=34),
    Rule(r"^voca", "audio", [(1, 16, 29), ()]),
    Rule(r"^nvpattexp", "audio", [(8, 16, 29), ()]),
    Rule(r"^superpointnet", "keypoints", [(1, 96, 128)], {"in_size": (96, 128)}),
    Rule(r"^lffd", "detection", [(3, 240, 320)]),
    Rule(r"^centernet", "detection", [(3, 256, 256)], {"in_size": (256, 256)}),
    Rule(r"^(cgnet|dabnet|sinet|fastscnn|fpenet|lednet|bisenet)", "segmentation", [(3, 256, 512)], _CITY),
    Rule(r"^(fcn8sd|pspnet|deeplab|icnet|danet)", "segmentation", [(3, 240, 240)], {"in_size": (240, 240)}),
    Rule(r"pose", "pose"),
    Rule(r"", "classification"),
)


def rule_of(package: str, name: str) -> Rule:
    """The rule for a model."""
    rules = _GLUONCV2 if package == "gluoncv2" else _GLUONCV
    return next(r for r in rules if re.search(r.pattern, name))


def build(package: str, name: str) -> Any:
    """The model itself, not initialized."""
    rule = rule_of(package, name)
    if package == "vision":
        return mx.gluon.model_zoo.vision.get_model(name, pretrained=False)
    if package == "gluoncv":
        from gluoncv.model_zoo import get_model

        options = {"pretrained": False, **rule.options}
        with _no_weights():
            try:
                net = get_model(name, pretrained_base=False, **options)
            except (TypeError, Warning) as error:
                # Some do not know the option; Darknet raises a warning then.
                if isinstance(error, TypeError) and "pretrained_base" not in str(error):
                    raise
                net = get_model(name, **options)
    else:
        from gluoncv2.model_provider import get_model

        net = get_model(name, pretrained=False, **rule.options)
    for path, value in rule.few.items():
        owner, _, last = path.rpartition(".")
        setattr(attrgetter(owner)(net) if owner else net, last, value)
    return net


@contextmanager
def _no_weights() -> Iterator[None]:
    """While inside, GluonCV's functions that fetch weights, whatever they are told, get random ones instead."""
    from gluoncv.model_zoo import model_store

    load = mx.gluon.Block.load_parameters

    def load_parameters(block: Any, filename: str, *args: Any, **kwargs: Any) -> None:
        if filename == _NO_FILE:
            block.initialize()
        else:
            load(block, filename, *args, **kwargs)

    with (
        mock.patch.object(model_store, "get_model_file", return_value=_NO_FILE),
        mock.patch.object(mx.gluon.Block, "load_parameters", load_parameters),
        # Many of its functions move the parameters to a context, which MXNet refuses while they have no values.
        mock.patch.object(mx.gluon.Parameter, "reset_ctx"),
    ):
        yield


def shapes(package: str, name: str, net: Any) -> list[Shape]:
    """The shapes of a model's inputs without the batch."""
    sizes = rule_of(package, name).sizes
    if sizes is None:
        size = getattr(net, "in_size", (224, 224))
        return [(getattr(net, "in_channels", 3), *size)]
    return list(sizes(net) if callable(sizes) else sizes)


def sample(name: str, sizes: Sequence[Shape], batch: int, seed: int = 0) -> tuple[mx.nd.NDArray, ...]:
    """Random images with structure in the large and noise in the small, so that no two look alike to a net.

    Inputs without axes are lengths or numbers of persons, one for each of the batch: 7.
    """
    random = np.random.RandomState(zlib.crc32(f"{name} {seed}".encode()))
    return tuple(mx.nd.array(_values(random, (batch, *size)), dtype="float32") for size in sizes)


def _values(random: np.random.RandomState, shape: Shape) -> np.ndarray:
    if len(shape) < 4:
        return random.normal(0, 1, shape) if len(shape) == 3 else np.full(shape, 7.0)
    cell = 16
    *outer, height, width = shape
    coarse = random.normal(0, 1, (*outer, -(-height // cell), -(-width // cell)))
    smooth = coarse.repeat(cell, -2).repeat(cell, -1)[..., :height, :width]
    return smooth + random.normal(0, 0.4, shape)
