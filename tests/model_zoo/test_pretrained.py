"""Weights of zoos: from a file, from the store, and what is said where they are not there. Nothing is downloaded."""

from __future__ import annotations

import hashlib

import gluoncv
import mxnet as mx
import pytest
from mxnet.gluon.model_zoo import model_store

from gluon_neuron import model_zoo
from gluon_neuron.errors import OptionError, WeightsError
from gluon_neuron.model_zoo.pretrained import with_store
from tests.agreement import agree

NAME = "mobilenet0.25"
X = (1, 3, 32, 32)


@pytest.fixture
def saved(tmp_path):
    net = model_zoo.get_network(NAME)
    net(mx.nd.ones(X))
    net.save_parameters(str(tmp_path / "own.params"))
    return net, tmp_path / "own.params"


@pytest.fixture
def offline(tmp_path, monkeypatch):
    def refuse(url, **_):
        raise RuntimeError(f"Failed downloading url {url}")

    monkeypatch.setenv("MXNET_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(model_store, "download", refuse)
    monkeypatch.setattr(gluoncv.model_zoo.model_store, "download", refuse)
    return tmp_path / "home" / "models"


def test_a_file_of_weights(saved):
    net, path = saved
    made = model_zoo.get_model(NAME, image_size=32, pretrained=path, dynamic=False)
    x = mx.nd.random.uniform(shape=X)
    agree(made(x).asnumpy(), net(x).asnumpy(), 1e-3, 1e-4)
    assert made.preprocessing is not None


def test_a_file_of_gluoncvs(tmp_path):
    net = model_zoo.get_network("cifar_resnet20_v1")
    net(mx.nd.ones(X))
    net.save_parameters(str(tmp_path / "cifar.params"))
    again = model_zoo.get_network("cifar_resnet20_v1", pretrained=str(tmp_path / "cifar.params"))
    assert (again(mx.nd.ones(X)).asnumpy() == net(mx.nd.ones(X)).asnumpy()).all()


def test_files_that_do_not_fit(saved, tmp_path):
    _, path = saved
    with pytest.raises(WeightsError, match="There is no file .*none.params"):
        model_zoo.get_network(NAME, pretrained=tmp_path / "none.params")
    with pytest.raises(WeightsError, match="does not hold the weights of squeezenet1.0.*Name a file"):
        model_zoo.get_network("squeezenet1.0", pretrained=path)
    with pytest.raises(WeightsError, match="model_options"):
        model_zoo.get_network(NAME, pretrained=path, model_options={"classes": 7})
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="does not hold"):
        model_zoo.get_network(NAME, pretrained=path)
    with pytest.raises(OptionError, match="pretrained must be"):
        model_zoo.get_network(NAME, pretrained=3)


@pytest.mark.parametrize("name", [NAME, "resnet18_v1b"])
def test_a_download_that_fails(offline, name):
    with pytest.raises(WeightsError, match="mirror may be gone") as caught:
        model_zoo.get_model(name, pretrained=True)
    told = str(caught.value)
    assert str(offline / f"{name}-") in told and ".params, and it is not there" in told
    assert "pretrained=PATH" in told and "Failed downloading url https://" in told


def test_a_file_in_the_store_that_is_another(offline):
    offline.mkdir(parents=True)
    (offline / f"{NAME}-{model_store.short_hash(NAME)}.params").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="what is there is not that file"):
        model_zoo.get_model(NAME, pretrained=True)


def test_the_store_is_asked_where_a_file_is(offline, saved, monkeypatch):
    net, path = saved
    digest = hashlib.sha1(path.read_bytes()).hexdigest()
    monkeypatch.setitem(model_store._model_sha1, NAME, digest)
    offline.mkdir(parents=True)
    path.rename(offline / f"{NAME}-{digest[:8]}.params")
    x = mx.nd.ones(X)
    assert (model_zoo.get_network(NAME, pretrained=True)(x).asnumpy() == net(x).asnumpy()).all()


@pytest.mark.parametrize("store", [model_store, gluoncv.model_zoo.model_store])
def test_weights_that_were_never_published(store):
    with pytest.raises(WeightsError, match="No pretrained weights of mynet were published.*pretrained=PATH"):
        with_store(lambda: store.get_model_file("mynet"), "mynet", store)
