"""Keeps OpenVINO's CPU plugin from overwriting what it computes once, which makes every call but the first wrong.

What follows from weights alone, OpenVINO folds into constants where it has a function to do so. Where it has none (a
convolution, an ELU, an LSTM of weights), the plugin computes the node when the program is loaded, and then lets an
elementwise operator write its result over it, so that every later call starts from the result of the call before
(seen in OpenVINO 2026.4). Such a node is therefore made to depend on the data, by a zero, and is computed at each call.

Of what it folds, the absolute value of a vector that was itself folded keeps its signs: it is written as a maximum.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from ...dialect.in_openvino.builder import Builder
from .walk import is_data, walk

FOLDED = frozenset(
    (
        *("Abs", "Acos", "Acosh", "Add", "Asin", "Asinh", "Atan", "Atanh", "Broadcast", "Ceiling", "Clamp", "Concat"),
        *("Convert", "Cos", "Cosh", "CumSum", "DepthToSpace", "Divide", "Equal", "Erf", "Exp", "Floor", "FloorMod"),
        *("Gather", "Gelu", "Greater", "GreaterEqual", "HSwish", "Interpolate", "Less", "LessEqual", "Log"),
        *("LogicalAnd", "LogicalNot", "LogicalOr", "LogicalXor", "MatMul", "Maximum", "MaxPool", "Minimum"),
        *("Multiply", "MVN", "Negative", "NotEqual", "OneHot", "Pad", "Power", "PRelu", "ReduceL1", "ReduceL2"),
        *("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Relu", "Reshape", "Round", "Select"),
        *("Sigmoid", "Sign", "Sin", "Sinh", "Slice", "Softmax", "SoftPlus", "SpaceToDepth", "Split", "Sqrt", "Squeeze"),
        *("StridedSlice", "Subtract", "Swish", "Tan", "Tanh", "Tile", "TopK", "Transpose", "Unsqueeze"),
        "VariadicSplit",
    )
)
"""The types of nodes that OpenVINO folds when all their inputs are constant; any other is taken not to fold."""


def prevent_constant_overwrite(model: Any, data: Set[str]) -> int:
    """Make every node that depends on no parameter called as one of `data`, and that does not fold, depend on one.

    Returns how many nodes were changed. A model all of whose data are empty stays as it is: it computes nothing.
    """
    source = next((p for p in model.get_parameters() if is_data(p, data) and _size(p)), None)
    if source is None:
        return 0
    build = Builder()
    varying: set[str] = set()
    changed = 0
    zero = None
    for node, _ in walk(model.get_ordered_ops(), data, varying):
        kind = node.get_type_name()
        if node.get_name() in varying or kind in ("Parameter", "Constant", "Result"):
            continue
        if kind == "Abs":
            _write_as_maximum(build, node)
            changed += 1
        if kind in FOLDED:
            continue
        with build.scope("depends_on_data"):
            zero = zero or _zero(build, source)
            _add(build, node.input(0), zero)
        varying.add(node.get_name())
        changed += 1
    if changed:
        model.validate_nodes_and_infer_types()
    return changed


def _write_as_maximum(build: Builder, node: Any) -> None:
    x = node.input_value(0)
    with build.scope(f"{node.get_friendly_name()}/absolute"):
        new = build.maximum(x, build.negative(x))
    for reader in node.output(0).get_target_inputs():
        reader.replace_source_output(new.output(0))


def _size(parameter: Any) -> int:
    size = 1
    for extent in parameter.output(0).get_shape():
        size *= extent
    return size


def _zero(build: Builder, source: Any) -> Any:
    """A boolean that is always false, which OpenVINO has to compute from the data."""
    flat = build.reshape(source, build.const([-1]), False)
    first = build.convert(build.gather(flat, build.const([0]), build.const(0)), "boolean")
    return build.logical_and(first, build.const([False], "bool"))


def _add(build: Builder, place: Any, zero: Any) -> None:
    value = place.get_source_output()
    kind = value.get_element_type().get_type_name()
    changed = build.logical_or(value, zero) if kind == "boolean" else build.add(value, build.convert(zero, kind))
    place.replace_source_output(changed.output(0))
