"""Bare OpenVINO: runs a compiled region's own program through OpenVINO's Python API, with nothing around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import gcd
from typing import Any

import numpy as np

from gluon_neuron.artifact.container import Payload, unpack
from gluon_neuron.dialect.in_openvino.importing import import_openvino

_DIGITS = 20


def bare_region(net: Any, sample: np.ndarray) -> Callable[[], Any] | None:
    """A call of the only region of `net` on `sample`; None when the model has several regions or inputs.

    A batch that is cut into parts is cut here too, and run in as many streams as share the cores evenly. Weights are
    constants in host memory, as the operator gives them to the engine; input and output tensors are bound once, so that
    a call is OpenVINO's own inference and nothing else.
    """
    regions = [n for n in net.collect_params() if n.endswith("_neuronbin")]
    if len(regions) != 1 or len(net.input_names) != 1:
        return None
    payload = unpack(memoryview(net.collect_params()[regions[0]].data().asnumpy())).payloads[0]
    openvino = import_openvino()
    xml, constants = _assemble(payload, net)
    core = openvino.Core()
    model = core.read_model(xml, openvino.Tensor(constants))
    parts = payload.program.get("parts", 1)
    streams = gcd(parts, len(os.sched_getaffinity(0)))
    config = {**payload.program["config"], **({"NUM_STREAMS": str(streams)} if streams > 1 else {})}
    compiled = core.compile_model(model, "CPU", config)
    pictures = np.split(np.ascontiguousarray(sample), parts)
    requests = [compiled.create_infer_request() for _ in pictures]
    for request, picture in zip(requests, pictures, strict=True):
        request.set_input_tensor(openvino.Tensor(picture, shared_memory=True))

    def run(_kept: tuple[list[np.ndarray], np.ndarray] = (pictures, constants)) -> list[np.ndarray]:
        # OpenVINO points into both, so they are to live as long as the function.
        if parts == 1:
            requests[0].infer()
        else:
            for request in requests:
                request.start_async()
            for request in requests:
                request.wait()
        return [np.asarray(request.get_output_tensor(0).data) for request in requests]

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
