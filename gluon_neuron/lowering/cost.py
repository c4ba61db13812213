"""How much work a node is: floating-point operations of one call, from its shapes and the facts at its rule."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ..errors import RegistrationError
from ..graph.bodies import steps
from ..graph.graph import Node
from .registry import rule_of

WORTH_FLOPS = 2_000_000
"""A region without a matrix product or convolution is kept from this much work on: about 0.2 ms on one core, some ten
times what a call costs."""


def worth_a_region(nodes: Sequence[Node]) -> bool:
    """Whether operators are together worth a compiled region, which costs a call of its own."""
    return any(map(heavy, nodes)) or sum(flops(n) for n in nodes) >= WORTH_FLOPS


def heavy(node: Node) -> bool:
    """Whether the node is worth a compiled region of its own."""
    rule = rule_of(node)
    return (rule is not None and rule.heavy) or any(heavy(n) for body in node.bodies for n in body.operators)


def flops(node: Node) -> int:
    """Floating-point operations of the node (a multiply-add counts two); 0 where shapes are unknown.

    Matrix products and convolutions are counted exactly, without padding's savings; every other operator as one
    operation per element of its largest input or output, and none where it only moves data.
    """
    specs = [s for s in (*node.ins, *node.outs.values()) if s is not None]
    rule = rule_of(node)
    if node.is_variable or not specs or (first := node.outs.get(0)) is None or (rule is not None and rule.moves):
        return 0
    out = first.shape
    if node.bodies:
        return steps(node) * sum(flops(n) for body in node.bodies for n in body.operators)
    if rule is not None and rule.kernel is not None:
        if rule.kernel >= len(node.ins):
            raise RegistrationError(
                f"{node}: its rule says that input {rule.kernel} is the kernel, but it has {len(node.ins)} inputs."
            )
        weight = node.ins[rule.kernel]
        return 2 * prod(out) * prod(weight.shape[1:]) if weight else 0
    if node.op == "Deconvolution" and node.ins[0] is not None and node.ins[1] is not None:
        return 2 * prod(node.ins[0].shape) * prod(node.ins[1].shape[1:])
    if node.op == "FullyConnected" and node.ins[1] is not None:
        return 2 * prod(out) * node.ins[1].shape[-1]
    if node.op in ("dot", "batch_dot", "_npi_matmul", "_np_dot", "_linalg_gemm", "_linalg_gemm2"):
        first = node.ins[0]
        if first is not None and first.shape:
            transposed = node.attrs.flag("transpose_a")
            inner = first.shape[-2] if transposed and len(first.shape) > 1 else first.shape[-1]
            return 2 * prod(out) * inner
    return max(s.size for s in specs)
