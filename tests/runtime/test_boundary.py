"""What crosses the boundary with MXNet: dtypes, any number of outputs, arrays without elements, layouts, views."""

import mxnet as mx
import numpy as np
import pytest

from tests.agreement import agree
from tests.runtime import tiny
from tests.runtime.tiny import ov

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.mark.parametrize("mode", tiny.MODES.values(), ids=tiny.MODES)
@pytest.mark.parametrize("dtype", tiny.FLAGS)
def test_every_dtype_in_every_mode(dtype, mode):
    data = mx.sym.var("data")
    symbol = mx.sym.Group([mx.sym.concat(data, data, dim=0), mx.sym.identity(data)])
    region = tiny.Region(symbol, {"data": ((2, 3), dtype)}, {}, lambda p: [ov.concat([p["data"]] * 2, 0), p["data"]])
    artifact = region.artifact()
    params = tiny.parameters(region, artifact)
    block = mx.gluon.SymbolBlock(tiny.node(region, artifact), [mx.sym.var("data", dtype=dtype)], params=params)
    if mode is not None:
        block.hybridize(**mode)
    for step in range(3):
        source = (np.arange(6).reshape(2, 3) + step).astype(dtype)
        twice, same = block(mx.nd.array(source, dtype=dtype))
        assert twice.dtype == same.dtype == np.dtype(dtype)
        assert np.array_equal(same.asnumpy(), source)
        assert np.array_equal(twice.asnumpy(), np.concatenate([source, source]))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64"])
def test_weights_of_every_dtype(dtype):
    # More than 64 KB, which are read where they are, and a few bytes, which are copied.
    for length in (3, 50000):
        x, w = mx.sym.var("data"), mx.sym.var("w")
        weights = {"w": np.arange(length).astype(dtype) % 100}
        region = tiny.Region(mx.sym.concat(x, w, dim=0), {"data": ((2,), dtype)}, weights, _concat)
        artifact = region.artifact()
        values = {**tiny.arrays(region, artifact), "data": mx.nd.array([3, 4], dtype=dtype)}
        executor = tiny.bind(tiny.node(region, artifact), values)
        for value in (1, 2):
            values["w"][length // 2] = value
            expected = np.concatenate([values[n].asnumpy() for n in ("data", "w")])
            assert np.array_equal(executor.forward()[0].asnumpy(), expected)


def _concat(p):
    return [ov.concat([p["data"], p["w"]], 0)]


@pytest.mark.parametrize("mode", tiny.MODES.values(), ids=tiny.MODES)
@pytest.mark.parametrize("count", [1, 2, 40])
def test_any_number_of_outputs(count, mode):
    data = mx.sym.var("data")
    out = [data * float(i + 1) for i in range(count)]
    region = tiny.Region(
        mx.sym.Group(out) if count > 1 else out[0],
        {"data": ((2, 3), "float32")},
        {},
        lambda p: [ov.multiply(p["data"], np.float32(i + 1)) for i in range(count)],
    )
    artifact = region.artifact()
    block = tiny.block(tiny.node(region, artifact), tiny.parameters(region, artifact), mode)
    for step in range(2):
        found = block(mx.nd.full((2, 3), step + 1))
        found = found if count > 1 else [found]
        assert len(found) == count
        for i, array in enumerate(found):
            assert (array.asnumpy() == (step + 1) * (i + 1)).all()


@pytest.mark.parametrize("mode", tiny.MODES.values(), ids=tiny.MODES)
def test_some_arrays_without_elements(mode):
    with mx.util.np_shape(True):
        data, other = mx.sym.var("data"), mx.sym.var("other")
        symbol = mx.sym.Group([mx.sym.concat(data, other, dim=0), mx.sym.identity(other), mx.sym.identity(data)])
        specs = {"data": ((2, 3), "float32"), "other": ((0, 3), "float32")}
        build = lambda p: [ov.multiply(p["data"], np.float32(1)), p["other"], p["data"]]  # noqa: E731
        region = tiny.Region(symbol, specs, {}, build)
        artifact = region.artifact()
        variables = [mx.sym.var(n, dtype="float32") for n in specs]
        params = tiny.parameters(region, artifact)
        block = mx.gluon.SymbolBlock(tiny.node(region, artifact), variables, params=params)
        if mode is not None:
            block.hybridize(**mode)
        for step in range(3):
            x = mx.nd.full((2, 3), step)
            joined, empty, same = block(x, mx.nd.empty((0, 3)))
            assert empty.shape == (0, 3) and empty.asnumpy().size == 0
            assert (joined.asnumpy() == step).all() and (same.asnumpy() == step).all()


def test_weight_without_elements():
    with mx.util.np_shape(True):
        symbol = mx.sym.concat(mx.sym.var("data"), mx.sym.var("w"), dim=0)
        build = lambda p: [ov.add(p["data"], ov.reduce_sum(p["w"], np.array([0, 1], "int64"), False))]  # noqa: E731
        region = tiny.Region(symbol, {"data": ((2, 3), "float32")}, {"w": np.zeros((0, 3), "float32")}, build)
        artifact = region.artifact()
        values = tiny.arrays(region, artifact)
        executor = tiny.bind(tiny.node(region, artifact), values)
        for _ in range(2):
            agree(executor.forward()[0], values["data"], **CLOSE)


def test_views_and_slices_as_data():
    region = tiny.dense()
    artifact = region.artifact()
    block = tiny.block(tiny.node(region, artifact), tiny.parameters(region, artifact), tiny.MODES["static"])
    plain = tiny.block(region.symbol, block.collect_params(), None)
    many = mx.nd.random.normal(shape=(9, 5))
    reshaped = (many.reshape((-1,))[5:15].reshape((2, 5)), many[:4].reshape((2, 10))[:, :5])
    for view in (many[3:5], many[1:3], many[7:9], *reshaped):
        agree(block(view), plain(view), **CLOSE)


def test_weights_that_are_views_of_one_array():
    region = tiny.dense(inputs=160, units=128, normalized=False)
    artifact = region.artifact()
    values = tiny.arrays(region, artifact)
    shared = mx.nd.random.normal(shape=(300, 160))
    values["weight"] = shared[3:131]
    executor = tiny.bind(tiny.node(region, artifact), values)
    for _ in range(3):
        agree(executor.forward()[0], tiny.reference(region)(values)[0], **CLOSE)
        shared[3] = 7  # through the array, not through the view that is bound
        agree(executor.forward()[0], tiny.reference(region)(values)[0], **CLOSE)
        shared *= 0.5


def test_slices_kept_from_earlier_write_through():
    region = tiny.dense(inputs=160, units=128)
    artifact = region.artifact()
    params = tiny.parameters(region, artifact)
    weight = params._params["weight"].data()
    kept = [weight[2:4], weight.reshape((-1,))[100:900], weight[127]]
    for mode in tiny.MODES.values():
        block = tiny.block(tiny.node(region, artifact), params, mode)
        plain = tiny.block(region.symbol, params, None)
        x = mx.nd.random.normal(shape=(2, 160))
        for step, view in enumerate(kept):
            agree(block(x), plain(x), **CLOSE)
            before = block(x).asnumpy()
            view[:] = step + 1.5
            assert not np.allclose(block(x).asnumpy(), before)
            agree(block(x), plain(x), **CLOSE)
            view *= -0.1
            agree(block(x), plain(x), **CLOSE)


@pytest.mark.parametrize("mode", tiny.MODES.values(), ids=tiny.MODES)
def test_between_convolutions_in_blocked_layout(mode):
    """oneDNN's convolutions hand arrays on in a layout of their own, and take memory over from the node."""
    relu = tiny.Region(mx.sym.relu(mx.sym.var("h")), {"h": ((2, 16, 8, 8), "float32")}, {}, lambda p: [ov.relu(p["h"])])
    artifact = relu.artifact()

    def net(middle):
        out = mx.sym.var("data")
        for i in range(3):
            out = mx.sym.Convolution(out, name=f"c{i}", num_filter=16, kernel=(3, 3), pad=(1, 1))
            out = middle(out)
        return out

    node = tiny.node(relu, artifact)
    compiled = net(lambda h: node(h=h))
    plain = net(mx.sym.relu)
    data = mx.sym.var("data", dtype="float32")
    params = mx.gluon.ParameterDict("")
    arguments = compiled.list_arguments()
    shapes = dict(zip(arguments, compiled.infer_shape(data=(2, 16, 8, 8))[0]))
    for n in arguments:
        if n != "data":
            value = tiny.blob(artifact) if n.endswith("neuronbin") else mx.nd.random.normal(scale=0.2, shape=shapes[n])
            params._params[n] = mx.gluon.Parameter(n, shape=shapes[n], dtype=value.dtype)
            params._params[n].initialize(mx.init.Constant(value))
    ours, theirs = (mx.gluon.SymbolBlock(s, [data], params=params) for s in (compiled, plain))
    if mode is not None:
        ours.hybridize(**mode)
    for _ in range(5):
        x = mx.nd.random.normal(shape=(2, 16, 8, 8))
        agree(ours(x), theirs(x), **CLOSE)
