"""Two halves of different exports are no model, however they are loaded; and the ways to name a model's files."""

import json
import os
import signal
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import ArtifactMismatchError
from gluon_neuron.runtime.front_end import front_end

X = np.arange(12, dtype="float32").reshape(2, 6)


def compiled(factor, seed=1, prefix="k_"):
    """A net whose last operator, which stays outside, multiplies by the factor."""
    mx.random.seed(seed)
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Dense(8, in_units=6, activation="relu"), nn.Dense(4, in_units=8))
        net.add(nn.HybridLambda(lambda F, x: x * factor))
    net.initialize(mx.init.Xavier())
    x = mx.nd.array(X)
    net(x)
    return gluon_neuron.compile(net, x, exclude_operators=["_mul_scalar"])


@pytest.fixture(scope="module")
def nets():
    return [compiled(2, 1), compiled(3, 2)]


@pytest.fixture
def pair(nets, tmp_path):
    """The symbol of one net and the parameters of the other."""
    nets[0].export(tmp_path / "a")
    nets[1].export(tmp_path / "b")
    os.replace(tmp_path / "a-symbol.json", tmp_path / "b-symbol.json")
    return tmp_path / "b"


def imports(prefix):
    return mx.gluon.SymbolBlock.imports(f"{prefix}-symbol.json", ["data"], f"{prefix}-0000.params")


def by_name(prefix):
    return mx.gluon.SymbolBlock.imports(
        symbol_file=f"{prefix}-symbol.json", input_names=["data"], param_file=f"{prefix}-0000.params"
    )


LOADERS = [
    gluon_neuron.load,
    imports,
    by_name,
    lambda p: mx.model.load_checkpoint(str(p), 0),
    lambda p: mx.mod.Module.load(str(p), 0),
    lambda p: mx.model.FeedForward.load(str(p), 0),
]


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.filterwarnings("ignore")
def test_a_mixed_pair_is_refused(pair, load):
    with pytest.raises(ArtifactMismatchError, match=r"two exports of different models.*Export the model again"):
        load(pair)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.filterwarnings("ignore")
def test_pairs_of_one_export_load(nets, tmp_path, load):
    nets[1].export(tmp_path / "a")
    load(tmp_path / "a")


def test_a_process_that_is_killed_between_the_renames(nets, tmp_path):
    nets[0].export(tmp_path / "m")
    mx.nd.waitall()
    child = os.fork()
    if child == 0:
        replace, done = os.replace, []

        def dying(source, target):
            if done:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(replace(source, target))

        os.replace = dying
        nets[1].export(tmp_path / "m")
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    with pytest.raises(ArtifactMismatchError):
        gluon_neuron.load(tmp_path / "m")
    nets[1].export(tmp_path / "m")
    assert sorted(os.listdir(tmp_path)) == ["m-0000.params", "m-symbol.json"]
    assert np.array_equal(
        gluon_neuron.load(tmp_path / "m")(mx.nd.array(X)).asnumpy(), nets[1](mx.nd.array(X)).asnumpy()
    )


def test_epochs_of_one_net_share_a_symbol(nets, tmp_path):
    for epoch in range(3):
        nets[0].export(tmp_path / "m", epoch)
    again = compiled(2, 5)
    again.export(tmp_path / "m", 7)  # the same net, trained further and compiled again
    for epoch in (0, 2, 7):
        gluon_neuron.load(tmp_path / "m", epoch)


def test_what_was_written_otherwise_fits_every_symbol(nets, pair):
    arrays = mx.nd.load(f"{pair}-0000.params")
    mx.nd.save(f"{pair}-0000.params", arrays)  # zeros in the place of the identity, as in files of earlier releases
    gluon_neuron.load(pair)
    found = json.loads(Path(f"{pair}-symbol.json").read_text())
    for node in found["nodes"]:
        node.get("attrs", {}).pop("__gluon_neuron__", None)
    Path(f"{pair}-symbol.json").write_text(json.dumps(found))
    nets[1].export(pair.with_name("c"))
    os.replace(pair.with_name("c-0000.params"), f"{pair}-0000.params")
    imports(pair)


def test_a_symbol_that_mxnet_wrote_again_still_fits(nets, tmp_path):
    nets[0].export(tmp_path / "m")
    mx.sym.load(str(tmp_path / "m-symbol.json")).save(str(tmp_path / "m-symbol.json"))
    gluon_neuron.load(tmp_path / "m")
    imports(tmp_path / "m")


def test_np_arrays(tmp_path):
    with front_end(True):
        x = mx.np.ones((2, 6))
        for name, factor in (("a", 2.0), ("b", 3.0)):
            net = nn.HybridSequential(prefix="n_")
            with net.name_scope():
                net.add(nn.Dense(4, in_units=6), nn.HybridLambda(lambda F, x, factor=factor: x * factor))
            net.initialize()
            net(x)
            compiled = gluon_neuron.compile(net, x, exclude_operators=["_npi_multiply_scalar"])
            compiled.export(tmp_path / name)
            found = gluon_neuron.load(tmp_path / name)(x)
            assert np.array_equal(found.asnumpy(), compiled(x).asnumpy())
        os.replace(tmp_path / "a-symbol.json", tmp_path / "b-symbol.json")
        for load in (gluon_neuron.load, imports):
            with pytest.raises(ArtifactMismatchError):
                load(tmp_path / "b")


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_names_of_a_model(nets, tmp_path, kind):
    nets[0].export(tmp_path / "m")
    want = nets[0](mx.nd.array(X)).asnumpy()
    for name in ("m", "m-symbol.json", "m-0000.params"):
        path = kind(tmp_path / name) if kind is not os.fsencode else str(tmp_path / name)
        assert np.array_equal(gluon_neuron.load(path)(mx.nd.array(X)).asnumpy(), want)


def test_the_only_epoch_is_found_and_others_are_asked_for(nets, tmp_path):
    nets[0].export(tmp_path / "m", 3)
    gluon_neuron.load(tmp_path / "m-symbol.json")
    gluon_neuron.load(tmp_path / "m")
    with pytest.raises(FileNotFoundError, match=r"no m-0001\.params in .*m-symbol\.json, m-0003\.params"):
        gluon_neuron.load(tmp_path / "m", 1)
    with pytest.raises(FileNotFoundError, match=r"no m-0000\.params"):
        gluon_neuron.load(tmp_path / "m", 0)
    nets[0].export(tmp_path / "m", 12345)
    gluon_neuron.load(tmp_path / "m-12345.params")
    with pytest.raises(FileNotFoundError, match=r"m-0003\.params, m-12345\.params"):
        gluon_neuron.load(tmp_path / "m")


@pytest.mark.parametrize("name", ["none", "none-symbol.json", "none-0004.params", "no/folder", "."])
def test_nothing_of_that_name(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="there is: nothing"):
        gluon_neuron.load(tmp_path / name)


def test_a_name_that_ends_as_a_file_does(nets, tmp_path):
    nets[0].export(tmp_path / "m-0001.params")
    gluon_neuron.load(tmp_path / "m-0001.params")


def test_parameters_are_saved_whole(nets, tmp_path, monkeypatch):
    place = tmp_path / "p.params"
    nets[0].save_parameters(place)
    before = place.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        nets[1].save_parameters(place)
    assert place.read_bytes() == before
    assert os.listdir(tmp_path) == ["p.params"]


def test_exports_at_the_same_time(nets, tmp_path):
    """Two processes write one name again and again: what is there loads as one of them, or is refused."""
    children = []
    mx.nd.waitall()
    for net in nets:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            status = 1
            try:
                for _ in range(15):
                    net.export(tmp_path / "m")
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    want = [net(mx.nd.array(X)).asnumpy() for net in nets]
    seen = 0
    while len(children):
        children = [c for c in children if os.waitpid(c, os.WNOHANG) == (0, 0)]
        try:
            found = gluon_neuron.load(tmp_path / "m")(mx.nd.array(X)).asnumpy()
        except (FileNotFoundError, ArtifactMismatchError):
            continue
        seen += 1
        assert any(np.allclose(found, w, atol=1e-5) for w in want)
    assert seen
    assert sorted(os.listdir(tmp_path)) == ["m-0000.params", "m-symbol.json"]
