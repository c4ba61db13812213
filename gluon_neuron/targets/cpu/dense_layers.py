"""Writes products with weights in the form for which OpenVINO's CPU plugin has its fastest kernels.

The plugin chooses a kernel by how a product is written, not by what it costs (seen in OpenVINO 2026.4, its
`fullyconnected_implementations`):

- With AVX-512, a product that ends in an activation runs as a 1x1 convolution, whose width is the last axis but one.
  A layout of (T, N, C) has there the batch, and two words side by side run at a quarter of the speed. Such products
  get all rows in one axis; the result's own axes come back behind the activation, since the plugin undoes a reshape
  that follows a product.
- A product that ends in nothing runs in another library, which is 1.05 to 1.2 times slower with AVX-512 from some 128
  rows on. It gets an activation that changes no number: a leaky ReLU of slope 1.
"""

from __future__ import annotations

from collections.abc import Set
from math import prod
from typing import Any, NamedTuple

from ...dialect.in_openvino.builder import Builder
from .walk import walk

ROWS = 128
"""From so many rows on, the kernel of products with an activation is the faster one (two cores of a Xeon)."""

_ACTIVATIONS = frozenset(("Clamp", "Elu", "Gelu", "Relu", "Sigmoid", "Tanh"))
"""What the plugin computes together with the product before it, and what has no other input with axes of its own."""


class Rewritten(NamedTuple):
    """How many products were rewritten, and whether some got a form that is faster with AVX-512 alone."""

    products: int
    for_avx512: bool


def rewrite_dense_layers(model: Any, data: Set[str], avx512: bool, any_shape: bool = False) -> Rewritten:
    """Rewrite the products of float32 data, which follow from the parameters called as in `data`, with weights.

    `avx512` says whether the processor has it; with `any_shape` the numbers of rows do not matter, so that models of
    one net for several shapes keep the same form. What the model computes stays.
    """
    build = Builder()
    changed, for_avx512 = 0, False
    products, varying = _products(model, data)
    for product in products:
        shape = list(product.input(0).get_shape())
        rows = prod(shape[:-1])
        end, activated = _end(product, varying)
        readers = end.output(0).get_target_inputs()
        new = end
        with build.scope(f"{product.get_friendly_name()}/product"):
            joined = len(shape) == 3 and (any_shape or (shape[0] > 1 and shape[1] < ROWS))
            if joined:
                flat = build.reshape(product.input_value(0), build.const([rows, shape[-1]]), False)
                product.input(0).replace_source_output(flat.output(0))
            if avx512 and not activated and (any_shape or rows >= ROWS):
                new = build.prelu(new, build.const([1], "float32"))
                for_avx512 = True
            if joined:
                new = build.reshape(new, build.const([*shape[:-1], end.output(0).get_shape()[-1]]), False)
        if new is not end:
            changed += 1
            for reader in readers:
                reader.replace_source_output(new.output(0))
    if changed:
        model.validate_nodes_and_infer_types()
    return Rewritten(changed, for_avx512)


def _products(model: Any, data: Set[str]) -> tuple[list[Any], set[str]]:
    """The products of data with weights, and the names of all nodes that depend on data."""
    found: list[Any] = []
    varying: set[str] = set()
    for node, inputs in walk(model.get_ordered_ops(), data, varying):
        if node.get_type_name() == "MatMul" and inputs == [True, False] and _is_dense(node):
            found.append(node)
    return found, varying


def _is_dense(product: Any) -> bool:
    x, weight = product.input(0), product.input(1)
    return (
        not product.get_attributes()["transpose_a"]
        and len(x.get_shape()) >= 2
        and len(weight.get_shape()) == 2
        and x.get_element_type().get_type_name() == "f32"
    )


def _end(product: Any, varying: Set[str]) -> tuple[Any, bool]:
    """The last node that the plugin computes with the product, behind its bias, and whether that is an activation."""
    end = product
    while True:
        readers = list(end.output(0).get_target_inputs())
        if len(readers) != 1:
            return end, False
        node = readers[0].get_node()
        kind = node.get_type_name()
        if kind in _ACTIVATIONS:
            return node, True
        if kind != "Add" or not _is_bias(node.input_value(1 - readers[0].get_index()), varying):
            return end, False
        end = node


def _is_bias(value: Any, varying: Set[str]) -> bool:
    shape = list(value.get_shape())
    return value.get_node().get_name() not in varying and len(shape) <= 2 and prod(shape[:-1]) == 1
