"""Writes nodes in forms that keep their marks, for `bf16_products`.

OpenVINO rewrites many nodes when it loads a program, and what it makes of them has no mark: newer versions of an
operator become its first, a batch norm becomes a product and a sum, and x times a function of x a swish (seen in
OpenVINO 2026.4, by what the plugin says it runs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

import numpy as np

from ...dialect.in_openvino.builder import Builder

_MOVES = frozenset(
    ("Concat", "ReduceMean", "ReduceSum", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze")
)
"""What OpenVINO lets change places with a scale behind it."""

_GATE_DEPTH = 6
"""How many nodes a function of x may have that OpenVINO would join with a product with x."""


def write_with_marks_kept(build: Builder, nodes: Iterable[Any], varying: Set[str]) -> None:
    """Replace float32 nodes of a program by others of the same names and results that keep a mark."""
    for node in nodes:
        kind = node.get_type_name()
        if not node.outputs() or node.output(0).get_element_type().get_type_name() != "f32":
            continue
        if kind == "Multiply":
            _separate_gate(build, node)
            _separate_moves(build, node, varying)
        elif kind in _FORMS:
            readers = [list(value.get_target_inputs()) for value in node.outputs()]
            if any(readers[1:]):
                continue
            with build.scope(f"{node.get_friendly_name()}/marked"):
                new = _FORMS[kind](build, node)
            if new is not None:
                new.set_friendly_name(node.get_friendly_name())
                for reader in readers[0]:
                    reader.replace_source_output(new.output(0))


def _avg_pool(build: Builder, node: Any) -> Any:
    given = node.get_attributes()
    return build.ov.opset1.avg_pool(
        node.input_value(0),
        given["strides"],
        given["pads_begin"],
        given["pads_end"],
        given["kernel"],
        given["exclude-pad"],
        given["rounding_type"],
        given["auto_pad"],
    )


def _max_pool(build: Builder, node: Any) -> Any:
    given = node.get_attributes()
    if any(d != 1 for d in given["dilations"]):
        return None
    return build.ov.opset1.max_pool(
        node.input_value(0),
        given["strides"],
        given["pads_begin"],
        given["pads_end"],
        given["kernel"],
        given["rounding_type"],
        given["auto_pad"],
    )


def _softmax(build: Builder, node: Any) -> Any:
    rank = len(node.output(0).get_shape())
    return build.ov.opset1.softmax(node.input_value(0), node.get_attributes()["axis"] % rank)


def _pad(build: Builder, node: Any) -> Any:
    return build.ov.opset1.pad(*node.input_values()[:3], node.get_attributes()["pad_mode"], *node.input_values()[3:])


def scale_and_shift(build: Builder, node: Any) -> tuple[Any, Any]:
    """What a batch norm multiplies each channel with, and then adds."""
    x, gamma, beta, mean, variance = node.input_values()
    eps = build.const(node.get_attributes()["epsilon"], "float32")
    scale = build.divide(gamma, build.sqrt(build.add(variance, eps)))
    shift = build.subtract(beta, build.multiply(mean, scale))
    channels = build.const([1, -1, *[1] * (len(x.get_shape()) - 2)])
    return build.reshape(scale, channels, False), build.reshape(shift, channels, False)


def _batch_norm(build: Builder, node: Any) -> Any:
    scale, shift = scale_and_shift(build, node)
    x = node.input_value(0)
    if x.get_node().get_type_name() in _MOVES:  # see _separate_moves
        x = copy(build, x)
    return build.add(build.multiply(x, scale), shift)


def _broadcast(build: Builder, node: Any) -> Any:
    if len(node.input_values()) != 2:
        return None
    return build.ov.opset1.broadcast(*node.input_values())


def _mvn(build: Builder, node: Any) -> Any:
    """In parts over axes that are not the last, as the plugin computes it anyway, or that a transposition made last."""
    x, axes = node.input_values()
    given, rank = node.get_attributes(), len(x.get_shape())
    found = sorted(int(a) % rank for a in axes.get_node().get_data().ravel())
    turned = x.get_node().get_type_name() == "Transpose"
    if found == list(range(rank - len(found), rank)) and not turned:
        return None
    x = copy(build, x)
    centred = build.add(x, _opposite(build, build.reduce_mean(x, axes, True).output(0)))
    if not given["normalize_variance"]:
        return centred
    again = copy(build, centred.output(0))  # OpenVINO would find the whole again
    variance = build.reduce_mean(build.multiply(again, again), axes, True)
    eps = build.const(given["eps"], "float32")
    if given["eps_mode"] == "inside_sqrt":
        deviation = build.sqrt(build.add(variance, eps))
    else:
        deviation = build.add(build.sqrt(variance), eps)
    return build.multiply(centred, _reciprocal(build, deviation))


def _subtract(build: Builder, node: Any) -> Any:
    x, y = node.input_values()
    number = y.get_node()
    if number.get_type_name() == "Constant":  # which the search for gates looks for
        return build.add(x, build.const(-number.get_data(), "float32"))
    return build.add(x, _opposite(build, y))


def _opposite(build: Builder, value: Any) -> Any:
    return copy(build, build.multiply(value, build.const(-1, "float32")).output(0))


def _divide(build: Builder, node: Any) -> Any:
    x, y = node.input_values()
    number = y.get_node()
    if number.get_type_name() == "Constant":
        return build.multiply(x, build.const(_inverse(number.get_data()), "float32"))
    return build.multiply(x, _reciprocal(build, y))


def _reciprocal(build: Builder, value: Any) -> Any:
    """Separate from what is multiplied with it: OpenVINO would make a quotient of the two again."""
    return copy(build, build.power(value, build.const(-1, "float32")).output(0))


def _inverse(numbers: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.float32(1) / numbers)


def _interpolate(build: Builder, node: Any) -> Any:
    """In its older version, which has scales that nothing reads where it has sizes."""
    given = dict(node.get_attributes())
    if given["shape_calculation_mode"] != "sizes":
        return None
    x, size, axes = node.input_values()
    scales = build.const(np.ones(axes.get_shape()), "float32")
    inputs = [x, size, scales.output(0), axes]
    return build.of_opset("opset4", "Interpolate", inputs, given)


_FORMS: Mapping[str, Callable[[Builder, Any], Any]] = {
    "AvgPool": _avg_pool,
    "MaxPool": _max_pool,
    "Softmax": _softmax,
    "Pad": _pad,
    "Broadcast": _broadcast,
    "MVN": _mvn,
    "Subtract": _subtract,
    "Divide": _divide,
    "Interpolate": _interpolate,
    "BatchNormInference": _batch_norm,
}


def _separate_gate(build: Builder, product: Any) -> None:
    """Where x is multiplied with a function of x, let the one be a copy of the other."""
    x, y = product.input_values()
    for place, direct, gate in ((0, x, y), (1, y, x)):
        if direct in _behind(gate):
            with build.scope(f"{product.get_friendly_name()}/gate"):
                product.input(place).replace_source_output(copy(build, direct).output(0))
            return


def _separate_moves(build: Builder, product: Any, varying: Set[str]) -> None:
    """Where a value is moved and then scaled by a weight, keep OpenVINO from scaling it first."""
    for place, value in enumerate(product.input_values()):
        moved = value.get_node().get_name() in varying and value.get_node().get_type_name() in _MOVES
        if moved and product.input_value(1 - place).get_node().get_name() not in varying:
            with build.scope(f"{product.get_friendly_name()}/moved"):
                product.input(place).replace_source_output(copy(build, value).output(0))
            return


def copy(build: Builder, value: Any) -> Any:
    """A node that changes nothing and keeps a mark."""
    shape = list(value.get_shape())
    # One slope alone is another node to OpenVINO, without a mark.
    axis = next((i for i in (*range(1, len(shape)), 0) if i < len(shape) and shape[i] > 1), None)
    slopes = np.ones([n if i == axis else 1 for i, n in enumerate(shape)] or [1])
    return build.prelu(value, build.const(slopes, "float32"))


def _behind(value: Any) -> Iterable[Any]:
    for _ in range(_GATE_DEPTH):
        inputs = value.get_node().input_values()
        yield from inputs
        data = [v for v in inputs if v.get_node().get_type_name() != "Constant"]
        if len(data) != 1:
            return
        value = data[0]
