"""What a shell completes: the zoos' names and files' prefixes, without MXNet."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gluon_neuron.model_zoo.catalog import VISION
from gluon_neuron.model_zoo.gluoncv_names import GLUONCV
from gluon_neuron.tools.zoo_completion import models, prefixes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    for name in ("resnet-mine-symbol.json", "out/net-symbol.json", "out/resnet18-symbol.json", "other.txt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_are_gluoncvs():
    from gluoncv.model_zoo.model_zoo import _models

    assert tuple(sorted(_models)) == GLUONCV


def test_models(folder):
    assert models("resnet-") == ["resnet-mine"]
    assert models("resnet18_v1")[:2] == ["resnet18_v1", "resnet18_v1b"]
    assert models("ResNet18_v2") == ["resnet18_v2"]
    assert models("ssd_512_r")[0] == "ssd_512_resnet101_v2_voc"
    assert {*VISION, *GLUONCV, "resnet-mine", f"out{os.sep}"} == {*models("")}
    assert models("out/") == prefixes("out/") == ["out/net", "out/resnet18"]
    assert models("out/re") == ["out/resnet18"] and models("[") == models("none/") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("compile resn", "resnet50_v1"),
        ("run mobilenet0", "mobilenet0.25"),
        ("benchmark ssd_512", "ssd_512_resnet50_v1_coco"),
        ("inspect out/n", "out/net"),
    ],
)
def test_a_shell_is_answered(folder, line, expected):
    # As the functions that --install-completion writes ask.
    words = ["gluon-neuron", *line.split()]
    asked = {
        "_GLUON_NEURON_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    code = (
        "import sys\n"
        "from gluon_neuron.tools.cli import main\n"
        "status = main([])\n"
        "assert not {'mxnet', 'openvino', 'jax', 'gluoncv'} & set(sys.modules), 'slow'\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **asked}, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout.split()
