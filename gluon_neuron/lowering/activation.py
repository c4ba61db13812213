"""Activations, softmax and its variants, and the output layers of the symbolic API at inference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.graph import Node
from .common import first_of, only_first_output, same_dtypes
from .registry import ANY, FLOATS, NUMBERS, rule

_ACTIVATIONS = {"relu": "relu", "sigmoid": "sigmoid", "softrelu": "softplus", "softsign": "softsign", "tanh": "tanh"}


@rule("Activation", "_npx_activation")
def activation(xp: Any, n: Node, x: Any) -> Any:
    """relu, sigmoid, softrelu, softsign or tanh."""
    y = getattr(xp, _ACTIVATIONS[n.attrs.text("act_type")])(x)
    if n.attrs.text("act_type") == "softrelu" and x.dtype == "float64":
        # MXNet takes x itself from 20 on, where only float64 shows the difference.
        return xp.where(xp.greater(x, 20.0), x, y)
    return y


@rule("relu", "_npx_relu", dtypes=NUMBERS)
def relu(xp: Any, n: Node, x: Any) -> Any:
    """max(x, 0), of integers too."""
    return xp.relu(x) if x.dtype in FLOATS else xp.maximum(x, 0)


@rule("hard_sigmoid")
def hard_sigmoid(xp: Any, n: Node, x: Any) -> Any:
    """clip(alpha * x + beta, 0, 1)."""
    return xp.hard_sigmoid(x, n.attrs.single("alpha", 0.2), n.attrs.single("beta", 0.5))


def _slope(n: Node) -> str | None:
    """Refuse a slope of PReLU that is neither one number nor one for each channel."""
    if n.attrs.text("act_type", "leaky") != "prelu":
        return None
    data, slope = n.in_spec(0).shape, n.in_spec(1).shape
    if not data:
        return "act_type='prelu' of data without axes, which has no channels"
    channels = data[min(1, len(data) - 1)]
    return None if slope in ((1,), (channels,)) else f"the slope's shape {slope} is neither (1,) nor ({channels},)"


@rule("LeakyReLU", "_npx_leaky_relu", refuse=first_of(only_first_output, same_dtypes, _slope))
def leaky_relu(xp: Any, n: Node, x: Any, slope: Any = None) -> Any:
    """leaky, prelu (slope (C,) or (1,)), elu, selu, gelu, rrelu with its mean slope."""
    kind, given = n.attrs.text("act_type", "leaky"), n.attrs.single("slope", 0.25)
    if kind == "elu":
        return xp.elu(x, given)
    if kind in ("selu", "gelu"):
        return getattr(xp, kind)(x)
    if kind == "prelu":
        if x.ndim > 1:
            slope = xp.reshape(slope, (1, slope.size) + (1,) * (x.ndim - 2))
        return xp.prelu(x, slope)
    if kind == "rrelu":
        given = (n.attrs.single("lower_bound", 0.125) + n.attrs.single("upper_bound", 0.334)) / 2
    return xp.prelu(x, given)


def _softmax_refusal(n: Node) -> str | None:
    """Refuse dtypes other than floats, data without axes, and a temperature of 0."""
    if n.in_spec(0).dtype not in FLOATS or n.out.dtype not in FLOATS:
        return f"{n.op} of {n.in_spec(0).dtype} is not compiled; cast to a floating-point dtype first"
    if not n.in_spec(0).shape:
        return "its data has no axes"
    if n.attrs.number("temperature", 1.0) == 0:
        return "temperature=0 divides by zero"
    return None


_RANK = ("bfloat16", "float16", "float32", "float64")


def _prepared(xp: Any, n: Node, x: Any) -> tuple[Any, int]:
    """x in the wider of its own and the output's dtype, divided by the temperature; and the axis."""
    x = xp.astype(x, max(x.dtype, n.out.dtype, key=_RANK.index))
    temperature = n.attrs.number("temperature", 1.0)
    return x if temperature == 1 else xp.divide(x, temperature), n.attrs.integer("axis", -1) % x.ndim


@rule("softmax", "_npx_softmax", refuse=_softmax_refusal, dtypes=NUMBERS)
def softmax(xp: Any, n: Node, x: Any, length: Any = None) -> Any:
    """Over one axis. With use_length each row has its own length, and what lies beyond it gives 0."""
    x, axis = _prepared(xp, n, x)
    if length is None:
        return xp.astype(xp.softmax(x, axis), n.out.dtype)
    positions = xp.arange(0, x.shape[axis], 1, "int32")
    positions = xp.reshape(positions, tuple(d if i == axis else 1 for i, d in enumerate(x.shape)))
    inside = xp.less(positions, xp.expand_dims(xp.astype(length, "int32"), axis))
    lowest = -6e4 if x.dtype == "float16" else -1e30
    y = xp.where(inside, xp.softmax(xp.where(inside, x, lowest), axis), 0.0)
    return xp.astype(y, n.out.dtype)


@rule("log_softmax", "_npx_log_softmax", refuse=_softmax_refusal)
def log_softmax(xp: Any, n: Node, x: Any) -> Any:
    """The logarithm of softmax."""
    x, axis = _prepared(xp, n, x)
    return xp.astype(xp.log_softmax(x, axis), n.out.dtype)


@rule("softmin", refuse=_softmax_refusal)
def softmin(xp: Any, n: Node, x: Any) -> Any:
    """Softmax of -x."""
    x, axis = _prepared(xp, n, x)
    return xp.astype(xp.softmax(xp.negative(x), axis), n.out.dtype)


def _channel_mode(n: Node) -> str | None:
    """Refuse mode="channel" below three dimensions."""
    ndim = len(n.in_spec(0).shape)
    if n.attrs.text("mode", "instance") == "channel" and ndim < 3:
        return f"mode='channel' of {ndim}-d data; MXNet needs 3 dimensions"
    return None


@rule("SoftmaxActivation", refuse=_channel_mode)
def softmax_activation(xp: Any, n: Node, x: Any) -> Any:
    """mode 'channel' is over axis 1, 'instance' over the last axis, whatever the documentation says."""
    return xp.softmax(x, 1 if n.attrs.text("mode", "instance") == "channel" else x.ndim - 1)


def _softmax_output(n: Node) -> str | None:
    """Refuse data below two dimensions, and 4-d data without multi_output or preserve_shape."""
    ndim = len(n.in_spec(0).shape)
    if ndim < 2:
        return f"its data has {ndim} dimensions; at least 2 are compiled"
    if ndim == 4 and not n.attrs.flag("multi_output") and not n.attrs.flag("preserve_shape"):
        return "of 4-d data MXNet's result depends on whether oneDNN is on; set multi_output or preserve_shape"
    return _data_is_float(n)


def _data_is_float(n: Node) -> str | None:
    """Refuse data that is not floating-point."""
    return None if n.in_spec(0).dtype in FLOATS else f"its data is {n.in_spec(0).dtype}, not floating-point"


@rule("SoftmaxOutput", "Softmax", refuse=_softmax_output, dtypes=ANY)
def softmax_output(xp: Any, n: Node, x: Any, label: Any = None) -> Any:
    """Softmax over axis 1 (multi_output), the last (preserve_shape), or all but the batch; ignores the label."""
    if n.attrs.flag("multi_output"):
        return xp.softmax(x, 1)
    if n.attrs.flag("preserve_shape") or x.ndim == 2:
        return xp.softmax(x, x.ndim - 1)
    flat = xp.reshape(x, (x.shape[0], x.size // max(1, x.shape[0])))
    return xp.reshape(xp.softmax(flat, 1), x.shape)


def _output_layer(name: str, function: Callable[[Any, Any], Any]) -> None:
    @rule(name, refuse=_data_is_float, dtypes=ANY)
    def build(xp: Any, n: Node, x: Any, label: Any = None) -> Any:
        return function(xp, x)


_output_layer("LogisticRegressionOutput", lambda xp, x: xp.sigmoid(x))
_output_layer("LinearRegressionOutput", lambda xp, x: x)
_output_layer("MAERegressionOutput", lambda xp, x: x)
_output_layer("SVMOutput", lambda xp, x: x)
