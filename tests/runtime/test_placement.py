"""Which NeuronCore a net runs on, for each way of loading it; and several nets at the same time."""

import gc
import threading

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.errors import CompileError, InputError, OptionError
from gluon_neuron.options import CompileOptions
from gluon_neuron.stitch.node_placement import placing
from tests.agreement import agree
from tests.runtime import chip as chips
from tests.runtime import tiny


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An exported model with a program for a chip: its prefix, the block it was made from, and an input."""
    net = mx.gluon.nn.Dense(3, in_units=5)
    net.initialize(mx.init.Normal())
    data = mx.nd.random.normal(shape=(2, 5))
    compiled = gluon_neuron.compile(net, data, target="cpu", include_nodes=[f"{net.name}_fwd"])
    prefix = str(tmp_path_factory.mktemp("files") / "net")
    compiled.export(prefix)
    weight, bias = net.weight.name, net.bias.name
    chips.equip(prefix, lambda x: [x[next(iter(set(x) - {weight, bias}))] @ x[weight].T + x[bias]])
    return prefix, net, data


def used(chip):
    """How often each core computed since the last reset."""
    return [len(chip.clock(core)) for core in range(4)]


def on(ctx, values):
    return {n: a.as_in_context(ctx) for n, a in values.items()}


def bound_on(ctx, symbol, values):
    values = on(ctx, values)
    auxiliary = set(symbol.list_auxiliary_states())
    args = {n: values[n] for n in symbol.list_arguments()}
    return symbol.bind(ctx, args, grad_req="null", aux_states={n: values[n] for n in auxiliary})


def test_the_attribute_of_the_node(chip, region, artifact):
    executor = tiny.bind(chips.node(region, artifact, core=2), tiny.arrays(region, artifact))
    executor.forward()[0].wait_to_read()
    assert used(chip) == [0, 0, 1, 0]


def test_bind_and_simple_bind(chip, region, artifact):
    symbol, values = chips.node(region, artifact, core=0), tiny.arrays(region, artifact)
    bound_on(mx.neuron(3), symbol, values).forward()[0].wait_to_read()
    executor = symbol.simple_bind(ctx=mx.neuron(1), grad_req="null", data=(2, 5))
    executor.copy_params_from(values, values, allow_extra_params=True)
    executor.forward(data=values["data"])[0].wait_to_read()
    assert used(chip) == [0, 1, 0, 1]
    assert symbol.tojson().count("__gluon_neuron_core__") == 1
    assert '"__gluon_neuron_core__": "0"' in symbol.tojson(), "the symbol itself stays as it was"


def test_arrays_of_the_host_on_any_core(chip, region, artifact):
    # What `load_checkpoint` gives is on cpu(0), and scripts bind it to core after core.
    symbol, values = tiny.node(region, artifact), tiny.arrays(region, artifact)
    auxiliary = set(symbol.list_auxiliary_states())
    args = {n: values[n] for n in symbol.list_arguments()}
    for core in (1, 3):
        executor = symbol.bind(
            ctx=mx.neuron(core), args=args, grad_req="null", aux_states={n: values[n] for n in auxiliary}
        )
        found = executor.forward()[0].asnumpy()
        agree(found, tiny.reference(region)(values)[0], 1e-4, 1e-5)
    assert used(chip) == [0, 1, 0, 1]


def test_module(chip, region, artifact):
    values = tiny.arrays(region, artifact)
    module = mx.mod.Module(tiny.node(region, artifact), ["data"], None, context=mx.neuron(2))
    module.bind([("data", (2, 5))], for_training=False)
    auxiliary = tiny.node(region, artifact).list_auxiliary_states()
    module.set_params(
        {n: v for n, v in values.items() if n not in auxiliary}, {n: values[n] for n in auxiliary}, allow_extra=True
    )
    module.forward(mx.io.DataBatch([values["data"]]))
    agree(module.get_outputs()[0], tiny.reference(region)(values)[0], 1e-4, 1e-5)
    assert used(chip) == [0, 0, 1, 0]


def test_module_over_two_cores(chip, region, artifact):
    values = tiny.arrays(region, artifact)
    module = mx.mod.Module(tiny.node(region, artifact), ["data"], None, context=[mx.neuron(0), mx.neuron(3)])
    module.bind([("data", (4, 5))], for_training=False)
    module.set_params(values, values, allow_extra=True)
    data = mx.nd.random.normal(shape=(4, 5))
    module.forward(mx.io.DataBatch([data]))
    expected = tiny.reference(region)({**values, "data": data})[0]
    agree(module.get_outputs()[0], expected, 1e-4, 1e-5)
    assert used(chip) == [1, 0, 0, 1]


@pytest.mark.parametrize("mode", ["plain", "static"])
def test_symbol_block_and_reset_ctx(chip, files, mode):
    prefix, net, data = files
    block = mx.gluon.SymbolBlock.imports(f"{prefix}-symbol.json", ["data"], f"{prefix}-0000.params", ctx=mx.neuron(1))
    if mode == "static":
        block.hybridize(static_alloc=True, static_shape=True)
    expected = net(data).asnumpy()
    for core in (1, 3):
        chip.reset()
        agree(block(data.as_in_context(mx.neuron(core))), expected, 1e-4, 1e-5)
        assert used(chip) == [int(c == core) for c in range(4)]
        block.collect_params().reset_ctx(mx.neuron(3))
    block.collect_params().reset_ctx([mx.neuron(0), mx.neuron(1)])
    with pytest.raises(InputError, match="parameters on neuron.0., neuron.1.* Load it once for each core"):
        block(data)


def test_load_on_one_core_or_on_several(chip, files):
    prefix, net, data = files
    expected = net(data).asnumpy()
    block = gluon_neuron.load(prefix, ctx=[mx.neuron(2), mx.neuron(3)])
    for core, n in ((3, 1), (2, 2), (3, 1)):
        chip.reset()
        for _ in range(n):
            agree(block(data.as_in_context(mx.neuron(core))), expected, 1e-4, 1e-5)
        assert used(chip) == [n * (c == core) for c in range(4)]
    with mx.neuron(1):
        chip.reset()
        gluon_neuron.load(prefix)(data.as_in_context(mx.cpu(1))).wait_to_read()
    assert used(chip) == [0, 1, 0, 0]


def test_where_shapes_follow_from_the_data(chip, tmp_path):
    class Some(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.dense = mx.gluon.nn.Dense(3, in_units=5)

        def hybrid_forward(self, F, x, mask):
            return F.contrib.boolean_mask(self.dense(x), mask)

    net, prefix = Some(), str(tmp_path / "net")
    net.initialize(mx.init.Normal())
    data = mx.nd.random.normal(shape=(3, 5)), mx.nd.array([1, 0, 1])
    compiled = gluon_neuron.compile(net, data, target="cpu", include_nodes=[f"{net.dense.name}_fwd"])
    compiled.export(prefix)
    weight, bias = net.dense.weight.name, net.dense.bias.name
    chips.equip(prefix, lambda x: [x[next(iter(set(x) - {weight, bias}))] @ x[weight].T + x[bias]])
    expected = net(*data)
    assert expected.shape == (2, 3)
    block = gluon_neuron.load(prefix, ctx=[mx.neuron(2), mx.neuron(3)])
    for core in (3, 2, 3):
        chip.reset()
        agree(block(*[a.as_in_context(mx.neuron(core)) for a in data]), expected, 1e-4, 1e-5)
        assert used(chip) == [int(c == core) for c in range(4)]


def test_nets_without_a_place_spread(chip, files):
    prefix, _, data = files
    other = tiny.dense(units=4)
    program = chips.artifact(other, chips.payload(other, chips.dense))
    executor = tiny.bind(chips.node(other, program), tiny.arrays(other, program))
    executor.forward()[0].wait_to_read()
    block = gluon_neuron.load(prefix)
    block(data).wait_to_read()
    assert used(chip) == [1, 1, 0, 0]
    assert native_library.neuron_runtime() | {"library": ""} == {"library": "", "total": 4, "visible": 4, "free": 2}


@pytest.mark.parametrize(
    ("cores", "core", "words"),
    [
        (1, 4, "NeuronCore 4, but this process may use 4 NeuronCores .0 to 3., of which 4 are free"),
        (2, 3, "NeuronCore 3 to 4, but this process may use 4 NeuronCores .0 to 3., of which 4 are free"),
    ],
)
def test_cores_that_do_not_exist(chip, region, cores, core, words):
    artifact = chips.artifact(region, chips.payload(region, chips.dense, cores=cores))
    executor = tiny.bind(chips.node(region, artifact, core=core), tiny.arrays(region, artifact))
    with pytest.raises(mx.MXNetError, match=f"node region0: it is to run on {words}"):
        executor.forward()[0].asnumpy()
    assert chip.count("nrt_load") == 0


def test_a_net_of_several_cores(chip, region):
    artifact = chips.artifact(region, chips.payload(region, chips.dense, cores=2))
    values = tiny.arrays(region, artifact)
    bound_on(mx.neuron(1), chips.node(region, artifact), values).forward()[0].wait_to_read()
    assert used(chip) == [0, 1, 1, 0]


def test_nets_on_two_cores_run_at_the_same_time(chip, region, artifact):
    values = tiny.arrays(region, artifact)
    executors = [bound_on(mx.neuron(i), tiny.node(region, artifact), values) for i in range(2)]
    for executor in executors:
        executor.forward()[0].wait_to_read()
    chip.reset()
    chip.set_exec_ms(300)
    together(lambda executor: executor.forward()[0].wait_to_read(), executors)
    (first,), (second,) = chip.clock(0), chip.clock(1)
    assert max(first[0], second[0]) < min(first[1], second[1])


def together(work, items):
    threads = [threading.Thread(target=work, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_so_they_do_on_the_cpu(files):
    net = mx.gluon.nn.Dense(1024, in_units=1024)
    net.initialize(mx.init.Normal(0.01))
    data = mx.nd.random.normal(shape=(256, 1024))
    compiled = gluon_neuron.compile(net, data, target="cpu", num_threads=1)
    gc.collect()
    prefix = str(files[0]) + "-large"
    compiled.export(prefix)
    blocks = [(gluon_neuron.load(prefix, ctx=mx.neuron(i)), data.as_in_context(mx.neuron(i))) for i in range(2)]
    expected = net(data).asnumpy()

    def work(pair):
        block, given = pair
        for _ in range(20):
            out = block(given)
        results.append(out.asnumpy())

    results = []
    native_library.stats()
    together(work, blocks)
    for result in results:
        agree(result, expected, 1e-3, 1e-4)
    assert len(results) == 2 and native_library.stats()["most_running"] >= 2


def test_option_cores():
    assert CompileOptions.make({"cores": 2}).cores == (2,)
    assert CompileOptions.make({"cores": range(1, 3)}).cores == (1, 2)
    assert CompileOptions.make({"cores": None}).cores == CompileOptions.make({}).cores == ()
    assert "cores" not in CompileOptions.make({"cores": 2}).identity()
    for wrong in (-1, True, "0", [0, 2], [1, 0], 1.0, [None]):
        with pytest.raises(OptionError, match="cores must be a NeuronCore's index, or a list"):
            CompileOptions.make({"cores": wrong})


def test_option_cores_becomes_the_attribute(region):
    programs = [chips.payload(region, chips.dense, cores=2)]
    assert placing(programs, CompileOptions(cores=3)) == {"__gluon_neuron_core__": "3"}
    assert placing(programs, CompileOptions(cores=(1, 2), strict=True)) == {
        "__gluon_neuron_core__": "1",
        "__gluon_neuron_strict__": "1",
    }
    assert placing([region.payload()], CompileOptions(strict=True)) == {}
    four = [chips.payload(region, chips.dense, cores=4)]
    with pytest.raises(CompileError, match="takes 4 NeuronCores, and option cores names 2"):
        placing(four, CompileOptions(cores=(1, 2)))


def test_compile_keeps_cores_in_the_symbol(tmp_path):
    net = mx.gluon.nn.Dense(3, in_units=5)
    net.initialize()
    compiled = gluon_neuron.compile(net, mx.nd.ones((2, 5)), target="cpu", cores=2, include_nodes=[f"{net.name}_fwd"])
    compiled.export(tmp_path / "net")
    assert '"__gluon_neuron_core__": "2"' in (tmp_path / "net-symbol.json").read_text()
