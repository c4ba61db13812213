"""Nodes of one name become tensors of different names, by which the Neuron compilers and the NEFF know them."""

import json

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.artifact.container import unpack
from tests.agreement import agree
from tests.graph.test_equal_names import Shared, tower
from tests.nets import artifact_name


@pytest.mark.parametrize("target", ["inf1", "inf2"])
def test_tensors_have_names_of_their_own(compilers, target):
    net = Shared(tower())
    net.initialize(mx.init.Normal(0.5))
    given = mx.nd.random.normal(shape=(3, 8)), mx.nd.random.normal(shape=(3, 8))
    expected = net(*given)
    made = gluon_neuron.compile(net, given, target=target)
    assert len(made.report.regions) == 1 and not made.report.outside
    artifact = made.collect_params()[artifact_name(made.collect_params())].data().asnumpy().tobytes()
    for payload in unpack(artifact).payloads:
        names = [o["name"] for o in payload.signature["outputs"]]
        assert len(set(names)) == len(names) == 2
        tensors = [o["tensor"] for o in payload.program.get("outputs", ())]
        assert len(set(tensors)) == len(tensors)
        if target == "inf1" and tensors:
            command = list(payload.program["command"])
            asked = json.loads(command[command.index("--io-config") + 1])["outputs"]
            assert asked == tensors
    tolerance = 5e-2 if target == "inf1" else 1e-4  # neuron-cc casts to bfloat16 unless told otherwise
    agree(made(*given), expected, tolerance, tolerance)
