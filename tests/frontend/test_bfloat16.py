"""bfloat16, a dtype that NumPy lacks: such operators stay in MXNet, with the reason, and the rest is compiled."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.contrib import amp
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import InputError
from tests.agreement import agree

BFLOAT16 = np.dtype([("bfloat16", np.uint16)])
X = (3, 16)


@pytest.fixture
def net():
    made = nn.HybridSequential()
    made.add(nn.Dense(8, activation="relu"), nn.Dense(8), nn.Dense(4))
    made.initialize()
    made(mx.nd.zeros(X))
    return made


def floats(arrays):
    return [a.astype("float32") for a in arrays]


def mixed(net, tmp_path, keep):
    """The net's checkpoint in mixed precision; layers from the `keep`th on stay in float32."""
    net.hybridize()
    net(mx.nd.zeros(X))
    net.export(str(tmp_path / "plain"))
    symbol, args, aux = mx.model.load_checkpoint(str(tmp_path / "plain"), 0)
    layers = [s.name for s in symbol.get_internals() if s.name.endswith("_fwd")]
    kept = {"cast_optional_params": True, "excluded_sym_names": layers[keep:]}
    return amp.convert_model(symbol, args, aux, target_dtype="bfloat16", **kept)


@pytest.mark.parametrize(("keep", "regions"), [(99, 0), (1, 1)])
def test_mixed_precision(net, keep, regions, tmp_path):
    symbol, args, aux = mixed(net, tmp_path, keep)
    data = {"data": mx.nd.random.normal(shape=X)}
    expected = symbol.bind(mx.cpu(), {**args, **data}).forward()
    made, new_args, new_aux = gluon_neuron.compile(symbol, data, args=args, aux=aux)
    report = gluon_neuron.get_report(made)
    assert len(report.regions) == regions
    assert all("no bfloat16" in o.sentence for o in report.outside)
    close = {"rtol": 1e-5, "atol": 1e-6}
    agree(made.bind(mx.cpu(), {**new_args, **data}).forward(), expected, **close)
    mx.model.save_checkpoint(str(tmp_path / "net"), 0, made, new_args, new_aux, remove_amp_cast=False)
    agree([gluon_neuron.load(tmp_path / "net")(data["data"])], expected, **close)
    loaded, loaded_args, _ = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    agree(loaded.bind(mx.cpu(), {**loaded_args, **data}).forward(), expected, **close)


def test_a_net_that_is_cast(net, tmp_path):
    net.cast(BFLOAT16)
    x = mx.nd.random.normal(shape=X).astype(BFLOAT16)
    expected = floats([net(x)])
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.regions and "no bfloat16" in str(compiled.report)
    compiled.export(tmp_path / "net", remove_amp_cast=False)
    for model in (compiled, gluon_neuron.load(tmp_path / "net")):
        found = model(x)
        assert found.dtype == BFLOAT16
        agree(floats([found]), expected)
    assert gluon_neuron.verify(compiled, net, x)
    net[2].weight.set_data(net[2].weight.data() * 2)  # the numbers are compared, not their bits
    assert 0 < gluon_neuron.verify(compiled, gluon_neuron.load(tmp_path / "net"), x).differences[0].max_abs < 100


def test_inputs_for_a_net_of_float32(net):
    x = mx.nd.zeros(X).astype(BFLOAT16)
    with pytest.raises(InputError, match="data: bfloat16"):
        gluon_neuron.compile(net, x)
    with pytest.raises(InputError, match=r"got bfloat16 \(3, 16\).*astype\('float32'\)"):
        gluon_neuron.compile(net, mx.nd.zeros(X))(x)
