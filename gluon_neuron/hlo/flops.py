"""Floating-point operations of a module, as its instructions say them: what no fusion and no layout changes."""

from __future__ import annotations

from math import ceil, log2, prod

import numpy as np

from .fields import InConvolution, InDot, InInstruction, InWindow
from .loops import trip_count
from .module import Instruction, Module

_FLOATS = ("f16", "bf16", "f32", "f64", "f8e5m2", "f8e4m3", "f8e4m3fn", "f8e3m4")
# One operation for each element of the result; a transcendental counts as one too.
_ELEMENTWISE = frozenset(
    [
        *("abs", "add", "atan2", "cbrt", "ceil", "clamp", "cosine", "divide", "erf", "exponential"),
        *("exponential-minus-one", "floor", "log", "log-plus-one", "logistic", "maximum", "minimum", "multiply"),
        *("negate", "power", "remainder", "round-nearest-afz", "round-nearest-even", "rsqrt", "sign", "sine", "sqrt"),
        *("subtract", "tan", "tanh"),
    ]
)
# Beyond this many pairs of positions, or such strides, a dimension's padding is not looked at: no model has them.
_PAIRS = _LARGEST = 1 << 22


def flops(module: Module) -> int:
    """Operations of one run; a multiplication and an addition are two. A loop of unknown length runs once."""
    done: dict[int, int] = {}
    for c in module.computations:
        done[c.id] = sum(_of(i, done) for i in c.instructions)
    return done[module.entry.id]


def _of(i: Instruction, done: dict[int, int]) -> int:
    inner = sum(done.get(c.id, 0) for c in i.called)
    if i.opcode in _ELEMENTWISE:
        return i.shape.size if i.shape.type in _FLOATS else 0
    if i.opcode == "dot":
        return _dot(i)
    if i.opcode == "convolution":
        return _convolution(i)
    if i.opcode == "while":
        return inner * (trip_count(i) or 1)
    if i.opcode == "conditional":
        return max((done.get(c.id, 0) for c in i.called), default=0)
    # Those that apply a computation to elements, and how often.
    arrays = max(len(i.operands) // 2, 1)
    first = i.operands[0].shape if i.operands else i.shape
    result = i.shape.size // arrays
    if i.opcode in ("reduce", "all-reduce", "reduce-scatter"):
        return inner * max(first.size - result, 0)
    if i.opcode == "reduce-window":
        return inner * result * max(prod(i.window(InWindow.SIZE)) - 1, 0)
    if i.opcode == "scatter":
        return inner * (i.operands[-1].shape.size if i.operands else 0)
    if i.opcode == "map":
        return inner * result
    if i.opcode == "sort":
        axis = i.message.integers(InInstruction.DIMENSIONS)
        length = first.dims[axis[0]] if axis and 0 <= axis[0] < len(first.dims) else 1
        return inner * first.size * ceil(log2(max(length, 1)))
    return inner


def _dot(i: Instruction) -> int:
    numbers = i.message.message(InInstruction.DOT)
    left = i.operands[0].shape.dims if i.operands else ()
    contracted = numbers.integers(InDot.LEFT_CONTRACTING) if numbers else ()
    return 2 * i.shape.size * prod(left[d] for d in contracted if 0 <= d < len(left))


def _convolution(i: Instruction) -> int:
    """Positions that fall on padding or between dilated elements cost nothing."""
    numbers = i.message.message(InInstruction.CONVOLUTION)
    if numbers is None or len(i.operands) != 2:
        return 0
    data, kernel, out = (s.dims for s in (i.operands[0].shape, i.operands[1].shape, i.shape))
    spatial = [numbers.integers(n) for n in (InConvolution.INPUT_SPATIAL, InConvolution.OUTPUT_SPATIAL)]
    window = [i.window(n) for n in (InWindow.SIZE, InWindow.STRIDE, InWindow.PADDING_LOW)]
    window += [i.window(n) for n in (InWindow.WINDOW_DILATION, InWindow.BASE_DILATION)]
    features = numbers.integer(InConvolution.KERNEL_INPUT_FEATURE)
    axes = range(len(window[0]))
    if any(len(s) != len(axes) for s in spatial) or not 0 <= features < len(kernel):
        return 0
    if any(not 0 <= s[a] < len(dims) for s, dims in zip(spatial, (data, out)) for a in axes):
        return 0
    pairs = prod(_pairs(data[spatial[0][a]], out[spatial[1][a]], *(w[a] for w in window)) for a in axes)
    others = prod(out) // max(prod(out[spatial[1][a]] for a in axes), 1)
    return 2 * others * kernel[features] * pairs


def _pairs(size: int, out: int, window: int, stride: int, low: int, dilation: int, base: int) -> int:
    """How many pairs of a result's position and a kernel's position fall on an element of the input."""
    if min(size, out, window) < 1:
        return 0
    if out * window > _PAIRS or max(map(abs, (size, stride, low, dilation, base))) > _LARGEST:
        return out * window
    at = np.arange(out)[:, None] * max(stride, 1) + np.arange(window) * max(dilation, 1) - low
    base = max(base, 1)
    return int(((at >= 0) & (at <= (size - 1) * base) & (at % base == 0)).sum())
