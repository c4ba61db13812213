"""NeuronHybridBlock: what users do with a block, under both of MXNet's front ends."""

import copy
import pickle

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

import gluon_neuron
from gluon_neuron.errors import InputError
from gluon_neuron.runtime.front_end import front_end
from tests.agreement import agree
from tests.nets import CLOSE, conv_net, front, images, in_threads, nested_net, run_python


@pytest.fixture(params=[False, True], ids=["nd", "np"], autouse=True)
def np_mode(request):
    """Whether the test runs under mx.np, as a program has it that calls npx.set_np()."""
    with front_end(request.param):
        yield request.param


@pytest.fixture
def net(np_mode):
    return conv_net()


@pytest.fixture
def compiled(net):
    return gluon_neuron.compile(net, images())


def test_exported_files_run_in_a_fresh_process(net, compiled, tmp_path, np_mode):
    x = images(2)
    np.save(tmp_path / "x.npy", x.asnumpy())
    np.save(tmp_path / "y.npy", net(x).asnumpy())
    compiled.export(tmp_path / "net", epoch=3)
    code = """
        import sys, numpy as np, mxnet as mx, gluon_neuron
        folder, np_mode = sys.argv[1], sys.argv[2] == "True"
        if np_mode:
            mx.npx.set_np()
        make = mx.np.array if np_mode else mx.nd.array
        x, y = make(np.load(folder + "/x.npy")), np.load(folder + "/y.npy")
        ours = gluon_neuron.load(folder + "/net", epoch=3)
        assert ours.report.operator_share == 1.0
        np.testing.assert_allclose(ours(x).asnumpy(), y, 1e-3, 1e-4)
        plain = mx.gluon.SymbolBlock.imports(folder + "/net-symbol.json", ["data"], folder + "/net-0003.params")
        for flags in ({"active": False}, {}, {"static_alloc": True}, {"static_alloc": True, "static_shape": True}):
            plain.hybridize(**flags)
            for _ in range(3):
                np.testing.assert_allclose(plain(x).asnumpy(), y, 1e-3, 1e-4)
        ours.export(folder + "/again")
        again = gluon_neuron.load(folder + "/again")
        np.testing.assert_allclose(again(x).asnumpy(), y, 1e-3, 1e-4)
        print("ran")
    """
    assert run_python(code, tmp_path, np_mode) == "ran\n"


def test_structure_survives_export(tmp_path):
    net, args = nested_net()
    gluon_neuron.compile(net, args).export(tmp_path / "net")
    agree(gluon_neuron.load(tmp_path / "net")(*args), net(*args), **CLOSE)


def test_hybridize_changes_nothing(net, compiled):
    x = images()
    for flags in ({}, {"static_alloc": True, "static_shape": True}, {"active": False}):
        compiled.hybridize(**flags)
        agree(compiled(x), net(x), **CLOSE)


def test_parameters_are_the_original_ones(net, compiled):
    ours = compiled.collect_params()
    assert all(ours[n] is p for n, p in net.collect_params().items())
    assert sum(n.endswith("_neuronbin") for n in ours) == 1


def test_save_and_load_parameters(net, compiled, tmp_path, np_mode):
    x = images()
    compiled.save_parameters(str(tmp_path / "ours.params"))
    weights = {p.name: p.data() for p in net.collect_params().values()}
    (mx.npx.save if np_mode else mx.nd.save)(str(tmp_path / "weights.params"), weights)
    expected = net(x)
    for file in ("ours.params", "weights.params"):
        for param in net.collect_params().values():
            param.set_data(param.data() * 0)
        assert np.abs(compiled(x).asnumpy()).max() == 0
        compiled.load_parameters(str(tmp_path / file))
        agree(compiled(x), expected, **CLOSE)


def test_under_record_mxnet_runs_and_a_compiled_region_has_no_backward(net, compiled, tmp_path):
    x = images()
    x.attach_grad()
    with mx.autograd.record(train_mode=False):
        y = compiled(x)
    agree(y, net(x), **CLOSE)
    y.backward()
    assert np.abs(x.grad.asnumpy()).max() > 0
    compiled.export(tmp_path / "net")
    imported = mx.gluon.SymbolBlock.imports(f"{tmp_path}/net-symbol.json", ["data"], f"{tmp_path}/net-0000.params")
    with mx.autograd.record(train_mode=False):
        y = imported(x)
    agree(y, net(x), **CLOSE)
    with pytest.raises(mx.base.MXNetError, match="inference only"):
        y.backward()
        x.grad.wait_to_read()
    agree(compiled(x), net(x), **CLOSE)


def test_results_are_not_overwritten_by_the_next_call(compiled):
    first = compiled(images())
    kept = first.asnumpy()
    compiled(images()).wait_to_read()
    assert np.array_equal(first.asnumpy(), kept)


def test_threads(net, compiled):
    inputs = [images() for _ in range(4)]
    expected = [net(x).asnumpy() for x in inputs]
    wrong = []

    def work(i):
        for _ in range(20):
            if not np.allclose(compiled(inputs[i]).asnumpy(), expected[i], 1e-3, 1e-4):
                wrong.append(i)

    in_threads(work)
    assert wrong == []


class Predicted(gluon.data.Dataset):
    """Runs a compiled net in the loader's worker processes."""

    def __init__(self, net, inputs):
        self.net, self.inputs = net, inputs

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, i):
        return self.net(self.inputs[i])


@pytest.mark.parametrize("warm", [True, False])
def test_data_loader_workers(net, warm):
    compiled = gluon_neuron.compile(net, images())
    inputs = [images() for _ in range(4)]
    expected = np.concatenate([net(x).asnumpy() for x in inputs])
    if warm:
        compiled(inputs[0]).wait_to_read()
    loader = gluon.data.DataLoader(Predicted(compiled, inputs), batch_size=2, num_workers=2)
    found = np.concatenate([b.asnumpy().reshape(-1, expected.shape[1]) for b in loader])
    agree(found, expected, 1e-3, 1e-4)
    agree(compiled(inputs[0]), net(inputs[0]), **CLOSE)


def test_copies(net, compiled):
    x = images()
    compiled(x).wait_to_read()
    agree(copy.deepcopy(compiled)(x), net(x), **CLOSE)
    agree(pickle.loads(pickle.dumps(compiled))(x), net(x), **CLOSE)


def test_composes_with_symbols(net, compiled, np_mode):
    data = mx.sym.var("data").as_np_ndarray() if np_mode else mx.sym.var("data")
    assert compiled(data).list_outputs() == net(data).list_outputs()


def test_wrong_calls(compiled):
    with pytest.raises(InputError, match="without any"):
        compiled()
    with pytest.raises(InputError, match="1 input"):
        compiled(images(), images())
    with pytest.raises(InputError, match="is a str"):
        compiled("image")
    with pytest.raises(InputError, match="does not take these inputs"):
        compiled(front(mx.nd.zeros((1, 4, 16, 16))))
    with pytest.raises(InputError, match="does not take these inputs"):
        compiled(front(mx.nd.zeros((1, 3, 16))))


def test_several_models_in_one_process():
    nets = [conv_net() for _ in range(3)]
    compiled = [gluon_neuron.compile(n, images()) for n in nets]
    x = images()
    for _ in range(2):
        for ours, theirs in zip(compiled, nets, strict=True):
            agree(ours(x), theirs(x), **CLOSE)


def test_the_report_of_a_block_or_a_symbol(net, compiled, tmp_path):
    compiled.export(tmp_path / "net")
    imported = gluon.SymbolBlock.imports(f"{tmp_path}/net-symbol.json", ["data"], f"{tmp_path}/net-0000.params")
    for model in (compiled, gluon_neuron.load(tmp_path / "net"), imported, mx.sym.load(f"{tmp_path}/net-symbol.json")):
        assert gluon_neuron.get_report(model) == compiled.report
    for model, told in (
        (net, "The block was not compiled by gluon_neuron"),
        (mx.sym.var("x"), "The symbol was not compiled by gluon_neuron"),
        (gluon.nn.Dense(2), "The block was not compiled by gluon_neuron"),
        ("net", "this is a str"),
    ):
        with pytest.raises(InputError, match=told):
            gluon_neuron.get_report(model)


@pytest.mark.parametrize("kind", ["cpu_shared", "cpu_pinned"])
def test_arrays_where_a_loader_puts_them(net, kind):
    x = images(2)
    there = x.as_in_context(mx.Context(kind))
    made = gluon_neuron.compile(net, there)
    agree(made(there), net(x), **CLOSE)
    made(x)
    agree(made(there), net(x), **CLOSE)
    more = images(3)
    agree(made(more.as_in_context(mx.Context(kind))), net(more), **CLOSE)
    nested, (first, second) = nested_net()
    made = gluon_neuron.compile(nested, (first, second))
    moved = [a.as_in_context(mx.Context(kind)) for a in second]
    agree(made(first, moved), nested(first, second), **CLOSE)


def test_batches_of_a_loader_with_workers(net):
    made = gluon_neuron.compile(net, images(2))
    data = gluon.data.ArrayDataset(images(6).asnumpy())
    batches = list(gluon.data.DataLoader(data, batch_size=2, num_workers=1))
    assert len(batches) == 3
    for batch in batches:
        agree(made(batch), net(batch.as_in_context(mx.cpu())), **CLOSE)


def test_parts_of_a_batch(net):
    compiled = gluon_neuron.compile(net, images(4), dynamic_batch=True)
    for size in (1, 3, 4, 6, 8):
        x = images(size)
        agree(compiled(x), net(x), **CLOSE)


@pytest.mark.parametrize("there", [False, True], ids=["to nd", "to np"])
def test_files_in_a_program_of_the_other_front_end(net, compiled, tmp_path, np_mode, there):
    x = images()
    expected = net(x)
    compiled.export(tmp_path / "net")
    compiled.save_parameters(tmp_path / "before")
    with front_end(there):
        # A block returns arrays of mx.np if the program or the model is of it.
        kind = mx.np.ndarray if there or np_mode else mx.nd.NDArray
        loaded = gluon_neuron.load(tmp_path / "net")
        for _ in range(3):
            for given in (x, x.as_np_ndarray(), x.as_nd_ndarray()):
                found = loaded(given)
                assert type(found) is kind
                agree(found, expected, 1e-3, 1e-4)
        loaded.export(tmp_path / "again")
        loaded.save_parameters(tmp_path / "parameters")
        for file in ("before", "parameters"):
            loaded.load_parameters(tmp_path / file)
            agree(loaded(x), expected, 1e-3, 1e-4)
            compiled.load_parameters(tmp_path / file)
    for file in ("before", "parameters"):
        compiled.load_parameters(tmp_path / file)
        agree(compiled(x), expected, **CLOSE)
    agree(gluon_neuron.load(tmp_path / "again")(x), expected, **CLOSE)
    agree(pickle.loads(pickle.dumps(loaded))(x), expected, **CLOSE)


def test_what_load_parameters_refuses(compiled, tmp_path, np_mode):
    save = mx.npx.save if np_mode else mx.nd.save
    weights = {n: p.data() for n, p in compiled.collect_params().items() if not n.endswith("_neuronbin")}
    save(str(tmp_path / "short"), dict(list(weights.items())[1:]))
    with pytest.raises(AssertionError, match="is missing in"):
        compiled.load_parameters(tmp_path / "short")
    compiled.load_parameters(tmp_path / "short", allow_missing=True)
    save(str(tmp_path / "long"), {**weights, "other": next(iter(weights.values()))})
    with pytest.raises(AssertionError, match="is not present"):
        compiled.load_parameters(tmp_path / "long")
    compiled.load_parameters(tmp_path / "long", ignore_extra=True)
    save(str(tmp_path / "list"), list(weights.values()))
    with pytest.raises(InputError, match="without names"):
        compiled.load_parameters(tmp_path / "list")


def test_a_batch_of_nothing():
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = gluon.nn.Dense(3, in_units=4)
        net.initialize()
        made = gluon_neuron.compile(net, mx.np.ones((2, 4)), dynamic_batch=True)
        assert made(mx.np.zeros((0, 4))).shape == (0, 3)
        agree(made(mx.np.ones((5, 4))), net(mx.np.ones((5, 4))), **CLOSE)


class AroundNone(mx.gluon.HybridBlock):
    """Its call puts None among what it gives."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body = mx.gluon.nn.Dense(4, in_units=3)

    def __call__(self, x):
        y = super().__call__(x)
        return None, [y, None], y * 2

    def hybrid_forward(self, F, x):
        return self.body(x)


def test_none_among_results(tmp_path):
    net, x = AroundNone(), front(mx.nd.random.normal(shape=(2, 3)))
    net.initialize()
    compiled = gluon_neuron.compile(net, x)
    expected = net(x)
    compiled.export(tmp_path / "net")
    for one in (compiled, gluon_neuron.load(tmp_path / "net"), copy.deepcopy(compiled)):
        for _ in range(2):
            agree(one(x), expected, 1e-4, 1e-5, kind=True)
        with mx.autograd.record():
            agree(one(x), expected, 1e-4, 1e-5, kind=True)
        assert gluon_neuron.verify(one, net, x)

    class Outer(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.inner = compiled

        def hybrid_forward(self, F, x):
            _, (y, none), z = self.inner(x)
            assert none is None
            return y + z

    outer = Outer()
    outer.hybridize()
    agree(outer(x), expected[1][0] + expected[2], 1e-4, 1e-5)
