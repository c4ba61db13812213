"""A signature that the artifact does not hold: a program is asked for, kept, checked; or the error says what exists."""

import json
import threading

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron import with_mxnet
from gluon_neuron.engine import callbacks, native_library
from tests.agreement import agree
from tests.nets import run_python
from tests.runtime import tiny


class Compiler:
    """Makes programs for the region's other batch sizes, and remembers what it was asked."""

    def __init__(self, region):
        self.region = region
        self.requests = []

    def __call__(self, graph, request):
        assert json.loads(graph)["nodes"]
        request = json.loads(request)
        self.requests.append(request)
        asked = request["inputs"][0]
        return tiny.pack(self.region, [self.region.payload({"data": (tuple(asked["shape"]), asked["dtype"])})])


@pytest.fixture
def region():
    return tiny.dense()


@pytest.fixture
def program():
    """Sets what makes programs; afterwards the package's own is back."""
    yield callbacks.set_program_maker
    callbacks.set_program_maker(with_mxnet._specialize)


@pytest.fixture
def run(region):
    """A function of a batch size, which runs the region and compares with MXNet."""
    artifact = region.artifact()
    symbol = tiny.node(region, artifact)
    values = tiny.arrays(region, artifact)

    def call(batch):
        values["data"] = mx.nd.random.normal(shape=(batch, 5))
        found = tiny.bind(symbol, values).forward()[0].asnumpy()
        agree(found, tiny.reference(region)(values)[0], 1e-4, 1e-5)

    return call


def refusal(run, batch):
    with pytest.raises(mx.MXNetError) as caught:
        run(batch)
    return str(caught.value)


def test_asks_once_for_what_is_kept(region, program, run, counters):
    compiler = Compiler(region)
    program(compiler)
    for batch in (2, 3, 3, 4, 3, 4, 2):
        run(batch)
    assert [r["inputs"][0]["shape"] for r in compiler.requests] == [[3, 5], [4, 5]]
    request = compiler.requests[0]
    assert request["target"] == "cpu" and request["options"] == {}
    assert [(i["name"], i["role"]) for i in request["inputs"][:2]] == [("data", "data"), ("weight", "weight")]
    assert request["outputs"] == [{"shape": [3, 3], "dtype": "float32"}]
    assert counters()["specialisations"] == 2


def test_twenty_sizes_keep_few_models(region, program, run, counters, monkeypatch):
    monkeypatch.setenv("GLUON_NEURON_MEMORY", "3500K")  # each takes 1 MiB and a little
    program(Compiler(region))
    for batch in range(3, 23):
        run(batch)
        assert counters()["models_alive"] <= 4
    native_library.release()
    assert counters()["models_alive"] == 0


def test_release_of_one_graph(region, program, run, counters):
    compiler = Compiler(region)
    program(compiler)
    run(3)
    native_library.release("another graph")
    run(3)
    assert len(compiler.requests) == 1
    native_library.release(tiny.region_hash(region))
    run(3)
    assert len(compiler.requests) == 2


def test_nobody_to_ask(program, run):
    program(None)
    run(2)
    message = refusal(run, 7)
    assert "gluon_neuron: node region0: no program for these inputs: input 'data' is float32[7,5]" in message
    assert "compiled were float32[2,5]; nothing in this process can compile another program" in message


def test_the_reason_comes_through(program, run):
    def fail(graph, request):
        raise ValueError("the café is closed")

    program(fail)
    assert "compiled were float32[2,5]; ValueError: the café is closed" in refusal(run, 7)
    run(2)


@pytest.mark.parametrize(("made", "what"), [(b"", "damaged"), (b"no artifact", "damaged"), (bytes(10**6), "all zeros")])
def test_answer_that_is_no_artifact(program, run, made, what):
    program(lambda graph, request: made)
    assert f"the program made for it is {what}" in refusal(run, 7)


def test_answer_for_another_signature(region, program, run):
    program(lambda graph, request: region.artifact())
    assert "the program made for it has another signature" in refusal(run, 7)
    program(lambda graph, request: tiny.pack(region, []))
    assert "the program made for it has another signature" in refusal(run, 7)


def test_dtype_that_was_not_compiled(program, run, region):
    program(None)
    artifact = region.artifact()
    values = tiny.arrays(region, artifact)
    values = {n: v if n.endswith("bin") else v.astype("float64") for n, v in values.items()}
    found = r"input 'data' is float64\[2,5\], compiled were float32\[2,5\]; input 'weight' is float64\[3,5\]"
    with pytest.raises(mx.MXNetError, match=found):
        tiny.bind(tiny.node(region, artifact), values).forward()[0].asnumpy()


def test_exchange_of_the_callback_waits_for_the_old_one(region, program, run):
    started, go_on = threading.Event(), threading.Event()
    compiler = Compiler(region)

    def slow(graph, request):
        started.set()
        assert go_on.wait(30)
        return compiler(graph, request)

    program(slow)
    artifact = region.artifact()
    values = tiny.arrays(region, artifact)
    values["data"] = mx.nd.ones((3, 5))
    out = tiny.bind(tiny.node(region, artifact), values).forward()[0]
    assert started.wait(30)
    exchanged = threading.Event()

    def exchange():
        program(None)
        exchanged.set()

    thread = threading.Thread(target=exchange)
    thread.start()
    assert not exchanged.wait(0.2)
    go_on.set()
    thread.join(30)
    assert exchanged.is_set()
    agree(out, tiny.reference(region)(values)[0], 1e-4, 1e-5)


def test_exit_with_a_program_being_made():
    code = """
        import time, mxnet as mx
        from gluon_neuron.engine import callbacks, native_library
        from gluon_neuron.runtime import registration
        from gluon_neuron import with_mxnet
        from tests.runtime import tiny
        registration.register()
        region = tiny.dense()
        callbacks.set_program_maker(lambda graph, request: (time.sleep(0.3), b"")[1])
        artifact = region.artifact()
        executor = tiny.bind(tiny.node(region, artifact), {**tiny.arrays(region, artifact), "data": mx.nd.ones((9, 5))})
        executor.forward()
        print("left")
    """
    assert run_python(code) == "left\n"


class Counted(mx.gluon.HybridBlock):
    """Reads nothing of its second input but how many values it has."""

    def __init__(self):
        super().__init__()
        self.layer = mx.gluon.nn.Dense(4, in_units=3)

    def hybrid_forward(self, F, x, y):
        return F.broadcast_mul(self.layer(x), F.sum(F.ones_like(y)))


def test_values_that_follow_from_the_shape_of_what_is_not_read():
    net = Counted()
    net.initialize(mx.init.Normal(0.5))
    compiled = gluon_neuron.compile(net, (mx.nd.ones((2, 3)), mx.nd.ones((4, 5))))
    for shapes in (((2, 3), (4, 5)), ((2, 3), (7, 5)), ((2, 3), (4, 8)), ((3, 3), (1, 1)), ((2, 3), (4, 5))):
        given = [mx.nd.random.normal(shape=shape) for shape in shapes]
        agree(compiled(*given), net(*given), 1e-5, 1e-6)
