"""Replacing a Parameter's array is noticed, and writing into it is not taken for that."""

import mxnet as mx
import pytest

from gluon_neuron.engine import native_library
from gluon_neuron.runtime import mxnet_patches


@pytest.fixture
def param():
    made = mx.gluon.Parameter("w", shape=(2, 3))
    made.initialize()
    return made


def bumps(action):
    epoch = native_library.functions().gn_epoch
    before = epoch()
    action()
    return epoch() - before


def test_replacements_are_noticed(param, tmp_path):
    assert bumps(lambda: param.initialize(force_reinit=True)) >= 1
    assert bumps(lambda: param.cast("float16")) >= 1
    assert bumps(lambda: param.reset_ctx([mx.cpu(0)])) >= 1
    assert bumps(lambda: setattr(param, "_data", param._data)) == 1


def test_writes_are_not(param):
    assert bumps(lambda: param.set_data(mx.nd.ones((2, 3)))) == 0
    assert bumps(lambda: param.data().__setitem__(0, 3)) == 0
    assert bumps(lambda: setattr(param, "lr_mult", 2)) == 0
    assert bumps(param.data) == 0


def test_installing_again_does_not_notify_twice(param):
    mxnet_patches.install(native_library.bump_epoch, lambda: None)
    assert bumps(lambda: setattr(param, "_data", param._data)) == 1


def test_assignment_itself_is_as_before(param):
    array = mx.nd.ones((2, 3))
    param._data = [array]
    assert param.data() is array
    param.grad_req = "null"
    assert param.grad_req == "null"
    with pytest.raises(AssertionError, match="grad_req must be one of"):
        param.grad_req = "nonsense"
