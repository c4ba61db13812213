"""GluonCV's detectors, segmentation, pose and classification: equal to MXNet, detections box by box."""

import mxnet as mx
import pytest

import gluon_neuron
from tests.models.detection import distinct_images, model, same_boxes
from tests.models.zoo import agree_by_row, images, state

# GluonCV's feature extractors are SymbolBlocks, which say so when they are built without a dtype.
pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore:Cannot decide type")]

SSD = "ssd_512_resnet50_v1_coco"
YOLO = "yolo3_darknet53_coco"
FASTER_RCNN = "faster_rcnn_resnet50_v1b_coco"

# What stays in MXNet besides non-maximum suppression is what cuts its result into ids, scores and corners.
NMS = "_contrib_box_nms"
OUTSIDE = {
    SSD: {NMS: 1, "slice_axis": 4},
    YOLO: {NMS: 1, "slice_axis": 4},
    FASTER_RCNN: {NMS: 2, "Reshape": 1, "stack": 1, "slice_axis": 3},
}


def outside(compiled):
    """How many operators of each kind stay in MXNet."""
    ops = [o.op for o in compiled.report.outside]
    return {op: ops.count(op) for op in ops}


def compare_outputs(name, height, width, batches, **options):
    net = model(name, height, width, **options)
    before = state(net)
    compiled = gluon_neuron.compile(net, images(name, 1, height, width))
    assert outside(compiled) == {}, str(compiled.report)
    for seed, batch in enumerate(batches):
        x = images(name, batch, height, width, seed=seed)
        found, expected = compiled(x), net(x)
        if not isinstance(expected, list | tuple):
            found, expected = [found], [expected]
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            agree_by_row(a, b)
    assert state(net) == before


def compare_boxes(name, height, width, batches, margin, **options):
    net = model(name, height, width, **options)
    before = state(net)
    compiled = gluon_neuron.compile(net, images(name, 1, height, width))
    assert outside(compiled) == OUTSIDE[name], str(compiled.report)
    assert compiled.report.flops_share > 0.99
    for seed, batch in enumerate(batches):
        x = distinct_images(net, name, batch, height, width, margin, seed=10_000 * seed)
        same_boxes(compiled(x), net(x))
    assert state(net) == before


def test_mobilenetv3():
    compare_outputs("mobilenetv3_large", 224, 224, (1, 1, 3))


def test_simple_pose():
    compare_outputs("simple_pose_resnet18_v1b", 256, 192, (1, 1, 3))


@pytest.mark.slow
def test_fcn():
    compare_outputs("fcn_resnet50_ade", 480, 480, (1, 1, 8), batch=2)


def test_ssd_with_images_of_another_size():
    compare_boxes(SSD, 256, 320, (1, 1, 2), margin=5e-5)


@pytest.mark.slow
def test_ssd():
    compare_boxes(SSD, 512, 512, (1, 1, 8), margin=5e-5)


@pytest.mark.slow
def test_yolo3():
    compare_boxes(YOLO, 416, 416, (1, 1, 8), margin=5e-5)


@pytest.mark.slow
def test_faster_rcnn():
    # Outside training, GluonCV's Faster R-CNN takes one image at a time, in MXNet as well.
    with pytest.raises(mx.base.MXNetError, match="Incompatible input shape"):
        model(FASTER_RCNN, 320, 480, batch=8)
    compare_boxes(FASTER_RCNN, 320, 480, (1, 1), margin=5e-5, batch=1)
