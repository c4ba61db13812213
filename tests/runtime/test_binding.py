"""Whatever changes a weight is seen by the next call, and what does not change any costs nothing."""

import gc

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from openvino import opset13 as ov

from gluon_neuron.engine import native_library
from tests.agreement import agree
from tests.runtime import tiny


class Pair:
    """A node's block and MXNet's own block on the same parameters; the weight matrix is larger than 64 KB."""

    def __init__(self, mode, seed=0):
        self.region = tiny.dense(inputs=160, units=128, seed=seed)
        artifact = self.region.artifact()
        self.params = tiny.parameters(self.region, artifact)
        self.compiled = tiny.block(tiny.node(self.region, artifact), self.params, mode)
        self.original = tiny.block(self.region.symbol, self.params, None)
        self.x = mx.nd.random.normal(shape=(2, 160))

    def __getitem__(self, name):
        return self.params._params[name]

    def values(self):
        return {n: p.data().asnumpy() for n, p in self.params.items() if n in self.region.weights}

    def check(self, against_mxnet=True):
        """Against NumPy, and against MXNet, which changes the layout of the weights in place as it runs."""
        w = self.values()
        out = self.x.asnumpy() @ w["weight"].T + w["bias"]
        expected = (out - w["mean"]) * w["gamma"] / np.sqrt(w["var"] + 1e-3) + w["beta"]
        agree(self.compiled(self.x), expected, 1e-3, 1e-3)
        if against_mxnet:
            agree(self.original(self.x), expected, 1e-3, 1e-3)
            agree(self.compiled(self.x), expected, 1e-3, 1e-3)


@pytest.fixture(params=tiny.MODES.values(), ids=tiny.MODES)
def pair(request):
    return Pair(request.param)


@pytest.fixture(params=[False, True], ids=["alone", "beside_mxnet"])
def check(request, pair):
    return lambda: pair.check(request.param)


def test_unchanged_weights_are_trusted(counters):
    pair = Pair(tiny.MODES["static"])
    pair.check(False)
    first = counters()
    for _ in range(10):
        pair.check(False)
    last = counters()
    assert last["compiles"] == 1
    assert last["bytes_hashed"] == first["bytes_hashed"]


def test_executor_trusts_by_address_and_version_alone(counters):
    region = tiny.dense(inputs=160, units=128)
    artifact = region.artifact()
    executor = tiny.bind(tiny.node(region, artifact), tiny.arrays(region, artifact))
    for _ in range(11):
        executor.forward()[0].wait_to_read()
    assert counters()["trusted_calls"] == 10


def test_auxiliary_states_cost_no_compilation(pair, counters):
    for _ in range(6):
        pair.check(False)
    assert counters()["compiles"] == 1


def test_set_data(pair, check):
    for name in ("weight", "bias", "var", "weight", "gamma"):
        check()
        pair[name].set_data(mx.nd.random.uniform(1, 2, pair[name].shape))
        check()


def test_one_bit_anywhere(pair):
    pair.check(False)
    flat = pair["weight"].data().reshape((-1,))
    for place in (0, 7, 8191, 20479):
        before = pair.compiled(pair.x).asnumpy()
        flat[place] = flat[place] + 1
        assert (pair.compiled(pair.x).asnumpy() != before).any()
        pair.check(False)


def test_writes_through_views(pair, check):
    check()
    pair["weight"].data()[3:5] = 2
    check()
    pair["weight"].data().reshape((-1,))[7:19] = -2
    check()
    pair["mean"].data()[:] = 4
    check()
    pair["bias"].data()[1] += 1
    check()


def test_copyto(pair, check):
    check()
    mx.nd.random.normal(shape=pair["weight"].shape).copyto(pair["weight"].data())
    check()


def test_load_parameters(pair, check, tmp_path):
    other = Pair(None, seed=5)
    other.compiled.save_parameters(str(tmp_path / "p"))
    check()
    pair.compiled.load_parameters(str(tmp_path / "p"))
    check()
    agree(pair["weight"].data(), other["weight"].data())


def test_trainer_step(pair, check):
    trained = [p for n, p in pair.params.items() if n in ("weight", "bias", "gamma", "beta")]
    trainer = gluon.Trainer(trained, "sgd", {"learning_rate": 0.1})
    for _ in range(3):
        check()
        with mx.autograd.record():
            loss = (pair.original(pair.x) ** 2).mean()
        loss.backward()
        trainer.step(1)
    check()


def test_initialized_again_30_times(pair):
    previous = None
    for step in range(30):
        name = "bias" if step % 4 == 3 else "weight"
        pair[name].initialize(mx.init.Normal(0.5), force_reinit=True)
        found = pair.compiled(pair.x).asnumpy()
        agree(found, pair.original(pair.x), 1e-3, 1e-3)
        assert previous is None or not np.allclose(previous, found)
        previous = found


def test_initialized_again_30_times_without_another_run(pair):
    for _ in range(30):
        pair["weight"].initialize(mx.init.Normal(0.5), force_reinit=True)
        pair.check(False)


def test_cast_and_back(pair, check):
    for step in range(5):
        check()
        for name in pair.region.weights:
            pair[name].cast("float64")
        for name in pair.region.weights:
            pair[name].set_data(pair[name].data() * (1.5 + step))
            pair[name].cast("float32")
    check()


def test_reset_ctx(pair, check):
    for step in range(5):
        check()
        pair["weight"].set_data(pair["weight"].data() * 2)
        pair.params.reset_ctx([mx.cpu(0)])
        pair["weight"].data()[step] = step
    check()


@pytest.mark.parametrize("mode", ["plain", "static"])
def test_new_block_at_recycled_addresses(mode):
    for seed in range(20):
        pair = Pair(tiny.MODES[mode], seed)
        pair.check(seed % 3 == 0)
        del pair
        gc.collect()


def test_new_executor_at_recycled_addresses():
    region = tiny.dense(inputs=160, units=128)
    artifact = region.artifact()
    symbol = tiny.node(region, artifact)
    for seed in range(20):
        values = tiny.arrays(region, artifact, seed=seed)
        values["weight"] = mx.nd.random.normal(shape=(128, 160))
        found = tiny.bind(symbol, values).forward()[0].asnumpy()
        agree(found, tiny.reference(region)(values)[0], 1e-3, 1e-3)
        del values


def test_artifact_replaced_in_place():
    first = tiny.dense(normalized=False)
    double = tiny.dense(normalized=False)
    double.build = lambda p: [ov.multiply(first.build(p)[0], np.float32(2))]
    blobs = [r.artifact() for r in (first, double)]
    size = max(map(len, blobs))
    blobs = [_pad(b, size) for b in blobs]
    values = tiny.arrays(first, blobs[0])
    executor = tiny.bind(tiny.node(first, blobs[0]), values)
    expected = tiny.reference(first)(values)[0]
    for step in range(4):
        values["region0_neuronbin"][:] = tiny.blob(blobs[step % 2])
        agree(executor.forward()[0], expected * (1 + step % 2), 1e-4, 1e-4)


def test_data_arrays_come_and_go(pair, counters):
    for _ in range(20):
        pair.x = mx.nd.random.normal(shape=(2, 160))
        pair.check(False)
    assert counters()["compiles"] == 1


def test_bumped_epoch_compares_contents_once(counters):
    region = tiny.dense(inputs=160, units=128)
    artifact = region.artifact()
    executor = tiny.bind(tiny.node(region, artifact), tiny.arrays(region, artifact))
    executor.forward()[0].wait_to_read()
    before = counters()["bytes_hashed"]
    native_library.bump_epoch()
    for _ in range(3):
        executor.forward()[0].wait_to_read()
    weight = 4 * 160 * 128
    assert weight <= counters()["bytes_hashed"] - before < 2 * weight
    assert counters()["compiles"] == 1


def _pad(artifact, size):
    # Spaces behind the header's JSON are legal, and lengthen the container by whole blocks.
    import json
    import struct

    length = struct.unpack_from("<Q", artifact, 16)[0]
    text, rest = artifact[24 : 24 + length], artifact[24 + length + -(24 + length) % 64 :]
    assert json.loads(text)
    more = size - len(artifact)
    text += b" " * more
    assert more % 64 == 0
    return artifact[:12] + struct.pack("<IQ", 0, len(text)) + text + bytes(-(24 + len(text)) % 64) + rest
