"""Bare OpenVINO: runs a compiled region's own program through OpenVINO's Python API, with nothing around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gluon_neuron.artifact.container import Payload, unpack
from gluon_neuron.dialect.openvino_import import import_openvino

_DIGITS = 20


def bare_region(net: Any, sample: np.ndarray) -> Callable[[], Any] | None:
    """A call of the only region of `net` on `sample`; None when the model has several regions or inputs.

    Weights are constants in host memory, as the operator gives them to the engine; input and output tensors are bound
    once, so that a call is OpenVINO's own `infer` and nothing else.
    """
    regions = [n for n in net.collect_params() if n.endswith("_neuronbin")]
    if len(regions) != 1 or len(net.input_names) != 1:
        return None
    payload = unpack(memoryview(net.collect_params()[regions[0]].data().asnumpy())).payloads[0]
    openvino = import_openvino()
    xml, constants = _assemble(payload, net)
    core = openvino.Core()
    model = core.read_model(xml, openvino.Tensor(constants))
    request = core.compile_model(model, "CPU", payload.program["config"]).create_infer_request()
    picture = np.ascontiguousarray(sample)
    request.set_input_tensor(openvino.Tensor(picture, shared_memory=True))

    def run(_kept: tuple[np.ndarray, np.ndarray] = (picture, constants)) -> np.ndarray:
        # OpenVINO points into both, so they are to live as long as the function.
        request.infer()
        return np.asarray(request.get_output_tensor(0).data)

    return run


def _assemble(payload: Payload, net: Any) -> tuple[bytes, np.ndarray]:
    begin, size = payload.program["xml"]
    xml = bytearray(payload.data[begin : begin + size])
    begin, size = payload.program["literals"]
    constants = bytearray(payload.data[begin : begin + size])
    names = [i["name"] for i in payload.signature["inputs"]]
    for index, positions in payload.program["weights"]:
        constants += bytes(-len(constants) % 64)
        for position in positions:
            xml[position : position + _DIGITS] = b"%0*d" % (_DIGITS, len(constants))
        constants += net.collect_params()[names[index]].data().asnumpy().tobytes()
    return bytes(xml), np.frombuffer(bytes(constants) or b"\0", np.uint8)
