"""multi-model-server with a compiled net: registers, answers, survives bad requests and dead workers."""

from __future__ import annotations

import contextlib
import http.client
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np
import psutil
import pytest
import requests

import gluon_neuron
from gluon_neuron.model_zoo import get_network
from gluon_neuron.serve import archive
from tests.serve.pictures import jpegs, probabilities
from tests.serve.server import MAX_BODY, Server, wait_for

LABELS = [f"class {i}" for i in range(1000)]


@pytest.fixture(scope="module")
def net():
    made = get_network("mobilenet0.25")
    made.initialize(mx.init.Xavier(magnitude=2), force_reinit=True)
    return made


@pytest.fixture(scope="module")
def server(net, tmp_path_factory):
    store, folder = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("server")
    archive(gluon_neuron.compile(net, mx.nd.zeros((1, 3, 224, 224))), store / "mobilenet.mar", labels=LABELS)
    made = Server(store, folder)
    made.manage("POST", "/models", url="mobilenet.mar", initial_workers=1, synchronous="true")
    yield made
    workers = made.processes()
    assert workers
    assert made.stop() == 0
    assert not psutil.wait_procs(workers, timeout=30)[1]


@pytest.fixture(scope="module")
def photographs():
    return jpegs()


def check(answer: requests.Response, expected: np.ndarray) -> None:
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert len(found) == 5
    for entry in found:
        assert entry["probability"] == pytest.approx(expected[LABELS.index(entry["class"])], 1e-3)
    assert found[0]["class"] == LABELS[expected.argmax()]


def send_all(server, net, photographs, rounds):
    expected = [probabilities(net, body) for body in photographs]
    with ThreadPoolExecutor(8) as pool:
        for answer, number in [
            (pool.submit(server.predict, "mobilenet", photographs[i]), i)
            for _ in range(rounds)
            for i in range(len(photographs))
        ]:
            check(answer.result(), expected[number])


def test_concurrent_requests_with_one_and_two_workers(server, net, photographs):
    assert len(server.workers("mobilenet")) == 1
    send_all(server, net, photographs, 3)
    server.manage("PUT", "/models/mobilenet", min_worker=2, max_worker=2, synchronous="true")
    assert len(server.workers("mobilenet")) == 2
    send_all(server, net, photographs, 3)


@pytest.mark.parametrize("body", [b"", b"not an image", b"\xff\xd8\xff\xe0" + bytes(100)])
def test_garbage(server, net, photographs, body):
    answer = server.predict("mobilenet", body)
    assert answer.status_code == 400
    assert "not an image" in answer.json()["message"]
    check(server.predict("mobilenet", photographs[0]), probabilities(net, photographs[0]))


def test_truncated_picture_is_refused(server, photographs):
    # OpenCV decodes what is there.
    answer = server.predict("mobilenet", photographs[0][:5000])
    assert answer.status_code == 400 and "cut off" in answer.json()["message"]


def test_oversized_body(server, net, photographs):
    # The server may answer and close while a client is still sending: this one only says how much it would send.
    host, port = server.inference.removeprefix("http://").split(":")
    with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=60)) as client:
        client.putrequest("POST", "/predictions/mobilenet")
        client.putheader("Content-Length", str(3 * MAX_BODY))
        client.endheaders()
        assert client.getresponse().status == 413
    with contextlib.suppress(requests.ConnectionError):
        assert server.predict("mobilenet", bytes(3 * MAX_BODY)).status_code == 413
    check(server.predict("mobilenet", photographs[0]), probabilities(net, photographs[0]))


def test_killed_worker_comes_back(server, net, photographs):
    before = server.processes()
    before[0].kill()

    def back():
        now = server.processes()
        ready = server.workers("mobilenet") == ["READY"] * len(before)
        return ready and len(now) == len(before) and before[0].pid not in [p.pid for p in now]

    wait_for(back, 120, server.log)
    send_all(server, net, photographs, 2)


def test_unregistered_model_is_gone_and_comes_back(server, net, photographs):
    server.manage("DELETE", "/models/mobilenet")
    assert server.predict("mobilenet", photographs[0]).status_code == 404
    server.manage("POST", "/models", url="mobilenet.mar", initial_workers=2, synchronous="true")
    assert len(server.workers("mobilenet")) == 2
    check(server.predict("mobilenet", photographs[0]), probabilities(net, photographs[0]))
