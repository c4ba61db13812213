"""Writes products so that OpenVINO's CPU plugin stores their results in float32, for `bf16_products`.

The plugin stores what the last node says that it computes in the same kernel. A product that ends in nothing, or in its
bias, gets an activation that changes no number: a leaky ReLU of slope 1 (seen in OpenVINO 2026.4, by what the plugin
says it runs). It takes that, with one slope for each channel, behind products of two and three axes, and of four where
both sides are data; and a slope for a single channel becomes another node.
So others get such axes, or a second channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from math import prod
from typing import Any

import numpy as np

from ...dialect.in_openvino.builder import Builder
from .marked_forms import copy

TRANSPOSED = frozenset(("ConvolutionBackpropData", "GroupConvolutionBackpropData"))
"""Products behind which the plugin computes no slope of a channel."""

_CONVOLUTIONS = frozenset(("Convolution", "GroupConvolution"))
_MOVES = frozenset(("Reshape", "Squeeze", "Unsqueeze"))
_DENSE_AXES, _BATCHED_AXES = 3, 4
"""Up to how many axes of its result the plugin computes a slope with a product with weights, and with one of data."""


def channel_axis(product: Any) -> int:
    """The axis of a product's result that its weight's units make."""
    return len(product.output(0).get_shape()) - 1 if product.get_type_name() == "MatMul" else 1


def store_float32(build: Builder, chain: list[Any]) -> bool:
    """Have the end of a product and of what is computed with it stored in float32; false where there is no way."""
    product, end = chain[0], chain[-1]
    shape = list(product.output(0).get_shape())
    if product.get_type_name() in TRANSPOSED:
        return False
    axis = channel_axis(product)
    readers = end.output(0).get_target_inputs()
    with build.scope(f"{end.get_friendly_name()}/float32"):
        if shape[axis] == 1:
            readers = product.output(0).get_target_inputs()
            _add_a_channel(build, product)
            rank = _lose_axes(build, [product])
            if rank:
                doubled = build.prelu(product, build.const(_ones(rank - 1, rank, 2), "float32"))
                # The product's own shape is not inferred again yet.
                doubled = build.reshape(doubled, build.const([*shape[:-1], -1]), False)
            else:
                doubled = build.prelu(product, build.const(_ones(axis, len(shape), 2), "float32"))
            places = ([0], [1], [1], [axis])  # from, to, step, axes
            new = build.slice(doubled, *map(build.const, places))
        elif rank := _lose_axes(build, chain):
            kept = build.prelu(end, build.const(_ones(rank - 1, rank, shape[-1]), "float32"))
            new = build.reshape(kept, build.const(shape), False)
        else:
            new = build.prelu(end, build.const(_ones(axis, len(shape), shape[axis]), "float32"))
    for reader in readers:
        reader.replace_source_output(new.output(0))
    return True


def _ones(axis: int, rank: int, channels: int) -> np.ndarray:
    """Slopes that change nothing; all in one axis, they would become another node, without a mark."""
    return np.ones([channels if i == axis else 1 for i in range(rank)])


def _add_a_channel(build: Builder, product: Any) -> None:
    """Let a product of one channel compute it twice."""
    weight = product.input_value(1)
    axis = 0 if product.get_type_name() == "Convolution" else 1
    if product.get_type_name() == "MatMul":
        axis = len(weight.get_shape()) - (2 if product.get_attributes()["transpose_b"] else 1)
    product.input(1).replace_source_output(build.concat([weight, weight], axis).output(0))


def _lose_axes(build: Builder, chain: list[Any]) -> int:
    """Join the leading axes of a matrix product; how many are left, or 0 where it had no more than can stay."""
    product = chain[0]
    if product.get_type_name() != "MatMul":
        return 0
    shape = list(product.output(0).get_shape())
    left, right = product.input_value(0), product.input_value(1)
    turned = product.get_attributes()["transpose_a"]
    if len(right.get_shape()) == 2 and not turned:
        if len(shape) <= _DENSE_AXES:
            return 0
        rank = 2
        _reshape_input(build, product, 0, [prod(shape[:-1]), left.get_shape()[-1]])
    else:
        if len(shape) <= _BATCHED_AXES:
            return 0
        rank = 3
        batch = shape[:-2]
        for place, value in enumerate((left, right)):
            own = list(value.get_shape())
            if own[:-2] != batch:
                wide = build.broadcast(value, build.const([*batch, *own[-2:]]))
                product.input(place).replace_source_output(wide.output(0))
            _reshape_input(build, product, place, [prod(batch), *own[-2:]])
    for before, node in zip(chain, chain[1:]):
        for place, value in enumerate(node.input_values()):
            if value.get_node().get_name() != before.get_name() and len(value.get_shape()) > 1:
                _reshape_input(build, node, place, [prod(value.get_shape())])
    return rank


def _reshape_input(build: Builder, node: Any, place: int, shape: list[int]) -> None:
    node.input(place).replace_source_output(build.reshape(node.input_value(place), build.const(shape), False).output(0))


def separate_scale(build: Builder, nodes: Iterable[Any], varying: Set[str]) -> None:
    """Keep the scales behind products in float32 out of their weights: OpenVINO makes that a product without a mark."""
    for node in nodes:
        end = node
        while (reader := _weighted(end, ("Add",), varying)) is not None:
            end = reader
        if _weighted(end, ("BatchNormInference", "Divide", "Multiply"), varying) is not None:
            _copy(build, end)


def _weighted(node: Any, kinds: tuple[str, ...], varying: Set[str]) -> Any:
    """The one reader of a node, if it is of a kind and its other inputs follow from no data; or None."""
    readers = list(node.output(0).get_target_inputs())
    if len(readers) != 1 or readers[0].get_node().get_type_name() not in kinds:
        return None
    found, place = readers[0].get_node(), readers[0].get_index()
    others = [value for i, value in enumerate(found.input_values()) if i != place]
    return None if any(value.get_node().get_name() in varying for value in others) else found


def _copy(build: Builder, node: Any) -> None:
    readers = node.output(0).get_target_inputs()
    with build.scope(f"{node.get_friendly_name()}/unscaled"):
        new = copy(build, node.output(0))
    for reader in readers:
        reader.replace_source_output(new.output(0))


def own_biases(build: Builder, products: Iterable[Any], varying: Set[str]) -> None:
    """Give every convolution a bias of its own: the plugin computes one that others read, too, apart from its product.

    OpenVINO joins equal nodes, reshapes of one weight among them, but not the parts of an array.
    """
    uses: dict[str, list[tuple[Any, int]]] = {}
    origins: dict[str, Any] = {}
    for product in products:
        if product.get_type_name() not in _CONVOLUTIONS:
            continue
        for node, place in _shifts(product, varying):
            origin = _origin(node.input_value(place))
            origins[origin.get_node().get_name()] = origin
            uses.setdefault(origin.get_node().get_name(), []).append((node, place))
    for name, places in uses.items():
        origin = origins[name]
        if _reader_count(origin) < 2:
            continue
        with build.scope(f"{origin.get_node().get_friendly_name()}/own"):
            shape = list(origin.get_shape())
            count = len(places) + 1
            copies = build.broadcast(
                build.reshape(origin, build.const([1, *shape]), False), build.const([count, *shape])
            )
            parts = build.split(copies, build.const(0), count)
            for k, (node, place) in enumerate(places):
                own = build.reshape(parts.output(k), build.const(list(node.input_value(place).get_shape())), False)
                node.input(place).replace_source_output(own.output(0))


def _shifts(product: Any, varying: Set[str]) -> Iterable[tuple[Any, int]]:
    """The nodes that add weights to a product, directly or behind one another, with the place of the weight."""
    node = product
    while True:
        readers = list(node.output(0).get_target_inputs())
        if len(readers) != 1:
            return
        node, place = readers[0].get_node(), readers[0].get_index()
        kind = node.get_type_name()
        if kind == "BatchNormInference":
            yield node, 2
        elif kind in ("Add", "Multiply"):
            if node.input_value(1 - place).get_node().get_name() in varying:
                return
            if kind == "Add":
                yield node, 1 - place
        else:
            return


def _origin(value: Any) -> Any:
    while value.get_node().get_type_name() in _MOVES:
        value = value.get_node().input_value(0)
    return value


def _reader_count(value: Any) -> int:
    """How many read a value as it is or reshaped."""
    count = 0
    for place in value.get_target_inputs():
        node = place.get_node()
        count += _reader_count(node.output(0)) if node.get_type_name() in _MOVES else 1
    return count
