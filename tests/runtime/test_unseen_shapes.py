"""Calls with shapes that nothing is ready for: MXNet runs them, bit for bit, until a program does."""

import gc
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.runtime import background
from tests.agreement import agree
from tests.nets import run_python
from tests.unseen import ready


def dense(prefix="dense_"):
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Dense(16, flatten=False, activation="relu", in_units=8), nn.Dense(4, flatten=False, in_units=16))
    return net


def conv(prefix="conv_"):
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Conv2D(8, 3, in_channels=3), nn.BatchNorm(in_channels=8), nn.Activation("relu"))
        net.add(nn.Conv2D(4, 3, in_channels=8))
    return net


def two_regions(prefix="two_"):
    """What is between them stays in MXNet."""
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Dense(8, flatten=False, in_units=8), nn.HybridLambda("arctan"))
        net.add(nn.Dense(8, flatten=False, in_units=8))
    return net


NETS = {"dense": (dense, (2, 5, 8)), "conv": (conv, (1, 3, 12, 12)), "two regions": (two_regions, (2, 5, 8))}


def compile_net(net, shape, **options):
    left = {"exclude_operators": "arctan"} if net.prefix == "two_" else {}
    made = gluon_neuron.compile(net, data(shape), **left, **options)
    assert len(made.report.regions) == (2 if left else 1)
    return made


def data(shape, seed=0):
    return mx.nd.array(np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32))


def grown(shape, i):
    if len(shape) == 3:
        return shape[0], shape[1] + i, shape[2]
    return (*shape[:2], *(n + i for n in shape[2:]))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(background, "_PATIENCE", 0)


@pytest.fixture(params=NETS)
def case(request):
    make, shape = NETS[request.param]
    net = make()
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(data(shape))
    return net, shape


@pytest.fixture(params=[True, False])
def compiled(case, request):
    net, shape = case
    made = compile_net(net, shape, dynamic=request.param)
    assert background.wait()
    yield made
    assert background.wait()


@pytest.fixture
def held():
    """Nothing is made ready while this is not set."""
    go_on, begun = threading.Event(), threading.Event()
    assert background.wait()
    background.submit(object(), lambda: (begun.set(), go_on.wait(60)))
    assert begun.wait(30)
    yield go_on
    go_on.set()
    assert background.wait()


def test_mxnet_runs_it_meanwhile_bit_for_bit(case, compiled, held):
    net, shape = case
    before = native_library.stats()
    for i in range(1, 4):
        given = data(grown(shape, i), i)
        for _ in range(3):
            assert np.array_equal(compiled(given).asnumpy(), net(given).asnumpy())
    after = native_library.stats()
    assert [after[k] for k in ("calls", "specialisations", "compiles")] == [
        before[k] for k in ("calls", "specialisations", "compiles")
    ]


def test_then_a_program_does(case, compiled):
    net, shape = case
    for i in (1, 2):
        given = data(grown(shape, i), i)
        agree(ready(compiled, given), net(given), 1e-4, 1e-5)
        before = native_library.stats()
        for _ in range(5):
            agree(compiled(given), net(given), 1e-4, 1e-5)
        after = native_library.stats()
        regions = len(compiled.report.regions)
        assert after["calls"] == before["calls"] + 5 * regions
        assert (after["specialisations"], after["compiles"]) == (before["specialisations"], before["compiles"])


def test_weights_that_change(case, compiled, held):
    net, shape = case
    given = data(grown(shape, 3))
    for scale in (2, -1):
        for param in net.collect_params().values():
            param.set_data(param.data() * scale)
        assert np.array_equal(compiled(given).asnumpy(), net(given).asnumpy())
    held.set()
    ready(compiled, given)
    for param in net.collect_params().values():
        param.data()[:] = param.data() * 3
    agree(compiled(given), net(given), 1e-4, 1e-5)


def test_weights_that_change_while_a_program_is_made(case, compiled):
    net, shape = case
    weight = net.collect_params().values()
    shapes = [grown(shape, i) for i in range(1, 6)]
    for turn in range(12):
        for param in weight:
            param.data()[:] = param.data() * (-1 if turn % 2 else 1.5)
        for s in shapes:
            agree(compiled(data(s, turn)), net(data(s, turn)), 1e-3, 1e-3)
    background.wait()
    for s in shapes:
        agree(compiled(data(s)), net(data(s)), 1e-3, 1e-3)


def test_arrays_that_are_replaced(case, compiled, tmp_path):
    net, shape = case
    given = data(grown(shape, 2))
    ready(compiled, given)
    compiled.collect_params().reset_ctx(mx.cpu(0))
    agree(compiled(given), net(given), 1e-4, 1e-5)
    assert background.wait()
    agree(ready(compiled, given), net(given), 1e-4, 1e-5)


def test_threads(case, compiled):
    net, shape = case
    shapes = [grown(shape, i % 7) for i in range(56)]
    wanted = [net(data(s, i)).asnumpy() for i, s in enumerate(shapes)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: compiled(data(shapes[i], i)).asnumpy(), range(56)))
    for a, b in zip(found, wanted, strict=True):
        agree(a, b, 1e-4, 1e-5)


def test_recording(case, compiled, held):
    net, shape = case
    given = data(grown(shape, 4))
    compiled(given)
    with mx.autograd.record(train_mode=False):
        found = compiled(given)
    agree(found, net(given), 1e-4, 1e-5)
    with mx.autograd.record(train_mode=True):
        inside, wanted = compiled(given) * 1, net(given)
    agree(inside, wanted, 1e-4, 1e-5)


def test_the_original_in_turn():
    """MXNet's convolutions lay the weights out for themselves, so that nobody else can read them in between."""
    net, shape = conv(), (1, 3, 12, 12)
    net.initialize(mx.init.Normal(0.3))
    net.hybridize()
    net(data(shape))
    compiled = gluon_neuron.compile(net, data(shape))
    given = data(grown(shape, 3))
    before = native_library.stats()["calls"]
    for _ in range(12):
        found, wanted = compiled(given), net(given)
        agree(found, wanted, 1e-4, 1e-5)
        assert background.wait()
    assert native_library.stats()["calls"] > before


def test_reading_weights_meanwhile():
    """Whoever reads what MXNet has laid out for itself reads it as it is, whatever is made ready meanwhile."""
    net = nn.HybridSequential()
    net.add(*(nn.Conv2D(64, 3, in_channels=64) for _ in range(4)))
    net.initialize(mx.init.Normal(0.1))
    net.hybridize()
    size = (1, 64, 12, 12)
    net(data(size))
    weights = [p.data() for p in net.collect_params().values() if p.name.endswith("weight")]
    expected = [w.asnumpy() for w in weights]
    for turn in range(8):
        compiled = gluon_neuron.compile(net, data(size))
        for _ in range(3):
            given = data(grown(size, 1 + turn))
            compiled(given).wait_to_read()
            net(given).wait_to_read()
            for _ in range(20):
                assert all(map(np.array_equal, (w.asnumpy() for w in weights), expected))
    assert background.wait()


def test_half_precision():
    """MXNet has no dense layer of it on the CPU, so nothing is left to it."""
    net, shape = dense(), (2, 5, 8)
    net.initialize()
    compiled = gluon_neuron.compile(net, data(shape))
    wanted = [compiled(data(grown(shape, i))).asnumpy() for i in range(3)]
    compiled.cast("float16")
    for i in range(3):
        found = compiled(data(grown(shape, i)).astype("float16"))
        agree(found, mx.nd.array(wanted[i]), 1e-2, 1e-2, dtype=False)


def test_numpy_arrays(held):
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = nn.HybridSequential()
        net.add(nn.Dense(4, flatten=False, in_units=8))
        net.initialize()
        net.hybridize()
        net(mx.np.ones((2, 5, 8)))
        compiled = gluon_neuron.compile(net, mx.np.ones((2, 5, 8)))
        given = mx.np.random.uniform(size=(2, 9, 8))
        found = compiled(given)
        assert isinstance(found, mx.np.ndarray)
        assert np.array_equal(found.asnumpy(), net(given).asnumpy())
        held.set()
        found = ready(compiled, given)
        assert isinstance(found, mx.np.ndarray)
        agree(found, net(given), 1e-4, 1e-5)


def test_loaded_from_files(case, tmp_path, held):
    net, shape = case
    compile_net(net, shape).export(str(tmp_path / "net"))
    loaded = gluon_neuron.load(str(tmp_path / "net"))
    given = data(grown(shape, 2))
    assert np.array_equal(loaded(given).asnumpy(), net(given).asnumpy())
    held.set()
    agree(ready(loaded, given), net(given), 1e-4, 1e-5)


def test_shapes_that_do_not_fit(case, compiled):
    _, shape = case
    with pytest.raises(gluon_neuron.errors.InputError, match="compiled for"):
        compiled(data((*shape[:-1], 3))) if len(shape) == 3 else compiled(data((1, 5, *shape[2:])))


def test_what_is_logged(case, compiled, caplog):
    _, shape = case
    given = data(grown(shape, 5))
    with caplog.at_level(logging.INFO, "gluon_neuron"):
        ready(compiled, given)
    shown = "float32[" + ", ".join(map(str, given.shape)) + "]"
    lines = [r.message for r in caplog.records if shown in r.message]
    assert lines[0] == f"MXNet itself runs {shown}, for no program is ready for it"
    dynamic = all(r.dynamic for r in compiled.report.regions)
    kind = "the program for any shape" if dynamic else "a program that was made for it"
    assert lines[-1] == f"{kind} runs {shown} from now on"


def test_a_program_that_cannot_be_made(case, monkeypatch, caplog):
    from gluon_neuron import with_mxnet
    from gluon_neuron.engine import callbacks

    net, shape = case
    compiled = compile_net(net, shape, dynamic=False)

    def fail(graph, request):
        raise ValueError("the café is closed")

    callbacks.set_program_maker(fail)
    try:
        given = data(grown(shape, 2))
        wanted = net(given).asnumpy()
        for _ in range(4):
            assert np.array_equal(compiled(given).asnumpy(), wanted)
            assert background.wait()
    finally:
        callbacks.set_program_maker(with_mxnet._specialize)
    warned = [r for r in caplog.records if r.levelno == logging.WARNING and "MXNet goes on" in r.message]
    assert len(warned) == 1 and "the café is closed" in warned[0].message


def test_room_is_shared_by_nets_and_those_that_go_are_freed(monkeypatch):
    monkeypatch.setenv("GLUON_NEURON_MEMORY", "3500K")  # three programs of small nets
    nets = [dense("one_"), conv("other_")]
    shapes = [(2, 5, 8), (1, 3, 12, 12)]
    made = []
    for net, shape in zip(nets, shapes, strict=True):
        net.initialize(mx.init.Xavier())
        net(data(shape))
        made.append(gluon_neuron.compile(net, data(shape), dynamic=False))
    gc.collect()
    before = native_library.stats()
    for i in range(1, 5):
        for net, compiled, shape in zip(nets, made, shapes, strict=True):
            given = data(grown(shape, i))
            agree(ready(compiled, given), net(given), 1e-4, 1e-5)
    after = native_library.stats()
    assert after["specialisations"] == before["specialisations"] + 8
    assert after["evictions"] == before["evictions"] + 5
    assert after["models_alive"] <= before["models_alive"] + 3
    for net, compiled, shape in zip(nets, made, shapes, strict=True):
        given = data(grown(shape, 1))  # made room
        agree(compiled(given), net(given), 1e-4, 1e-5)
    assert background.wait()


def test_as_many_as_there_is_room_for_are_a_look_up():
    net = dense()
    net.initialize()
    compiled = gluon_neuron.compile(net, data((2, 5, 8)), dynamic=False)
    shapes = [grown((2, 5, 8), i) for i in range(1, 9)]
    for shape in shapes:
        ready(compiled, data(shape))
    before = native_library.stats()
    for shape in [*shapes, *reversed(shapes)]:
        compiled(data(shape)).wait_to_read()
    after = native_library.stats()
    assert after["calls"] == before["calls"] + 16
    assert (after["specialisations"], after["compiles"]) == (before["specialisations"], before["compiles"])


def test_a_fork_while_programs_are_made():
    net = dense()
    net.initialize()
    compiled = gluon_neuron.compile(net, data((2, 5, 8)), dynamic=False)
    wanted = {i: net(data(grown((2, 5, 8), i))).asnumpy() for i in range(1, 5)}
    for i in range(1, 5):
        compiled(data(grown((2, 5, 8), i))).wait_to_read()
        compiled(data(grown((2, 5, 8), i))).wait_to_read()
    mx.nd.waitall()
    child = os.fork()
    if child == 0:
        right = all(np.allclose(compiled(data(grown((2, 5, 8), i))).asnumpy(), wanted[i], 1e-4, 1e-5) for i in wanted)
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert background.wait()


def test_a_net_that_goes_while_its_program_waits(held):
    net = dense("gone_")
    net.initialize()
    compiled = gluon_neuron.compile(net, data((2, 5, 8)))
    compiled(data((2, 7, 8))).wait_to_read()
    compiled = None
    gc.collect()
    held.set()
    assert background.wait()


def test_the_end_while_a_program_is_made():
    code = """
        import mxnet as mx
        from mxnet.gluon import nn
        import gluon_neuron
        net = nn.Dense(4, flatten=False, in_units=8)
        net.initialize()
        compiled = gluon_neuron.compile(net, mx.nd.ones((2, 5, 8)))
        for i in range(6, 12):
            compiled(mx.nd.ones((2, i, 8))).wait_to_read()
        print("left")
    """
    assert run_python(code) == "left\n"


def test_a_net_that_goes_leaves_no_model(case):
    net, shape = case
    gc.collect()
    before = native_library.stats()["models_alive"]
    compiled = compile_net(net, shape)
    for i in range(1, 4):
        ready(compiled, data(grown(shape, i)))
    assert native_library.stats()["models_alive"] > before
    del compiled
    gc.collect()
    assert native_library.stats()["models_alive"] <= before


class Pictures(mx.gluon.HybridBlock):
    """Takes any type."""

    def __init__(self):
        super().__init__()
        self.net = nn.Dense(4, in_units=12)

    def hybrid_forward(self, F, x):
        return self.net(F.cast(x, "float32") / 255)


@pytest.mark.parametrize("options", [{}, {"batch_sizes": [4]}, {"dynamic_batch": True}, {"dynamic": False}])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float64"])
def test_another_type_at_a_shape_that_was_compiled_for(dtype, options):
    net = Pictures()
    net.initialize()
    net.hybridize()
    compiled = gluon_neuron.compile(net, data((2, 12)), **options)
    for batch in (2, 4, 3):
        x = mx.nd.array(np.random.default_rng(0).integers(0, 255, (batch, 12)), dtype=dtype)
        for _ in range(3):
            agree(compiled(x), net(x), 1e-5, 1e-6)
            assert background.wait()
    agree(compiled(data((2, 12))), net(data((2, 12))), 1e-5, 1e-6)


def test_parameters_that_moved_meanwhile(caplog):
    net = dense()
    net.initialize(ctx=[mx.cpu(0)])
    compiled = gluon_neuron.compile(net, data((2, 5, 8)))
    for i in range(1, 7):
        wanted = net(data((2, 5 + i, 8)))
        agree(compiled(data((2, 5 + i, 8))), wanted, 1e-4, 1e-5)
        for place in (mx.cpu(1), mx.cpu(0)):
            compiled.collect_params().reset_ctx(place)
        assert background.wait()
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_parameters_that_were_cast_meanwhile(caplog, dtype):
    net = dense()
    net.initialize()
    compiled = gluon_neuron.compile(net, data((2, 5, 8)))
    for length in (6, 7):
        compiled(data((2, length, 8))).wait_to_read()
    net.cast(dtype)
    assert background.wait()
    assert not [r for r in caplog.records if r.levelno > logging.WARNING]


def test_an_error_in_the_data_is_raised_at_shapes_that_mxnet_runs():
    # MXNet tells an error once: to whoever waits first.
    net = dense()
    net.initialize()
    compiled = compile_net(net, (2, 8, 8))
    for batch in range(2, 8):
        bad = mx.nd.linalg.potrf(mx.nd.broadcast_to(-mx.nd.eye(8).expand_dims(0), (batch, 8, 8)))
        with pytest.raises(mx.base.MXNetError, match="potrf"):
            compiled(bad).asnumpy()


def test_weights_that_another_thread_lays_out_anew_are_no_error(monkeypatch):
    net = conv()
    net.initialize()
    compiled = compile_net(net, (1, 3, 12, 12))

    def refuse(array):
        raise mx.base.MXNetError("Check failed: !IsMKLDNNData()")

    monkeypatch.setattr("gluon_neuron.runtime.mxnet_private.address_of", refuse)
    for size in (12, 14, 14, 14):
        x = data((1, 3, size, size))
        wanted = net(x)  # MXNet's convolutions lay the weights out for themselves
        agree(compiled(x), wanted, rtol=1e-4, atol=1e-5)
        background.wait()


def test_what_operators_give_to_each_other_counts_as_held():
    net = nn.HybridSequential()
    for _ in range(2):
        net.add(nn.Dense(1 << 18, flatten=False, in_units=8), nn.HybridLambda("arctan"))
        net.add(nn.Dense(8, flatten=False, in_units=1 << 18))
    net.initialize()
    compiled = gluon_neuron.compile(net, data((2, 8)), exclude_operators="arctan", dynamic=False)
    compiled(data((2, 8)))
    (session,) = compiled._sessions._sessions.values()
    assert session.held >= 2 << 20
