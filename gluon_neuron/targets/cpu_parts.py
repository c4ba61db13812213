"""Into how many parts a batch is worth being cut on the CPU: a core runs a part from end to end, and waits for none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from math import prod
from typing import Any

LEAST = 150_000_000
"""Floating-point operations of a part, some milliseconds on one core. With less, a large product of all parts gains
more from its size than the parts do from their independence."""

REUSE = 16
KEPT = 16 << 20
"""A weight that a part uses less than `REUSE` times is read from memory for each part anew. Up to `KEPT` bytes of such
weights stay in a core's share of the caches."""

# Both were measured on two cores of a Xeon with AVX-512. Eight parts of one picture run 1.05 to 1.3 times as fast as
# one batch in resnet50, mobilenetv2, squeezenet, densenet121 and inceptionv3 (0.6 GFLOP a part and more), 0.94 to 1.08
# times in small nets (80 MFLOP a part), and 0.93 times in vgg16, which has 494 MB of weights that a picture uses once.


def parts_that_pay(outputs: Iterable[Any], data: Set[str], batch: int) -> int:
    """How many equal parts of a batch are worth being run apart; 1 for none.

    `outputs` are those of a program in OpenVINO, `data` the names of the parameters that are no weights.
    """
    products = list(_products(outputs, data))
    most = min(batch, sum(2 * operations for operations, _ in products) // LEAST)
    parts = max((n for n in range(1, most + 1) if batch % n == 0), default=1)
    kept = sum(4 * size for operations, size in products if operations < REUSE * parts * size)
    return parts if kept <= KEPT else 1


def _products(outputs: Iterable[Any], data: Set[str]) -> Iterator[tuple[int, int]]:
    """The multiply-adds of each convolution and matrix product, and the size of its weight (0 without one)."""
    todo = [(output.get_node(), False) for output in outputs]
    seen: set[str] = set()
    varying: set[str] = set()
    while todo:
        node, inputs_seen = todo.pop()
        name = node.get_name()
        if not inputs_seen:
            if name not in seen:
                seen.add(name)
                todo.append((node, True))
                todo += [(value.get_node(), False) for value in node.input_values()]
            continue
        kind = node.get_type_name()
        inputs = [value.get_node().get_name() in varying for value in node.input_values()]
        if any(inputs) or (kind == "Parameter" and not data.isdisjoint(node.output(0).get_names())):
            varying.add(name)
        operations = _multiply_adds(kind, node) if any(inputs) else 0
        if operations:
            fixed = [i for i in (0, 1) if not inputs[i]]
            yield operations, prod(node.input_value(fixed[0]).get_shape()) if fixed else 0


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
