"""The one-liners: every name, sizes, weights, and errors with the nearest name."""

from __future__ import annotations

import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron import model_zoo
from gluon_neuron.errors import OptionError
from gluon_neuron.model_zoo import catalog
from gluon_neuron.model_zoo.catalog import VISION, image_size_of
from tests.agreement import agree


def test_names_are_those_of_the_vision_zoo():
    assert len(VISION) == len(set(VISION)) == 34
    for name in VISION:
        mx.gluon.model_zoo.vision.get_model(name)
    assert set(VISION) <= set(model_zoo.names())
    assert "ssd_512_resnet50_v1_coco" in model_zoo.names()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("resnet50_v1", (224, 224)),
        ("inceptionv3", (299, 299)),
        ("ssd_300_vgg16_atrous_voc", (300, 300)),
        ("yolo3_darknet53_coco", (416, 416)),
        ("faster_rcnn_resnet50_v1b_coco", (600, 800)),
        ("fcn_resnet50_ade", (480, 480)),
        ("simple_pose_resnet18_v1b", (256, 192)),
        ("cifar_resnet20_v1", (32, 32)),
    ],
)
def test_sizes(name, size):
    assert image_size_of(name) == size


@pytest.mark.parametrize("batch", [1, 3])
def test_get_model(batch):
    net = model_zoo.get_model("mobilenet0.25", batch_size=batch, model_options={"classes": 7})
    assert isinstance(net, gluon_neuron.NeuronHybridBlock)
    assert net.report.operator_share == 1
    out = net(mx.nd.random.uniform(shape=(batch, 3, 224, 224))).asnumpy()
    assert out.shape == (batch, 7)
    assert np.isfinite(out).all()
    assert out.std() > 1e-4


def test_classes_and_preprocessing():
    before = gluon_neuron.Preprocessing(size=32)
    asked = {"image_size": 32, "dynamic": False, "model_options": {"classes": 2}}
    net = model_zoo.get_model("mobilenet0.25", **asked, classes=["cat", "dog"], preprocessing=before)
    assert (net.classes, net.preprocessing) == (("cat", "dog"), before)
    net = model_zoo.get_model("mobilenet0.25", **asked)
    assert (net.classes, net.preprocessing) == ((), gluon_neuron.Preprocessing())


def test_size_and_options():
    net = model_zoo.get_model("MobileNet0.25", image_size=(64, 96), auto_cast="matmult")
    assert net(mx.nd.ones((1, 3, 64, 96))).shape == (1, 1000)


def test_names_need_no_mxnet():
    code = (
        "import sys\n"
        "from gluon_neuron import model_zoo\n"
        "from gluon_neuron.model_zoo.catalog import VISION\n"
        "assert 'get_model' in dir(model_zoo) and VISION\n"
        "assert 'mxnet' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_gluoncv_model():
    net = model_zoo.get_model("cifar_resnet20_v1")
    assert net(mx.nd.ones((1, 3, 32, 32))).shape == (1, 10)


@pytest.mark.parametrize("name", ["resnet18_v1", "densenet121", "squeezenet1.0", "vgg11"])
def test_random_weights_keep_a_moderate_size(name):
    net = model_zoo.get_network(name)
    out = net(mx.nd.random.uniform(-1, 1, (1, 3, 224, 224))).asnumpy()
    assert 1e-4 < np.abs(out).max() < 1e3


def test_seed_makes_weights_repeatable():
    found = []
    for _ in range(2):
        mx.random.seed(3)
        found.append(model_zoo.get_network("mobilenet0.25")(mx.nd.ones((1, 3, 32, 32))).asnumpy())
    agree(*found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet5_v1"}, "'resnet50_v1'"),
        ({"name": 50}, "no model 50"),
        ({"name": "alexnet", "batch_size": 0}, "batch_size must be a positive integer"),
        ({"name": "alexnet", "image_size": (1, 2, 3)}, "image_size"),
        ({"name": "mobilenet0.25", "auto_kast": "all"}, "'auto_cast'"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(OptionError, match=message):
        model_zoo.get_model(**arguments)


def test_without_gluoncv(monkeypatch):
    monkeypatch.setattr("gluon_neuron.model_zoo.catalog.gluoncv_models", dict)
    monkeypatch.setattr("gluon_neuron.model_zoo.zoo.gluoncv_models", dict)
    monkeypatch.setitem(sys.modules, "gluoncv", None)
    for name in [n for n in sys.modules if n.startswith("gluoncv.")]:
        monkeypatch.delitem(sys.modules, name)
    assert model_zoo.names() == VISION
    with pytest.raises(OptionError, match=r"is a model of GluonCV's.*extra gluoncv: pip install '.\[mxnet,gluoncv\]'"):
        model_zoo.get_model("ssd_512_resnet50_v1_coco")
    with pytest.raises(OptionError, match="no model 'resnet5_v1'.*GluonCV is not installed"):
        model_zoo.get_model("resnet5_v1")


@pytest.mark.parametrize("lacks", [False, True])
def test_a_gluoncv_that_cannot_be_imported(monkeypatch, tmp_path, lacks):
    for name in [n for n in sys.modules if n.split(".")[0] == "gluoncv"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "gluoncv").mkdir()
    (tmp_path / "gluoncv" / "__init__.py").write_text("raise ImportError('no mxnet')")
    monkeypatch.syspath_prepend(tmp_path)
    find = catalog.find_spec
    monkeypatch.setattr(catalog, "find_spec", lambda n: None if lacks and n == "distutils" else find(n) or True)
    with pytest.raises(OptionError, match=r"GluonCV is installed and cannot be imported \(no mxnet\)") as caught:
        model_zoo.get_model("ssd_512_resnet50_v1_coco")
    assert ("pip install setuptools" in str(caught.value)) is lacks
