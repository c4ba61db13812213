"""GluonCV's models with weights that find many things, each with a score of its own; and how boxes are compared."""

from __future__ import annotations

from typing import Any

import gluoncv
import mxnet as mx
import numpy as np

from tests.agreement import agree

from .zoo import Head, images, last_layer, with_weights

CLASSES = 80
"""The classes of the COCO models."""

# Softmax over background and classes: most of what is seen is background, the best of the rest reach 0.9.
_SOFTMAX = {"mean": [9.0] + [0.0] * CLASSES, "deviation": 2.0}
_SOFTMAX_OF_REGIONS = {"mean": [13.0] + [0.0] * CLASSES, "deviation": 4.0}
# Sigmoids, box by box: x, y, width, height, whether there is anything, and what.
_YOLO = {"mean": [0.0] * 4 + [-1.0] + [-4.0] * CLASSES, "deviation": [1.0, 1.0, 0.3, 0.3] + [1.5] * (1 + CLASSES)}


def model(name: str, height: int, width: int | None = None, batch: int = 4, **options: Any) -> Any:
    """A model of GluonCV by name, its weights set for images of this size, `batch` of which are looked at."""
    if not name.startswith("mobilenet"):
        options["pretrained_base"] = False
    net = gluoncv.model_zoo.get_model(name, pretrained=False, **options)
    return with_weights(net, images(name, batch, height, width, seed=1000), heads(name, net))


def heads(name: str, net: Any) -> list[Head]:
    """The layers of a model of GluonCV that decide what comes out of it."""
    if name.startswith("ssd"):
        classes = [p.predictor for p in net.class_predictors]
        return [Head(classes, **_SOFTMAX), Head([p.predictor for p in net.box_predictors], 0, 1)]
    if name.startswith("yolo3"):
        return [Head([o.prediction for o in net.yolo_outputs], **_YOLO)]
    if name.startswith("faster_rcnn"):
        # Proposals hardly leave their anchors: what is cut to the border of the image has no features, and there would
        # be many of the same score.
        proposals = [Head([net.rpn.score], 0, 2), Head([net.rpn.loc], 0, 0.1)]
        return [*proposals, Head([net.class_predictor], **_SOFTMAX_OF_REGIONS), Head([net.box_predictor], 0, 1)]
    if name.startswith("fcn"):
        return [Head([h.block[-1]], 0, 1) for h in (net.head, net.auxlayer)]
    if name.startswith("simple_pose"):
        return [Head([net.final_layer], 0, 1)]
    return [Head([last_layer(net)], 0, 0.2)]


def boxes(result: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ids (batch, boxes), scores (batch, boxes) and corners (batch, boxes, 4) of a detection."""
    ids, scores, corners = (a.asnumpy() for a in result)
    return ids[..., 0], scores[..., 0], corners


def distinct_images(
    net: Any, name: str, batch: int, height: int, width: int, margin: float, seed: int
) -> mx.nd.NDArray:
    """Images in which the net finds no two neighbouring boxes with nearly the same score.

    The order of two scores that differ by less than a rounding error is nobody's to promise: it depends on the
    processor. `margin` is the relative difference that must be there; the net is asked, not its compiled form.
    """
    kept: list[mx.nd.NDArray] = []
    for number in range(seed, seed + 20 * batch):
        image = images(name, 1, height, width, seed=number)
        if closest(net(image)) > margin:
            kept.append(image)
        if len(kept) == batch:
            return mx.nd.concat(*kept, dim=0)
    raise AssertionError(f"{name} finds boxes with nearly the same score in {number - seed} images.")


def closest(result: Any) -> float:
    """The least relative difference of the scores of two valid boxes that follow each other and are of one order."""
    ids, scores, _ = boxes(result)
    least = np.inf
    for row, score in zip(ids, scores):
        order = np.flatnonzero(row >= 0)
        gaps = -np.diff(np.log(score[order].astype(np.float64)))
        # Faster R-CNN sorts within each class; the others over all.
        within = gaps if (gaps >= 0).all() else gaps[np.diff(row[order]) == 0]
        least = min(least, within.min(initial=np.inf))
    return float(least)


def same_boxes(found: Any, expected: Any, at_least: int = 50) -> None:
    """Assert that two detections are the same boxes in the same order, at least so many in each image."""
    (ids, scores, corners), (true_ids, true_scores, true_corners) = boxes(found), boxes(expected)
    valid = true_ids >= 0
    assert valid.sum(1).min() >= at_least, f"only {valid.sum(1)} boxes: there is too little to compare"
    assert len(np.unique(true_ids[valid])) >= 10, "nearly everything is of the same class"
    assert np.ptp(true_scores[valid]) > 0.1, "all scores are nearly the same"
    agree(ids, true_ids)
    agree(scores, true_scores, rtol=1e-3, atol=1e-4)
    # Corners are in pixels, and come from widths of hundreds of them.
    agree(corners[valid], true_corners[valid], rtol=1e-3, atol=1e-2)
