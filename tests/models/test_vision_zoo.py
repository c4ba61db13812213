"""Every model of Gluon's vision zoo: compiled nearly whole, and equal to MXNet for one image and for eight."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon.model_zoo import vision

import gluon_neuron
from tests.agreement import agree
from tests.models.zoo import ATOL, Head, agree_by_row, images, last_layer, state, with_weights

# Small or quick, and together of every kind of layer that the zoo has.
QUICK = ("alexnet", "mobilenet0.25", "mobilenetv2_0.25", "resnet18_v1", "resnet18_v2", "squeezenet1.1")
NAMES = (
    *(f"resnet{depth}_v{version}" for version in (1, 2) for depth in (18, 34, 50, 101, 152)),
    *(f"vgg{depth}{norm}" for norm in ("", "_bn") for depth in (11, 13, 16, 19)),
    *(f"densenet{depth}" for depth in (121, 161, 169, 201)),
    *(f"mobilenet{width}" for width in ("0.25", "0.5", "0.75", "1.0")),
    *(f"mobilenetv2_{width}" for width in ("0.25", "0.5", "0.75", "1.0")),
    *("squeezenet1.0", "squeezenet1.1", "alexnet", "inceptionv3"),
)
CASES = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in NAMES]

pytestmark = pytest.mark.models


def build(name):
    """The net, and the side of its images."""
    size = 299 if name.startswith("inception") else 224
    net = vision.get_model(name)
    sample = images(name, 4, size, seed=1000)
    net.infer_shape(sample)
    return with_weights(net, sample, [Head([last_layer(net)])]), size


def test_names_are_all_there_are():
    assert len(NAMES) == len(set(NAMES)) == 34
    with pytest.raises(ValueError) as error:
        vision.get_model("no such model")
    assert set(str(error.value).split("\n\t")[1:]) == set(NAMES)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_mxnet(name):
    net, size = build(name)
    batches = [images(name, batch, size, seed=seed) for seed, batch in enumerate((1, 1, 1, 8, 8))]
    before = state(net)
    expected = [net(x) for x in batches]
    # Half of the models have a program for eight compiled beforehand, half get it when they first see eight.
    beforehand = NAMES.index(name) % 2 == 0
    compiled = gluon_neuron.compile(net, batches[0], batch_sizes=[8] if beforehand else [])
    assert compiled.engine == "openvino" and len(compiled.report.outside) <= 1, str(compiled.report)
    for x, wanted in zip(batches, expected):
        agree_by_row(compiled(x), wanted)
    # Else agreement would say little: the images must matter.
    among = np.concatenate([e.asnumpy() for e in expected])
    assert among.std(0).mean() > 20 * ATOL and len(set(among.argmax(1))) > 1

    assert state(net) == before
    agree(net(batches[0]), expected[0])
    for param in net.collect_params().values():
        assert compiled.collect_params()[param.name] is param


def test_given_block_keeps_its_hybridization():
    net, size = build("mobilenet0.25")
    net.hybridize(static_alloc=True)
    x = images("mobilenet0.25", 1, size)
    expected = net(x)
    compiled = gluon_neuron.compile(net, mx.nd.zeros_like(x))
    assert net._active
    agree_by_row(compiled(x), expected)
    agree(net(x), expected)
