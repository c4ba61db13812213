"""What the engine's kernels are made of: the names of a program's nodes that each of them computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dialect.in_openvino.importing import import_openvino


@dataclass(frozen=True)
class Kernel:
    """A kernel of a compiled program, by the engine's own name.

    `kind` is what it is ("Convolution"), `implementation` what executes it ("brgconv_avx512_f32"). `sources` are the
    friendly names of the nodes of the IR that went into it, and `reads` the names of the kernels whose results it
    reads. What the engine has put in by itself has a source that is in no IR, or none.
    """

    name: str
    kind: str
    implementation: str
    sources: tuple[str, ...]
    reads: tuple[str, ...] = ()


def kernels_of(xml: bytes, constants: np.ndarray[Any, Any], config: Mapping[str, str]) -> tuple[Kernel, ...]:
    """The kernels that a call runs, in the order of their execution, of the program that the engine compiles from
    these: an IR's text, the bytes (uint8) that its constants refer to, and settings."""
    openvino = import_openvino()
    core = openvino.Core()
    # The constants are where they are: the array may span addresses that nobody may read.
    model = core.read_model(xml, openvino.Tensor(constants, shared_memory=True))
    known = {node.get_friendly_name() for node in model.get_ops()}
    _decompose_batch_norms(model)
    compiled = core.compile_model(model, "CPU", dict(config))
    fixed: set[str] = set()
    found: list[tuple[int, Kernel]] = []
    for node in compiled.get_runtime_model().get_ordered_ops():
        kernel = _kernel(node, known)
        # What follows from constants alone is computed once.
        if kernel.kind == "Const" or (kernel.reads and fixed.issuperset(kernel.reads)):
            fixed.add(kernel.name)
        else:
            found.append((int(_text(node, "execOrder") or -1), kernel))
    return tuple(kernel for _, kernel in sorted(found, key=lambda each: each[0]))


def _decompose_batch_norms(model: Any) -> None:
    """Write each batch norm as OpenVINO does itself before all else, but with its name on both parts.

    OpenVINO's own multiplication gets a number for a name, and then a convolution that it is folded into gets that.
    """
    from openvino import opset15

    for node in model.get_ordered_ops():
        if node.get_type_name() != "BatchNormInference":
            continue
        x, gamma, beta, mean, variance = node.input_values()
        name, kind = node.get_friendly_name(), x.get_element_type()
        epsilon = opset15.constant(node.get_attributes()["epsilon"], kind)
        scale = opset15.divide(gamma, opset15.sqrt(opset15.add(variance, epsilon)))
        bias = opset15.subtract(beta, opset15.multiply(mean, scale))
        axes = opset15.constant(np.array([-1] + [1] * (x.get_partial_shape().rank.get_length() - 2)))
        scaled = opset15.multiply(x, opset15.reshape(scale, axes, False))
        scaled.set_friendly_name(f"{name}/scaled")
        made = opset15.add(scaled, opset15.reshape(bias, axes, False))
        made.set_friendly_name(name)
        for reader in node.output(0).get_target_inputs():
            reader.replace_source_output(made.output(0))
    model.validate_nodes_and_infer_types()


def _kernel(node: Any, known: set[str]) -> Kernel:
    sources = split_names(_text(node, "originalLayersNames"), known)
    reads = tuple(value.get_node().get_friendly_name() for value in node.input_values())
    return Kernel(node.get_friendly_name(), _text(node, "layerType"), _text(node, "primitiveType"), sources, reads)


def _text(node: Any, key: str) -> str:
    info = node.get_rt_info()
    return str(info[key].astype(str)) if key in info else ""


def split_names(joined: str, known: set[str]) -> tuple[str, ...]:
    """The names in a list joined by commas, which the names may hold themselves: the longest known one each time."""
    parts = joined.split(",") if joined else []
    found: list[str] = []
    while parts:
        count = next((n for n in range(len(parts), 1, -1) if ",".join(parts[:n]) in known), 1)
        found.append(",".join(parts[:count]))
        parts = parts[count:]
    return tuple(found)
