"""The operator runs in every way that MXNet runs graphs."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from openvino import opset13 as ov

from tests.agreement import agree
from tests.nets import in_threads
from tests.runtime import tiny

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def small():
    region = tiny.dense()
    artifact = region.artifact()
    return region, artifact, tiny.node(region, artifact), tiny.arrays(region, artifact)


def test_executor(small):
    region, _, symbol, values = small
    executor = tiny.bind(symbol, values)
    for _ in range(3):
        agree(executor.forward()[0], tiny.reference(region)(values)[0], **CLOSE)
        values["data"] += 1


def test_simple_bind_infers_shapes_from_data(small):
    region, artifact, symbol, values = small
    executor = symbol.simple_bind(mx.cpu(), data=(2, 5), grad_req="null")
    assert {n: a.shape for n, a in executor.arg_dict.items()} == {n: values[n].shape for n in symbol.list_arguments()}
    executor.copy_params_from(
        {n: v for n, v in values.items() if n in executor.arg_dict}, {n: values[n] for n in executor.aux_dict}
    )
    agree(executor.forward()[0], tiny.reference(region)(values)[0], **CLOSE)
    assert symbol.list_auxiliary_states() == ["mean", "var"]


def test_module_with_changing_batch():
    region = tiny.dense()
    artifact = region.artifact({"data": ((4, 5), "float32")}, {"data": ((1, 5), "float32")})
    symbol, values = tiny.node(region, artifact), tiny.arrays(region, artifact)
    module = mx.mod.Module(symbol, ["data"], None)
    module.bind([("data", (2, 5))], for_training=False)
    module.set_params(
        {n: values[n] for n in symbol.list_arguments() if n != "data"}, {n: values[n] for n in ("mean", "var")}
    )
    for batch in (2, 4, 2, 1, 4):
        values["data"] = mx.nd.random.normal(shape=(batch, 5))
        module.forward(mx.io.DataBatch([values["data"]]), is_train=False)
        agree(module.get_outputs()[0], tiny.reference(region)(values)[0], **CLOSE)


@pytest.mark.parametrize("mode", tiny.MODES.values(), ids=tiny.MODES)
def test_symbol_block(small, tmp_path, mode):
    region, _, symbol, values = small
    symbol.save(str(tmp_path / "model-symbol.json"))
    auxiliary = symbol.list_auxiliary_states()
    saved = {("aux:" if n in auxiliary else "arg:") + n: v for n, v in values.items() if n != "data"}
    mx.nd.save(str(tmp_path / "model-0000.params"), saved)
    block = gluon.SymbolBlock.imports(
        str(tmp_path / "model-symbol.json"), ["data"], str(tmp_path / "model-0000.params")
    )
    if mode is not None:
        block.hybridize(**mode)
    for _ in range(4):
        values["data"] = mx.nd.random.normal(shape=(2, 5))
        agree(block(values["data"]), tiny.reference(region)(values)[0], **CLOSE)


def test_several_nodes_in_one_model(small):
    first = tiny.dense(inputs=5, units=7, seed=1, prefix="a_")
    second = tiny.dense(inputs=7, units=4, seed=2, prefix="b_")
    third = tiny.dense(inputs=4, units=6, seed=3, prefix="c_", normalized=False)
    blobs = [r.artifact() for r in (first, second, third)]
    feeds = ({}, {"b_data": (0, 0)}, {"c_data": (1, 0)})
    names = ("n0", "n1", "n2")
    symbol = tiny.chain([*zip((first, second, third), blobs, names, feeds)])
    values = {}
    for region, artifact, name in zip((first, second, third), blobs, names):
        values |= tiny.arrays(region, artifact, name)
    values["b_data"] = mx.nd.array(tiny.reference(first)(values)[0])
    values["c_data"] = mx.nd.array(tiny.reference(second)(values)[0])
    expected = tiny.reference(third)(values)[0]
    agree(tiny.bind(symbol, values).forward()[0], expected, **CLOSE)


def test_several_outputs_some_unused():
    data = mx.sym.var("data")
    symbol = mx.sym.Group([mx.sym.identity(data * 2), data + 1, mx.sym.exp(data)])

    def build(p):
        return [ov.multiply(p["data"], np.float32(2)), ov.add(p["data"], np.float32(1)), ov.exp(p["data"])]

    region = tiny.Region(symbol, {"data": ((2, 3), "float32")}, {}, build)
    artifact = region.artifact()
    node, values = tiny.node(region, artifact), tiny.arrays(region, artifact)
    x = values["data"].asnumpy()
    for out, expected in zip(tiny.bind(node, values).forward(), (2 * x, x + 1, np.exp(x))):
        agree(out, expected, **CLOSE)
    agree(tiny.bind(node[2] + 1, values).forward()[0], np.exp(x) + 1, **CLOSE)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("dtype", tiny.FLAGS)
def test_values_of_every_dtype_pass(dtype, outputs):
    region = tiny.mirror(((2, 3), dtype), outputs)
    artifact = region.artifact()
    large = {"int64": 2**40, "float64": 1e200, "uint8": 250, "bool": 1}.get(dtype, 100)
    source = (np.array([[0, 1, large]]) * [[1], [0]]).astype(dtype)
    values = {"data": mx.nd.array(source, dtype=dtype), "region0_neuronbin": tiny.blob(artifact)}
    executor = tiny.bind(tiny.node(region, artifact), values)
    for _ in range(2):
        for out in executor.forward():
            assert out.dtype == np.dtype(dtype)
            assert np.array_equal(out.asnumpy(), source)


@pytest.mark.parametrize("dtype", tiny.FLAGS)
def test_computed_values_of_every_dtype(dtype):
    data = mx.sym.var("data")
    symbol = mx.sym.Group([mx.sym.identity(data), mx.sym.concat(data, data, dim=0)])
    region = tiny.Region(symbol, {"data": ((2, 3), dtype)}, {}, lambda p: [p["data"], ov.concat([p["data"]] * 2, 0)])
    artifact = region.artifact()
    source = (np.arange(6).reshape(2, 3) % 2 if dtype == "bool" else np.arange(6).reshape(2, 3)).astype(dtype)
    values = {"data": mx.nd.array(source, dtype=dtype), "region0_neuronbin": tiny.blob(artifact)}
    executor = tiny.bind(tiny.node(region, artifact), values)
    for _ in range(2):
        same, twice = executor.forward()
        assert np.array_equal(same.asnumpy(), source)
        assert np.array_equal(twice.asnumpy(), np.concatenate([source, source]))


def test_weight_as_output(counters):
    region = tiny.Region(
        mx.sym.identity(mx.sym.var("w")), {}, {"w": np.arange(40000, dtype="float32")}, lambda p: [p["w"]]
    )
    artifact = region.artifact()
    values = tiny.arrays(region, artifact)
    executor = tiny.bind(tiny.node(region, artifact), values)
    for step in range(3):
        values["w"][:] = step
        assert (executor.forward()[0].asnumpy() == step).all()


def test_scalars():
    with mx.util.np_shape(True):
        region = tiny.mirror(((), "float32"))
        artifact = region.artifact()
        values = {"data": mx.np.array(3.5).as_nd_ndarray(), "region0_neuronbin": tiny.blob(artifact)}
        out = tiny.bind(tiny.node(region, artifact), values).forward()[0]
        assert out.shape == () and out.asnumpy() == 3.5


def test_arrays_without_elements(counters):
    with mx.util.np_shape(True):
        region = tiny.mirror(((0, 4), "float32"))
        other = tiny.mirror(((2, 4), "float32"))
        artifact = other.artifact()
        values = {"data": mx.nd.empty((0, 4)), "region0_neuronbin": tiny.blob(artifact)}
        out = tiny.bind(tiny.node(region, artifact), values).forward()[0]
        assert out.asnumpy().shape == (0, 4)
    assert counters()["compiles"] == 0


def test_four_threads_with_their_own_and_with_one_block(small):
    region, artifact, symbol, values = small
    params = {n: v for n, v in values.items() if n != "data"}
    shared = tiny.block(symbol, tiny.parameters(region, artifact), tiny.MODES["static"])
    wrong = []

    def work(seed):
        own = tiny.bind(symbol, {**params, "data": mx.nd.zeros((2, 5))})
        rng = np.random.default_rng(seed)
        for _ in range(40):
            x = mx.nd.array(rng.normal(size=(2, 5)))
            expected = _dense(x.asnumpy(), region.weights)
            own.forward(data=x)
            for found in (own.outputs[0].asnumpy(), shared(x).asnumpy()):
                if not np.allclose(found, expected, 1e-4, 1e-5):
                    wrong.append(seed)

    in_threads(work)
    assert not wrong


@pytest.mark.parametrize("threads", [False, True], ids=["forked", "threads"])
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_data_loader_workers(small, warm, threads):
    region, artifact, symbol, values = small
    params = tiny.parameters(region, artifact)
    executor = tiny.bind(symbol, values)
    if warm:
        executor.forward()[0].wait_to_read()  # the engine's threads of the parent are not in the children

    class Items(gluon.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            block = tiny.block(symbol, params, None)
            return block(mx.nd.full((2, 5), i)).asnumpy()

    found = list(gluon.data.DataLoader(Items(), batch_size=2, num_workers=2, thread_pool=threads, timeout=30))
    assert len(found) == 3
    for k, batch in enumerate(found):
        for j in range(2):
            agree(batch[j], _dense(np.full((2, 5), 2 * k + j, "float32"), region.weights), **CLOSE)
    agree(executor.forward()[0], tiny.reference(region)(values)[0], **CLOSE)


def test_backward_says_what_to_do(small):
    region, artifact, symbol, values = small
    block = tiny.block(symbol, tiny.parameters(region, artifact), None)
    x = values["data"]
    x.attach_grad()
    with mx.autograd.record():
        out = block(x)
    out.backward()
    with pytest.raises(mx.MXNetError, match=r"inference only: no gradient. Train the block that was compiled"):
        x.grad.asnumpy()


def test_errors_do_not_pile_up(small):
    region, artifact, symbol, values = small
    values["region0_neuronbin"][10] = 1  # another format version
    texts = []
    for _ in range(3):
        executor = tiny.bind(symbol, values)
        with pytest.raises(mx.MXNetError) as caught:
            executor.forward()[0].asnumpy()
        texts.append(str(caught.value))
    assert all(t.count("gluon_neuron:") == 1 for t in texts)


def test_sparse_inputs_are_made_dense_by_mxnet_or_refused(small):
    region, _, symbol, values = small
    executor = tiny.bind(symbol, {**values, "data": values["data"].tostype("row_sparse")})
    try:
        found = executor.forward()[0].asnumpy()
    except mx.MXNetError as error:
        assert "dense" in str(error)
    else:
        agree(found, tiny.reference(region)(values)[0], **CLOSE)


def _dense(x, w):
    out = x @ w["weight"].T + w["bias"]
    return (out - w["mean"]) * w["gamma"] / np.sqrt(w["var"] + 1e-3) + w["beta"]
