"""Strategies of layers: activations, softmax, convolution, pooling, normalisation, recurrence, output layers."""

from __future__ import annotations

import numpy as np

from .case import NUMBERS, OMIT, Case, Draw, Strategy

_MOST = ("float32", "float32", "float64", "float16")


def activation(d: Draw) -> Case:
    return Case([d.array(d.shape(), d.pick(*_MOST))], d.attrs(), elementwise=True)


def leaky_relu(d: Draw) -> Case:
    shape, dtype = d.shape(), d.pick(*_MOST)
    kind = d.pick(OMIT, "leaky", "prelu", "elu", "selu", "gelu", "rrelu")
    inputs = [d.array(shape, dtype)]
    if kind == "prelu":
        channels = shape[min(1, len(shape) - 1)] if shape else 1
        inputs.append(d.array((d.pick(1, channels),), dtype))
    bounds = {"lower_bound": d.pick(OMIT, 0.1), "upper_bound": d.pick(OMIT, 0.5)}
    given = {"act_type": kind, "slope": d.pick(OMIT, 0.1, 1.5, 0, -0.3), **bounds}
    return Case(inputs, d.attrs(**given), elementwise=True, single=True)


def softmax(d: Draw) -> Case:
    shape, dtype = d.shape(), d.pick(*_MOST, *NUMBERS)
    axis = d.axis(len(shape))
    given = {"axis": d.pick(OMIT, axis), "temperature": d.pick(OMIT, None, 0.5, 2, 1)}
    inputs = [d.array(shape, dtype)]
    if d.op in ("softmax", "_npx_softmax"):
        given["use_length"] = bool(shape) and d.integer(0, 2) == 2
        if given["use_length"]:
            given["axis"] = axis
            rest = [s for i, s in enumerate(shape) if i != axis % len(shape)]
            random = np.random.RandomState(d.integer(0, 9999))
            inputs.append(random.randint(0, shape[axis] + 1, rest).astype(d.pick("int32", "int64", "float32")))
    else:
        given["use_length"] = OMIT
    return Case(inputs, d.attrs(**given))


def softmax_activation(d: Draw) -> Case:
    return Case([d.array(d.shape(low=1, high=4), d.pick(*_MOST))], d.attrs())


def softmax_output(d: Draw) -> Case:
    shape, dtype = d.shape(low=1), d.pick("float32", "float64")
    multi, preserve = d.flag(), d.flag()
    label = (shape[0], *shape[2:]) if multi else shape[:-1] if preserve else shape[:1]
    numbers = dict.fromkeys(("grad_scale", "ignore_label", "smooth_alpha"), OMIT)
    given = {"multi_output": multi, "preserve_shape": preserve, **numbers}
    return Case([d.array(shape, dtype), d.array(label, dtype, "positive")], d.attrs(**given))


def regression(d: Draw) -> Case:
    shape, dtype = d.shape(), d.pick("float32", "float64")
    return Case([d.array(shape, dtype), d.array(shape, dtype)], d.attrs(grad_scale=d.pick(OMIT, 0.5)))


def svm(d: Draw) -> Case:
    shape, dtype = d.shape(low=2, high=2), d.pick("float32", "float64")
    given = {"margin": d.pick(OMIT, 0.5), "regularization_coefficient": d.pick(OMIT, 0.5)}
    return Case([d.array(shape, dtype), d.array(shape[:1], dtype, "positive")], d.attrs(**given))


def _window(d: Draw, axes: int, transposed: bool = False) -> dict[str, tuple[int, ...]]:
    """kernel, stride, dilate and pad of each axis; any but the kernel may be left out."""
    kernel = tuple(d.integer(1, 3) for _ in range(axes))
    parts = {
        "stride": tuple(d.integer(1, 3) for _ in range(axes)),
        "dilate": tuple(d.integer(1, 2) for _ in range(axes)),
        "pad": tuple(d.integer(0, 1 if transposed else 2) for _ in range(axes)),
    }
    return {"kernel": kernel, **{key: d.pick(value, OMIT) for key, value in parts.items()}}


_LAYOUTS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def convolution(d: Draw) -> Case:
    transposed = "econv" in d.op
    axes, groups = d.pick(2, 1, 3), d.pick(1, 1, 2, 3)
    channels, filters = groups * d.integer(1, 2), groups * d.integer(1, 2)
    spatial = tuple(d.integer(2, 5 if axes == 3 else 7) for _ in range(axes))
    given = _window(d, axes, transposed)
    if transposed:
        stride = (1,) * axes if given["stride"] is OMIT else given["stride"]
        given["adj"] = d.pick(OMIT, tuple(d.integer(0, s - 1) for s in stride))
        # MXNet with oneDNN rejects a target_shape unless pad is what it makes of it.
        given["target_shape"] = OMIT if d.often() else tuple(s * i for s, i in zip(stride, spatial))
    bare = d.flag()
    weight = (channels, filters // groups) if transposed else (filters, channels // groups)
    dtype = d.pick("float32", "float32", "float64")
    shapes = [(d.integer(1, 2), channels, *spatial), (*weight, *given["kernel"]), (filters,)]
    given |= {"num_filter": filters, "num_group": d.pick(groups, OMIT) if groups == 1 else groups, "no_bias": bare}
    layout = d.pick(OMIT, None, _LAYOUTS[axes], "NHWC")
    if d.op == "Convolution_v1" and layout == "NCW":
        layout = None
    return Case(
        [d.array(s, dtype) for s in shapes[: 2 if bare else 3]], d.attrs(**given, layout=layout, workspace=OMIT)
    )


def pooling(d: Draw) -> Case:
    axes = d.pick(2, 1, 3) if d.op != "Pooling_v1" else d.pick(2, 3)
    spatial = tuple(d.integer(1, 7) for _ in range(axes))
    window = _window(d, axes)
    del window["dilate"]
    if window["pad"] is not OMIT:
        window["pad"] = tuple(min(p, k - 1) for p, k in zip(window["pad"], window["kernel"]))
    given: dict[str, object] = {**window, "global_pool": d.integer(0, 4) == 4}
    if d.op != "Pooling_v1":
        given |= {"p_value": d.pick(2, 1, 3, OMIT), "layout": d.pick(OMIT, None, _LAYOUTS[axes], "NHWC")}
    x = d.array((d.integer(1, 2), d.integer(1, 3), *spatial), d.pick("float32", "float32", "float64"))
    return Case([x], d.attrs(**given), single=d.op == "Pooling_v1")


def adaptive_pooling(d: Draw) -> Case:
    shape = tuple(d.integer(1, 7) for _ in range(4))
    size = d.pick(OMIT, d.integer(1, 5), (d.integer(1, 5), d.integer(1, 5)), (2,))
    return Case([d.array(shape, d.pick("float32", "float64"))], d.attrs(output_size=size))


def batch_norm(d: Draw) -> Case:
    shape, dtype = d.shape(low=2), d.pick(*_MOST) if d.op != "_contrib_BatchNormWithReLU" else "float32"
    axis = d.pick(OMIT, d.axis(len(shape))) if d.op in ("BatchNorm", "_npx_batch_norm") else OMIT
    channels = shape[1 if axis is OMIT else axis]  # type: ignore[index]
    vector = "float32" if dtype == "float16" else dtype
    vectors = [d.array((channels,), vector, kind) for kind in ("plain", "plain", "plain", "positive")]
    given = {"eps": d.pick(OMIT, 0.01, 2e-5), "momentum": d.pick(OMIT, 0.5), "axis": axis}
    given |= {"min_calib_range": OMIT, "max_calib_range": OMIT, "ndev": OMIT, "key": "k"}
    known = d.documented()
    return Case([d.array(shape, dtype), *vectors], d.attrs(**{k: v for k, v in given.items() if k in known}))


def layer_norm(d: Draw) -> Case:
    shape, dtype = d.shape(low=1), d.pick("float32", "float64")
    axis = d.axis(len(shape))
    vectors = [d.array((shape[axis],), dtype) for _ in range(2)]
    # One value along the axis less its mean is nothing but rounding.
    return Case([d.array(shape, dtype, "plain"), *vectors], d.attrs(axis=axis, eps=d.pick(OMIT, 0.01)))


def instance_norm(d: Draw) -> Case:
    shape, dtype = d.shape(low=3), d.pick("float32", "float64")
    vectors = [d.array(shape[1:2], dtype) for _ in range(2)]
    return Case([d.array(shape, dtype, "plain"), *vectors], d.attrs(eps=d.pick(OMIT, 0.01)))


def group_norm(d: Draw) -> Case:
    groups, dtype = d.integer(1, 3), d.pick("float32", "float64")
    shape = (d.integer(1, 3), groups * d.integer(1, 3), *d.shape(low=1, high=3, elements=60))
    vectors = [d.array((groups,), dtype) for _ in range(2)]
    return Case([d.array(shape, dtype, "plain"), *vectors], d.attrs(num_groups=groups, eps=d.pick(OMIT, 0.01)))


def l2_normalization(d: Draw) -> Case:
    return Case([d.array(d.shape(low=2), d.pick(*_MOST))], d.attrs(eps=d.pick(OMIT, 0.01)))


def lrn(d: Draw) -> Case:
    given = {"alpha": d.pick(OMIT, 0.1), "beta": d.pick(OMIT, 0.5), "knorm": d.pick(OMIT, 1)}
    shape = tuple(d.integer(1, 6) for _ in range(4))
    return Case([d.array(shape, d.pick("float32", "float64"))], d.attrs(**given, nsize=d.integer(1, 7)))


_GATES = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}


def rnn(d: Draw) -> Case:
    mode, both = d.pick(*_GATES), d.flag()
    steps, batch, width, size = (d.integer(1, 4) for _ in range(4))
    layers, directions = d.integer(1, 3), 1 + both
    rows = _GATES[mode] * size
    count = sum(directions * rows * ((directions * size if k else width) + size + 2) for k in range(layers))
    dtype = d.pick("float32", "float32", "float64")
    states = [(layers * directions, batch, size)] * (2 if mode == "lstm" else 1)
    handed_out = d.flag()
    outputs = sorted({d.integer(0, len(states)) for _ in range(3)}) if handed_out else (0,)
    given = {"mode": mode, "bidirectional": both, "state_size": size, "num_layers": layers, "p": d.pick(OMIT, 0.3)}
    given |= {"state_outputs": handed_out, "use_sequence_length": OMIT, "lstm_state_clip_nan": OMIT}
    given |= dict.fromkeys(("projection_size", "lstm_state_clip_min", "lstm_state_clip_max"), d.pick(OMIT, None))
    inputs = [d.array((steps, batch, width), dtype), d.array((count,), dtype, "unit")]
    return Case([*inputs, *(d.array(s, dtype, "unit") for s in states)], d.attrs(**given), outputs, single=True)


STRATEGIES: dict[str, Strategy] = {
    **dict.fromkeys(("Activation", "_npx_activation"), activation),
    **dict.fromkeys(("LeakyReLU", "_npx_leaky_relu"), leaky_relu),
    **dict.fromkeys(("softmax", "_npx_softmax", "log_softmax", "_npx_log_softmax", "softmin"), softmax),
    "SoftmaxActivation": softmax_activation,
    **dict.fromkeys(("SoftmaxOutput", "Softmax"), softmax_output),
    **dict.fromkeys([f"{kind}RegressionOutput" for kind in ("Logistic", "Linear", "MAE")], regression),
    "SVMOutput": svm,
    **dict.fromkeys(("Convolution", "Convolution_v1", "_npx_convolution"), convolution),
    **dict.fromkeys(("Deconvolution", "_npx_deconvolution"), convolution),
    **dict.fromkeys(("Pooling", "_npx_pooling", "Pooling_v1"), pooling),
    "_contrib_AdaptiveAvgPooling2D": adaptive_pooling,
    **dict.fromkeys(("BatchNorm", "_npx_batch_norm", "BatchNorm_v1"), batch_norm),
    **dict.fromkeys(("_contrib_SyncBatchNorm", "_contrib_BatchNormWithReLU"), batch_norm),
    **dict.fromkeys(("LayerNorm", "_npx_layer_norm"), layer_norm),
    "InstanceNorm": instance_norm,
    "GroupNorm": group_norm,
    "L2Normalization": l2_normalization,
    "LRN": lrn,
    **dict.fromkeys(("RNN", "_npx_rnn"), rnn),
}
