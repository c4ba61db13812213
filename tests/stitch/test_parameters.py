"""Parameters of loaded models take over the arrays of the file, and gradients only when something wants them."""

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.stitch.parameters import LoadedParameter, make_parameter
from tests.agreement import agree
from tests.nets import artifact_name


@pytest.fixture
def parameter():
    return make_parameter("weight", mx.nd.ones((3, 4)), [mx.cpu()], False)


def test_the_array_is_not_copied():
    array = mx.nd.ones((3, 4))
    made = make_parameter("weight", array, [mx.cpu()], False)
    assert made.data() is array
    elsewhere = make_parameter("weight", array, [mx.cpu(), mx.cpu(1)], False)
    assert elsewhere.data(mx.cpu(1)).ctx == mx.cpu(1)
    elsewhere.data(mx.cpu(1))[:] = 2
    assert array.asnumpy().max() == 1


def test_a_gradient_has_no_memory_before_it_is_wanted(parameter):
    assert parameter.grad_req == "write"
    assert parameter._grad is None
    parameter.zero_grad()
    assert parameter._grad is None
    agree(parameter.grad(), np.zeros((3, 4), "float32"))
    agree(parameter.list_grad()[0], np.zeros((3, 4), "float32"))


@pytest.mark.parametrize("read", [lambda p: p.data(), lambda p: p.list_data()[0]])
def test_what_is_recorded_has_a_gradient(parameter, read):
    with mx.autograd.record():
        result = (read(parameter) * 3).sum()
    result.backward()
    agree(parameter.grad(), np.full((3, 4), 3, "float32"))


def test_requests_for_gradients_change(parameter):
    parameter.grad_req = "null"
    with pytest.raises(RuntimeError, match="grad_req='null'"):
        parameter.grad()
    parameter.grad_req = "add"
    for _ in range(2):
        with mx.autograd.record():
            result = parameter.data().sum()
        result.backward()
    agree(parameter.grad(), np.full((3, 4), 2, "float32"))


def test_a_trainer_takes_them(parameter):
    trainer = mx.gluon.Trainer([parameter], "sgd", {"learning_rate": 0.5})
    with mx.autograd.record():
        result = parameter.data().sum()
    result.backward()
    trainer.step(1)
    agree(parameter.data(), np.full((3, 4), 0.5, "float32"))


def test_cast_and_reset(parameter):
    parameter.cast("float16")
    assert parameter.data().dtype == parameter.grad().dtype == np.float16
    parameter.reset_ctx(mx.cpu(1))
    assert parameter.grad(mx.cpu(1)).ctx == mx.cpu(1)
    parameter.set_data(mx.nd.zeros((3, 4)))
    assert parameter.data(mx.cpu(1)).asnumpy().max() == 0


def test_gradients_of_a_loaded_net_have_memory_once_they_are_recorded(tmp_path):
    net = mx.gluon.nn.Dense(3)
    net.initialize()
    x = mx.nd.ones((2, 5))
    net(x)
    gluon_neuron.compile(net, x).export(str(tmp_path / "net"))
    loaded = gluon_neuron.load(str(tmp_path / "net"))
    held = [p for p in loaded.collect_params().values() if isinstance(p, LoadedParameter)]
    assert len(held) == 2
    loaded(x).wait_to_read()
    assert all(p._grad is None for p in held)
    with mx.autograd.record():
        result = loaded(x)
    agree(result, net(x), 1e-5, 1e-6)
    result.backward()
    assert all(np.abs(p.grad().asnumpy()).max() > 0 for p in held)


def artifact(net):
    return net.collect_params()[artifact_name(net.collect_params())]


def test_the_artifact_of_a_net_compiled_twice_is_one_parameter():
    net, x = mx.gluon.nn.Dense(3, in_units=4), mx.nd.ones((2, 4))
    net.initialize()
    one = gluon_neuron.compile(net, x)
    assert artifact(gluon_neuron.compile(net, x)) is artifact(one)
    assert artifact(gluon_neuron.compile(net, x, num_threads=1)) is not artifact(one)
    baked = gluon_neuron.compile(net, x, inline_weights=True)
    assert artifact(gluon_neuron.compile(net, x, inline_weights=True)) is not artifact(baked)
    artifact(one).data()[100] = 0  # somebody wrote to it: the next compile is not to have that
    again = gluon_neuron.compile(net, x)
    assert artifact(again) is not artifact(one)
    agree(again(x), net(x), 1e-5, 1e-6)
    one = gluon_neuron.compile(net, x)
    one.collect_params().reset_ctx(mx.cpu(1))
    moved = gluon_neuron.compile(net, x.as_in_context(mx.cpu(1)))
    assert artifact(moved) is artifact(one) and artifact(moved).list_ctx() == [mx.cpu(1)]
