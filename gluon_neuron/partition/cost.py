"""How much work a node is: floating-point operations of one call, from its shapes alone."""

from __future__ import annotations

from math import prod

from ..graph.bodies import steps
from ..graph.graph import Node

HEAVY = frozenset(
    (
        "Convolution",
        "Convolution_v1",
        "Deconvolution",
        "FullyConnected",
        "dot",
        "batch_dot",
        "_linalg_gemm",
        "_linalg_gemm2",
        "RNN",
        "_npi_matmul",
        "_np_dot",
        "_contrib_DeformableConvolution",
        "_contrib_ModulatedDeformableConvolution",
        "Correlation",
    )
)
"""Operators that are worth a compiled region of their own."""

_KERNELS = {
    "Convolution": 1,
    "Convolution_v1": 1,
    "_contrib_DeformableConvolution": 2,
    "_contrib_ModulatedDeformableConvolution": 3,
}
"""Which input of a convolution is its kernel."""

MOVES = frozenset(
    (
        "BlockGrad",
        "Cast",
        "Concat",
        "Crop",
        "Dropout",
        "Flatten",
        "Pad",
        "Reshape",
        "SliceChannel",
        "SwapAxis",
        "_copy",
        "_split_v2",
        "broadcast_like",
        "broadcast_to",
        "expand_dims",
        "flatten",
        "identity",
        "repeat",
        "reshape",
        "reshape_like",
        "reverse",
        "slice",
        "slice_axis",
        "slice_like",
        "squeeze",
        "stack",
        "tile",
        "transpose",
        "zeros_like",
        "ones_like",
    )
)
"""Operators that move data and compute nothing."""


def heavy(node: Node) -> bool:
    """Whether the node is worth a compiled region of its own."""
    return node.op in HEAVY or any(heavy(n) for body in node.bodies for n in body.operators)


def flops(node: Node) -> int:
    """Floating-point operations of the node (a multiply-add counts two); 0 where shapes are unknown.

    Matrix products and convolutions are counted exactly, without padding's savings; every other operator as one
    operation per element of its largest input or output, and none where it only moves data.
    """
    specs = [s for s in (*node.ins, *node.outs.values()) if s is not None]
    if node.is_variable or node.op in MOVES or not specs or node.outs[0] is None:
        return 0
    out = node.outs[0].shape
    if node.bodies:
        return steps(node) * sum(flops(n) for body in node.bodies for n in body.operators)
    if node.op in _KERNELS:
        weight = node.ins[_KERNELS[node.op]]
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
