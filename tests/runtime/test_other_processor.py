"""A program that was made for more than the processor has is made again where it is loaded, and that is said once."""

import logging

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.artifact.container import unpack
from gluon_neuron.engine import callbacks, native_library
from gluon_neuron.targets.cpu.features import AVX512, VARIABLE
from tests.agreement import agree
from tests.nets import run_python

WIDE = ",".join((*AVX512, "avx2"))


@pytest.fixture
def net():
    """Two products that end in nothing, with rows enough for another form where there is AVX-512."""
    made = nn.HybridSequential()
    made.add(nn.Dense(48, flatten=False), nn.LayerNorm(), nn.Dense(16, flatten=False))
    made.initialize(mx.init.Xavier())
    made(mx.nd.zeros((150, 24)))
    return made


@pytest.fixture
def files(net, tmp_path, monkeypatch):
    """A function that compiles and exports the net on a machine with these features."""

    def make(features, **options):
        monkeypatch.setenv(VARIABLE, features)
        compiled = gluon_neuron.compile(net, mx.nd.zeros((150, 24)), **options)
        compiled.export(str(tmp_path / "net"))
        return str(tmp_path / "net")

    return make


@pytest.fixture(autouse=True)
def heard():
    native_library.functions().gn_set_warning_callback(callbacks._warn)  # forgets what was said before


def program_of(prefix):
    """The program's entry in the header of the exported artifact."""
    arrays = mx.nd.load(f"{prefix}-0000.params")
    (data,) = [a for n, a in arrays.items() if n.endswith("_neuronbin")]
    payload = unpack(data.asnumpy().tobytes()).payloads[0]
    return payload.program


def test_the_payload_says_where_it_was_made(files):
    program = program_of(files(WIDE))
    assert program["made_on"] == sorted((*AVX512, "avx2")) and program["made_for"] == list(AVX512)
    program = program_of(files("avx2,unheard_of"))
    assert program["made_on"] == ["avx2"] and program["made_for"] == []


def test_it_is_made_again_once(files, net, counters, monkeypatch, caplog):
    prefix, x = files(WIDE), mx.nd.random.normal(shape=(150, 24))
    monkeypatch.setenv(VARIABLE, "avx2")
    before = counters()["specialisations"]
    with caplog.at_level(logging.INFO, "gluon_neuron"):
        loaded = gluon_neuron.load(prefix)
        agree(loaded(x), net(x), 1e-4, 1e-5)
        agree(loaded(x), net(x), 1e-4, 1e-5)
    (record,) = [r for r in caplog.records if "made again" in r.getMessage()]
    assert record.levelname == "INFO" and "avx512bw, avx512dq, avx512f, avx512vl" in record.getMessage()
    assert counters()["specialisations"] == before + 1


@pytest.mark.parametrize("here", [WIDE, f"{WIDE.upper()}, amx_tile".replace(",", " , ")])
def test_where_the_processor_has_all_it_is_not(files, counters, monkeypatch, here):
    prefix, x = files(WIDE), mx.nd.zeros((150, 24))
    monkeypatch.setenv(VARIABLE, here)
    gluon_neuron.load(prefix)(x).wait_to_read()
    assert counters()["specialisations"] == 0


def test_a_program_without_such_a_form_is_not(files, counters, monkeypatch):
    prefix, x = files("avx2"), mx.nd.zeros((150, 24))
    monkeypatch.setenv(VARIABLE, "")
    gluon_neuron.load(prefix)(x).wait_to_read()
    assert counters()["specialisations"] == 0


def test_several_batch_sizes_stay(files, net, counters, monkeypatch):
    prefix = files(WIDE, batch_sizes=[200, 300, 400])
    monkeypatch.setenv(VARIABLE, "avx2")
    loaded = gluon_neuron.load(prefix)
    for _ in range(3):
        for size in (150, 200, 300, 400):
            x = mx.nd.random.normal(shape=(size, 24))
            agree(loaded(x), net(x), 1e-4, 1e-5)
    assert counters()["specialisations"] == 4


def test_weights_inside_cannot_be_made_again(files, net, monkeypatch, caplog):
    prefix, x = files(WIDE, inline_weights=True), mx.nd.random.normal(shape=(150, 24))
    monkeypatch.setenv(VARIABLE, "avx2")
    agree(gluon_neuron.load(prefix)(x), net(x), 1e-4, 1e-5)
    (record,) = [r for r in caplog.records if "cannot be made again" in r.getMessage()]
    assert record.levelname == "WARNING" and "it may be slow here" in record.getMessage()


def test_in_another_process(files, net, tmp_path, monkeypatch):
    prefix, x = files(WIDE), mx.nd.random.normal(shape=(150, 24))
    np.savez(tmp_path / "x.npz", x=x.asnumpy(), y=net(x).asnumpy())
    code = f"""
    import logging, os
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s")
    import mxnet as mx, numpy as np, gluon_neuron
    held = np.load({str(tmp_path / "x.npz")!r})
    found = gluon_neuron.load({prefix!r})(mx.nd.array(held["x"])).asnumpy()
    assert np.allclose(found, held["y"], 1e-4, 1e-5)
    print("done")
    """
    monkeypatch.setenv(VARIABLE, "avx2")
    assert run_python(code).endswith("done\n")
