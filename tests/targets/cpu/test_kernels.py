"""The kernels of an IR, and the nodes that went into each."""

from __future__ import annotations

import json

import numpy as np

from gluon_neuron.dialect.in_openvino.importing import import_openvino
from gluon_neuron.targets.cpu.kernels import kernels_of, split_names


def test_a_folded_batch_norm_keeps_its_name_and_constants_have_no_kernel(tmp_path):
    ov = import_openvino()
    from openvino import opset15 as op

    random = np.random.default_rng(0)

    def weight(*shape):
        return op.constant(random.uniform(0.5, 1, shape).astype("float32"))

    x = op.parameter([1, 3, 16, 16], ov.Type.f32, name="data")
    conv = op.convolution(x, weight(8, 3, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1], name="conv")
    norm = op.batch_norm_inference(conv, *[weight(8) for _ in range(4)], 1e-5, name="norm")
    model = ov.Model([op.result(op.relu(norm, name="relu, with a comma"))], [x], "net")
    ov.serialize(model, str(tmp_path / "m.xml"), str(tmp_path / "m.bin"))
    xml, constants = (tmp_path / "m.xml").read_bytes(), np.fromfile(tmp_path / "m.bin", np.uint8)
    found = kernels_of(xml, constants, json.loads('{"INFERENCE_PRECISION_HINT": "f32"}'))
    (kernel,) = (k for k in found if k.kind == "Convolution")
    assert {"norm/scaled", "relu, with a comma"} <= set(kernel.sources)
    assert "Const" not in {k.kind for k in found}
    assert [k.kind for k in found if k.kind in ("Input", "Convolution", "Output")] == ["Input", "Convolution", "Output"]


def test_names_are_split_where_names_end():
    known = {"a", "b,c", "d,e,f", "d"}
    assert split_names("a,b,c,d,e,f,d,Multiply_7", known) == ("a", "b,c", "d,e,f", "d", "Multiply_7")
    assert split_names("", known) == ()
