"""Keeps OpenVINO's CPU plugin from giving one layer a weight that it has laid out for another.

It lays a weight out once for all layers that read it, and knows it by its place in memory and its extents. A
convolution and a transposed one read the same weight with its first two axes swapped, and products read a square
matrix as it is or transposed: where these share a weight, one of them gets the other's (seen in OpenVINO 2026.4, also
through reshapes, which share the memory, and transposes, which a product takes over). Each way of reading a weight but
the first is therefore given a copy.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from ...dialect.in_openvino.builder import Builder
from .walk import walk

_VIEWS = frozenset(("Reshape", "Squeeze", "Unsqueeze"))
_FILTERED = frozenset(("Convolution", "ConvolutionBackpropData", "GroupConvolution", "GroupConvolutionBackpropData"))
"""Layers whose second input is a weight."""


def separate_shared_weights(model: Any, data: Set[str]) -> None:
    """Give every way of reading a weight an array of its own.

    What depends on no parameter called as one of `data` is a weight.
    """
    build = Builder()
    varying: set[str] = set()
    first: dict[tuple[str, int], tuple[object, ...]] = {}
    copies: dict[tuple[object, ...], Any] = {}
    made: dict[tuple[str, int], int] = {}
    for node, depends in list(walk(model.get_ordered_ops(), data, varying)):
        for k, way in _ways(node, depends):
            value = node.input_value(k)
            root, turns = _root(value)
            way = *way, turns
            source = root.get_node().get_name(), root.get_index()
            if first.setdefault(source, way) == way or max(value.get_shape(), default=1) < 2:
                continue
            key = (*source, way, tuple(value.get_shape()))
            if key not in copies:
                number = made.get(source, 0)
                made[source] = number + 1
                with build.scope(f"{node.get_friendly_name()}/own_weight"):
                    copies[key] = _copy(build, value, number)
            node.input(k).replace_source_output(copies[key])


def _ways(node: Any, depends: list[bool]) -> list[tuple[int, tuple[object, ...]]]:
    """The inputs of a layer that are weights, each with the way in which the layer reads it."""
    kind = node.get_type_name()
    if kind in _FILTERED and not depends[1]:
        return [(1, (kind,))]
    if kind == "MatMul":
        transposed = node.get_attributes()
        flags = bool(transposed["transpose_a"]), not transposed["transpose_b"]
        return [(k, (kind, flags[k])) for k in (0, 1) if not depends[k]]
    return []


def _root(value: Any) -> tuple[Any, tuple[tuple[int, ...], ...]]:
    """What a value is a view of, and how it is transposed on the way: the layer may take that over."""
    turns: list[tuple[int, ...]] = []
    while (kind := value.get_node().get_type_name()) in _VIEWS or kind == "Transpose":
        if kind == "Transpose":
            turns.append(tuple(_order(value.get_node().input_value(1).get_node())))
        value = value.get_node().input_value(0)
    return value, tuple(turns)


def _order(node: Any) -> Sequence[int]:
    return [int(n) for n in node.data] if node.get_type_name() == "Constant" else []


def _copy(build: Builder, value: Any, number: int) -> Any:
    """The same elements elsewhere: of parts, which OpenVINO joins when it loads the program.

    What is computed in the same way it computes once, so each copy, by its number, is cut elsewhere.
    """
    cuts = [(axis, at) for axis, extent in enumerate(value.get_shape()) for at in range(1, extent)]
    while number >= 0:
        axis, at = cuts[number % len(cuts)]
        one, axes = build.const([1]), build.const([axis])
        parts = [
            build.slice(value, build.const([begin]), build.const([end]), one, axes)
            for begin, end in ((0, at), (at, value.get_shape()[axis]))
        ]
        value = build.concat(parts, axis).output(0)
        number -= len(cuts)
    return value
