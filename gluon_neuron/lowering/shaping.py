"""Operators that move, repeat or relabel elements without looking at their values."""

from __future__ import annotations

from typing import Any

from ..graph.graph import Node
from .common import first_of
from .extents import axes_of, axis_of, nonempty
from .registry import ANY, rule


def _row_major(n: Node) -> str | None:
    """Refuse orders other than "C"."""
    order = n.attrs.text("order", "C")
    return None if order == "C" else f"order={order!r} is not compiled; only 'C' is"


@rule(
    "Reshape",
    "reshape",
    "Flatten",
    "flatten",
    "expand_dims",
    "_npi_expand_dims",
    "squeeze",
    dtypes=ANY,
    refuse=nonempty,
    moves=True,
)
@rule("_np_squeeze", "_npx_batch_flatten", dtypes=ANY, refuse=nonempty, moves=True)
@rule("_np_reshape", "_npx_reshape", "_npi_reshape", dtypes=ANY, refuse=first_of(nonempty, _row_major), moves=True)
def reshape(xp: Any, n: Node, x: Any) -> Any:
    """The same elements in another shape; what 0, -1, -2, -3, -4 and reverse mean is in MXNet's inferred shape."""
    return xp.reshape(x, n.out.shape)


@rule("reshape_like", "_npx_reshape_like", dtypes=ANY, refuse=nonempty, moves=True)
def reshape_like(xp: Any, n: Node, x: Any, like: Any) -> Any:
    """The elements of x in a shape that follows the other input."""
    return xp.reshape(x, n.out.shape)


@rule("transpose", "_np_transpose", dtypes=ANY, refuse=nonempty, moves=True)
def transpose(xp: Any, n: Node, x: Any) -> Any:
    """Permute the axes; without `axes` they are reversed."""
    return xp.permute_dims(x, axes_of(n, "axes", x.ndim) or tuple(reversed(range(x.ndim))))


@rule("SwapAxis", "swapaxes", "_npi_swapaxes", dtypes=ANY, refuse=nonempty, moves=True)
def swap_axis(xp: Any, n: Node, x: Any) -> Any:
    """Exchange two axes."""
    order = list(range(x.ndim))
    a, b = axis_of(n, "dim1", 0, x.ndim), axis_of(n, "dim2", 0, x.ndim)
    order[a], order[b] = order[b], order[a]
    return xp.permute_dims(x, tuple(order))


@rule("_np_moveaxis", dtypes=ANY, refuse=nonempty)
def moveaxis(xp: Any, n: Node, x: Any) -> Any:
    """Move axes to new places; the others keep their order."""
    source, target = axes_of(n, "source", x.ndim), axes_of(n, "destination", x.ndim)
    order = [a for a in range(x.ndim) if a not in source]
    for place, axis in sorted(zip(target, source)):
        order.insert(place, axis)
    return xp.permute_dims(x, tuple(order))


@rule("broadcast_to", "broadcast_axis", "broadcast_axes", "_npi_broadcast_to", dtypes=ANY, refuse=nonempty, moves=True)
def broadcast_to(xp: Any, n: Node, x: Any) -> Any:
    """Repeat along axes of size 1."""
    return xp.broadcast_to(x, n.out.shape)


@rule("broadcast_like", dtypes=ANY, refuse=nonempty, moves=True)
def broadcast_like(xp: Any, n: Node, x: Any, like: Any) -> Any:
    """Repeat x along axes of size 1 up to the sizes of the other input."""
    return xp.broadcast_to(x, n.out.shape)


@rule("tile", "_npi_tile", dtypes=ANY, refuse=nonempty, moves=True)
def tile(xp: Any, n: Node, x: Any) -> Any:
    """Repeat the whole array `reps` times along each axis; a longer `reps` adds axes in front."""
    reps = n.attrs.ints("reps")
    ndim = max(len(reps), x.ndim)
    reps = (1,) * (ndim - len(reps)) + reps
    shape = (1,) * (ndim - x.ndim) + x.shape
    before: list[int] = []
    after: list[int] = []
    for size, count in zip(shape, reps):
        # An axis of size 1 is broadcast as it is; any other gets an axis of copies before it.
        copies = [] if count == 1 or size == 1 else [count]
        before += [1] * len(copies) + [size]
        after += copies + [size * count if size == 1 else size]
    return xp.reshape(xp.broadcast_to(xp.reshape(x, tuple(before)), tuple(after)), n.out.shape)


@rule("repeat", "_np_repeat", dtypes=ANY, refuse=nonempty, moves=True)
def repeat(xp: Any, n: Node, x: Any) -> Any:
    """Repeat each element along `axis`, or of the flattened array."""
    count = n.attrs.integer("repeats")
    if not n.attrs.has("axis"):
        x, axis = xp.reshape(x, (x.size,)), 0
    else:
        axis = axis_of(n, "axis", 0, x.ndim)
    head, tail = x.shape[: axis + 1], x.shape[axis + 1 :]
    x = xp.broadcast_to(xp.reshape(x, (*head, 1, *tail)), (*head, count, *tail))
    return xp.reshape(x, n.out.shape)


@rule("reverse", "flip", "_npi_flip", dtypes=ANY, refuse=nonempty, moves=True)
def reverse(xp: Any, n: Node, x: Any) -> Any:
    """Reverse the order along the axes."""
    axes = axes_of(n, "axis", x.ndim)
    return xp.flip(x, axes) if axes else x


@rule("depth_to_space", dtypes=ANY, refuse=nonempty)
def depth_to_space(xp: Any, n: Node, x: Any) -> Any:
    """x (N, b*b*C, H, W) to (N, C, H*b, W*b); the block's rows and columns come first among the channels."""
    batch, channels, height, width = x.shape
    b = n.attrs.integer("block_size")
    x = xp.reshape(x, (batch, b, b, channels // (b * b), height, width))
    return xp.reshape(xp.permute_dims(x, (0, 3, 4, 1, 5, 2)), n.out.shape)


@rule("space_to_depth", dtypes=ANY, refuse=nonempty)
def space_to_depth(xp: Any, n: Node, x: Any) -> Any:
    """x (N, C, H*b, W*b) to (N, b*b*C, H, W), the inverse of depth_to_space."""
    batch, channels, height, width = x.shape
    b = n.attrs.integer("block_size")
    x = xp.reshape(x, (batch, channels, height // b, b, width // b, b))
    return xp.reshape(xp.permute_dims(x, (0, 3, 5, 1, 2, 4)), n.out.shape)
