"""Whole models, exported: load() and SymbolBlock.imports give the same numbers in a fresh process."""

import mxnet as mx
import pytest

import gluon_neuron
from tests.agreement import agree
from tests.models import detection
from tests.models.test_vision_zoo import build
from tests.models.zoo import images
from tests.nets import run_python

pytestmark = pytest.mark.models

RUN_ELSEWHERE = """
    import sys
    import mxnet as mx, numpy as np
    import gluon_neuron

    path = sys.argv[1]
    x = mx.nd.load(path + "-images")[0]
    loaded = gluon_neuron.load(path)
    imported = mx.gluon.SymbolBlock.imports(path + "-symbol.json", list(loaded.input_names), path + "-0000.params")
    for name, block in (("loaded", loaded), ("imported", imported)):
        outputs = block(x)
        mx.nd.save(path + "-" + name, list(outputs) if isinstance(outputs, list | tuple) else [outputs])
    print(loaded.report.compiled_operators, len(loaded.report.outside))
"""


def export_and_compare(net, x, path):
    compiled = gluon_neuron.compile(net, x)
    expected = compiled(x)
    expected = list(expected) if isinstance(expected, list | tuple) else [expected]
    compiled.export(path)
    mx.nd.save(f"{path}-images", [x])
    report = run_python(RUN_ELSEWHERE, path)
    assert report.split()[-2:] == [str(compiled.report.compiled_operators), str(len(compiled.report.outside))]
    for name in ("loaded", "imported"):
        found = mx.nd.load(f"{path}-{name}")
        assert len(found) == len(expected)
        for a, b in zip(found, expected):
            agree(a, b)


def test_mobilenet(tmp_path):
    net, size = build("mobilenet0.25")
    export_and_compare(net, images("mobilenet0.25", 2, size), tmp_path / "mobilenet")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Cannot decide type")
def test_ssd(tmp_path):
    net = detection.model("ssd_512_resnet50_v1_coco", 256, 256)
    export_and_compare(net, images("ssd", 1, 256), tmp_path / "ssd")
