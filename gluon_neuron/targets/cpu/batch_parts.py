"""Into how many parts it pays to split a batch on the CPU: a core runs a part from end to end, waiting for no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from math import prod
from typing import Any, NamedTuple

from .walk import ordered, walk

LEAST = 150_000_000
"""Floating-point operations of a part, some milliseconds on one core. With less, a large product of all parts gains
more from its size than the parts do from their independence."""

REUSE = 16
KEPT = 16 << 20
"""A weight that a part uses less than `REUSE` times is read from memory again for each part. Up to `KEPT` bytes of such
weights stay in a core's share of the caches."""

ROWS = 256
"""Rows of a part in a product with a weight. With fewer, the product's kernels lose more than independence gains."""

# These were measured on two cores of a Xeon with AVX-512. Eight parts of one image run 1.05 to 1.3 times as fast as
# one batch in resnet50, mobilenetv2, squeezenet, densenet121 and inceptionv3 (0.6 GFLOP a part and more), 0.94 to 1.08
# times in small nets (80 MFLOP a part), and 0.93 times in vgg16, which has 494 MB of weights that an image uses once.
# BERT base for 8 sequences of 128 words: 1.03 in parts of two or four, 1 in parts of one; of 16 words, 0.68 in parts of
# one (16 rows each) and 0.97 in parts of four.


def batch_parts_that_pay(outputs: Iterable[Any], data: Set[str], batch: int) -> int:
    """How many equal parts a batch should be split into; 1 leaves it whole.

    `outputs` are those of a program in OpenVINO, `data` the names of the parameters that are not weights.
    """
    products = list(_products(outputs, data))
    operations = sum(p.operations for p in products)
    possible = (n for n in range(min(batch, 2 * operations // LEAST), 1, -1) if batch % n == 0)
    batch_parts = next((n for n in possible if 2 * _in_few_rows(products, n) <= operations), 1)
    kept = sum(4 * p.size for p in products if p.operations < REUSE * batch_parts * p.size)
    return batch_parts if kept <= KEPT else 1


class _Product(NamedTuple):
    """A convolution or a matrix product (which is `dense`): its multiply-adds, and its weight's size (0 without)."""

    operations: int
    size: int
    dense: bool


def _in_few_rows(products: Iterable[_Product], batch_parts: int) -> int:
    """The multiply-adds of matrix products with a weight of which a part has less than `ROWS` rows."""
    return sum(p.operations for p in products if p.dense and p.operations < ROWS * batch_parts * p.size)


def _products(outputs: Iterable[Any], data: Set[str]) -> Iterator[_Product]:
    for node, inputs in walk(ordered(outputs), data, set()):
        kind = node.get_type_name()
        operations = _multiply_adds(kind, node) if any(inputs) else 0
        if operations:
            fixed = [i for i in (0, 1) if not inputs[i]]
            size = prod(node.input_value(fixed[0]).get_shape()) if fixed else 0
            yield _Product(operations, size, kind == "MatMul")


def _multiply_adds(kind: str, node: Any) -> int:
    if kind == "MatMul":
        inner = -2 if node.get_attributes()["transpose_a"] and len(node.input_value(0).get_shape()) > 1 else -1
        return prod(node.output(0).get_shape()) * node.input_value(0).get_shape()[inner]
    if not kind.startswith(("Convolution", "GroupConvolution")):
        return 0
    # A kernel is (outputs, inputs, extents), the groups in front; of a transposed one (inputs, outputs, extents).
    kernel = prod(list(node.input_value(1).get_shape())[2 if kind.startswith("Group") else 1 :])
    points = node.input_value(0) if "Backprop" in kind else node.output(0)
    return prod(points.get_shape()) * kernel
