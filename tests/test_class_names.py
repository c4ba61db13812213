"""Names of classes: taken from the user or the block, given back by the block and its files."""

from __future__ import annotations

import json

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron import Preprocessing
from gluon_neuron.class_names import LONGEST, MOST, checked_classes, classes_of
from gluon_neuron.errors import InputError

X = mx.nd.ones((1, 3))
TOO_MUCH = (["x" * (LONGEST + 1)], ["x"] * (MOST + 1), ["x" * 999] * 5000)


@pytest.fixture
def net():
    made = nn.HybridSequential(prefix="net_")
    with made.name_scope():
        made.add(nn.Dense(3, in_units=3))
    made.initialize()
    return made


def compiled(net, **options):
    return gluon_neuron.compile(net, X, dynamic=False, **options)


@pytest.mark.parametrize("wrong", ["cat", 3, ["a", 1], {"a": 1}, ["\x1b[2J"], *TOO_MUCH])
def test_what_is_no_list_of_names(net, wrong):
    with pytest.raises(InputError, match="classes must be a list"):
        compiled(net, classes=wrong)
    with pytest.raises(InputError, match="classes must be a list"):
        gluon_neuron.analyze(net, X, classes=wrong)
    made = compiled(net)
    with pytest.raises(InputError, match="classes must be a list"):
        made.classes = wrong
    net.classes = wrong  # the block's own attribute may be anything
    assert classes_of(net) == compiled(net).classes == ()


def test_names_are_kept():
    assert checked_classes(["a", "b"]) == ("a", "b")
    assert checked_classes(None) == ()


def test_the_blocks_own_and_those_that_are_given(net):
    assert compiled(net).classes == ()
    net.classes = ["cat", "dog", "übrige"]
    assert compiled(net).classes == ("cat", "dog", "übrige")
    assert compiled(net, classes=["a", "b", "c"]).classes == ("a", "b", "c")
    assert compiled(net, classes=[]).classes == ()


def test_files_keep_them(net, tmp_path):
    before = Preprocessing(size=8, resize=9)
    made = compiled(net, classes=["a", "b", "c"], preprocessing=before)
    made.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    assert (loaded.classes, loaded.preprocessing) == (("a", "b", "c"), before)
    loaded.classes, loaded.preprocessing = ["x", "y", "z"], None
    loaded.export(tmp_path / "other")
    again = gluon_neuron.load(tmp_path / "other")
    assert (again.classes, again.preprocessing) == (("x", "y", "z"), None)
    assert gluon_neuron.load(tmp_path / "net").classes == ("a", "b", "c")
    assert (again(X).asnumpy() == made(X).asnumpy()).all() and str(again.report) == str(made.report)
    # Compiled again, by other options, from the block or from its symbol.
    assert compiled(again, num_threads=1).classes == ("x", "y", "z")
    sym, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    sym, args, aux = gluon_neuron.compile(sym, {"data": X}, args=args, aux=aux, dynamic=False)
    mx.model.save_checkpoint(str(tmp_path / "third"), 0, sym, args, aux)
    assert gluon_neuron.load(tmp_path / "third").classes == ("a", "b", "c")


@pytest.mark.parametrize("wrong", ["NCHW", {"size": 8}, 224])
def test_what_is_no_preprocessing(net, wrong):
    with pytest.raises(InputError, match="gluon_neuron.Preprocessing"):
        compiled(net, preprocessing=wrong)
    made = compiled(net)
    with pytest.raises(InputError, match="gluon_neuron.Preprocessing"):
        made.preprocessing = wrong


def test_a_strangers_file(net, tmp_path):
    compiled(net, classes=["a", "b", "c"]).export(tmp_path / "net")
    path = tmp_path / "net-symbol.json"
    raw = json.loads(path.read_text())
    (attrs,) = [n["attrs"] for n in raw["nodes"] if "__gluon_neuron__" in n.get("attrs", {})]
    attrs["__gluon_neuron__"] = json.dumps(json.loads(attrs["__gluon_neuron__"]) | {"classes": [1, 2]})
    path.write_text(json.dumps(raw))
    with pytest.raises(gluon_neuron.errors.GraphError, match="damaged metadata.*classes must be a list"):
        gluon_neuron.load(tmp_path / "net")
