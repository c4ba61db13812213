"""`python -m benchmarks.kinds`: each kind of operator between two light layers, beside MXNet hybridized, in turns.

The layers are there because arrays have another layout between layers than at a net's ends. What is slower here than in
MXNet at every size belongs into `gluon_neuron/targets/cpu/slower.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any

from tabulate import tabulate

from .timing import in_turns, latency, ratios

Case = tuple[str, str, dict[str, Any], tuple[tuple[int, ...], ...]]
"""What the table calls it, the operator, its attributes, and the shapes of its inputs (indices: see `_INDICES`)."""

_IMAGE = (1, 64, 56, 56)
_LARGE = (8, 64, 56, 56)
_TEXT = (8, 128, 768)
_INDICES = {"Embedding": (0, 1000), "take": (1, 64), "gather_nd": (1, 8), "one_hot": (0, 100), "pick": (1, 64)}
"""Operators with an input of integers: which it is, and how many values it takes."""


def main() -> None:
    """Measure every kind and print the table, the slowest first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kinds", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="about how long each case is measured")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))
    rows = sorted((_row(case, given.seconds) for case in _cases() if given.only in case[0]), key=lambda row: row[0])
    shown = [(name, f"{middle:.2f} ({low:.2f}-{high:.2f})", f"{ms:.3f}") for middle, low, high, name, ms in rows]
    print(tabulate(shown, ("operator", "MXNet takes", "ms"), tablefmt="github", disable_numparse=True))


def _cases() -> Iterator[Case]:
    for shape in (_IMAGE, _LARGE):
        size = "x".join(map(str, shape))
        for name, op, attrs in _ON_IMAGES:
            yield f"{name} {size}", op, attrs, (shape,)
        for name, op, attrs in _ON_PAIRS:
            yield f"{name} {size}", op, attrs, (shape, shape)
        yield f"broadcast_mul, channels {size}", "broadcast_mul", {}, (shape, (1, 64, 1, 1))
        yield f"where {size}", "where", {}, (shape, shape, shape)
        yield f"depthwise {size}", "Convolution", _conv(64, 3, 64), (shape, (64, 1, 3, 3), (64,))
        yield f"1x1 {size}", "Convolution", _conv(64, 1), (shape, (64, 64, 1, 1), (64,))
        yield f"3x3 {size}", "Convolution", _conv(64, 3), (shape, (64, 64, 3, 3), (64,))
        yield (
            f"3x3 dilated {size}",
            "Convolution",
            _conv(64, 3, dilate="(2, 2)", pad="(2, 2)"),
            (shape, (64, 64, 3, 3), (64,)),
        )
        yield f"3x3 in 8 groups {size}", "Convolution", _conv(64, 3, 8), (shape, (64, 8, 3, 3), (64,))
        deconv = {"kernel": "(4, 4)", "stride": "(2, 2)", "pad": "(1, 1)", "num_filter": 32, "no_bias": True}
        yield f"Deconvolution {size}", "Deconvolution", deconv, (shape, (64, 32, 4, 4))
        yield f"BatchNorm {size}", "BatchNorm", {}, (shape, *[(64,)] * 4)
        yield f"InstanceNorm {size}", "InstanceNorm", {}, (shape, (64,), (64,))
        yield f"GroupNorm {size}", "GroupNorm", {"num_groups": 8}, (shape, (8,), (8,))
        yield f"PReLU {size}", "LeakyReLU", {"act_type": "prelu"}, (shape, (64,))
        yield f"take {size}", "take", {"axis": 1, "mode": "clip"}, (shape, (64,))
        yield f"ROIAlign {size}", "_contrib_ROIAlign", _ROI, (shape, (100, 5))
        yield f"BilinearSampler {size}", "BilinearSampler", {}, (shape, (shape[0], 2, 56, 56))
    for batch in (1, 8):
        text = (batch, *_TEXT[1:])
        size = "x".join(map(str, text))
        for name, op, attrs in _ON_TEXT:
            yield f"{name} {size}", op, attrs, (text,)
        yield f"LayerNorm {size}", "LayerNorm", {}, (text, (768,), (768,))
        dense = {"num_hidden": 768, "flatten": False}
        yield f"FullyConnected {size}", "FullyConnected", dense, (text, (768, 768), (768,))
        yield f"batch_dot {size}", "batch_dot", {"transpose_b": True}, (text, text)
        yield f"Embedding {size}", "Embedding", {"input_dim": 1000, "output_dim": 768}, ((batch, 128), (1000, 768))
        yield f"one_hot {size}", "one_hot", {"depth": 100}, ((batch, 128),)
        yield f"pick {size}", "pick", {"axis": 2}, (text, (batch, 128))
        yield f"SequenceMask {size}", "SequenceMask", {"use_sequence_length": True, "axis": 1}, (text, (batch,))
        yield f"SequenceReverse {size}", "SequenceReverse", {}, (text,)
        yield f"Convolution 1-d {size}", "Convolution", _conv1(256), (text, (256, 128, 3), (256,))
    yield "Convolution 3-d", "Convolution", _conv3(32), ((1, 16, 8, 56, 56), (32, 16, 3, 3, 3), (32,))
    yield (
        "Pooling 3-d",
        "Pooling",
        {"kernel": "(2, 2, 2)", "stride": "(2, 2, 2)", "pool_type": "max"},
        ((1, 32, 8, 56, 56),),
    )
    yield "dot 512", "dot", {}, ((512, 512), (512, 512))
    yield "linalg_gemm2 8x256", "linalg_gemm2", {}, ((8, 256, 256), (8, 256, 256))


def _conv(channels: int, size: int, groups: int = 1, **more: Any) -> dict[str, Any]:
    given = {"kernel": (size, size), "num_filter": channels, "num_group": groups, "pad": (size // 2, size // 2)}
    return {**given, **more}


def _conv1(channels: int) -> dict[str, Any]:
    return {"kernel": "(3,)", "num_filter": channels, "pad": "(1,)"}


def _conv3(channels: int) -> dict[str, Any]:
    return {"kernel": "(3, 3, 3)", "num_filter": channels, "pad": "(1, 1, 1)"}


_ROI = {"pooled_size": "(7, 7)", "spatial_scale": 1.0, "sample_ratio": 2}
_POOL = {"kernel": "(3, 3)", "stride": "(2, 2)", "pad": "(1, 1)"}

_ON_IMAGES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("relu", "relu", {}),
    ("sigmoid", "sigmoid", {}),
    ("tanh", "tanh", {}),
    ("exp", "exp", {}),
    ("log", "log", {}),
    ("erf", "erf", {}),
    ("sin", "sin", {}),
    ("sqrt", "sqrt", {}),
    ("abs", "abs", {}),
    ("round", "round", {}),
    ("clip", "clip", {"a_min": 0, "a_max": 6}),
    ("leaky", "LeakyReLU", {"act_type": "leaky"}),
    ("gelu", "LeakyReLU", {"act_type": "gelu"}),
    ("_plus_scalar", "_plus_scalar", {"scalar": 1}),
    ("_power_scalar", "_power_scalar", {"scalar": 2.5}),
    ("max pooling", "Pooling", {**_POOL, "pool_type": "max"}),
    ("avg pooling", "Pooling", {**_POOL, "pool_type": "avg"}),
    ("global pooling", "Pooling", {"global_pool": True, "pool_type": "avg", "kernel": "(1, 1)"}),
    ("adaptive pooling", "_contrib_AdaptiveAvgPooling2D", {"output_size": 7}),
    ("nearest", "UpSampling", {"scale": 2, "sample_type": "nearest"}),
    ("bilinear", "_contrib_BilinearResize2D", {"height": 112, "width": 112}),
    ("LRN", "LRN", {"nsize": 5}),
    ("L2Normalization", "L2Normalization", {"mode": "channel"}),
    ("transpose", "transpose", {"axes": "(0, 2, 3, 1)"}),
    ("Pad", "Pad", {"mode": "constant", "pad_width": "(0, 0, 0, 0, 1, 1, 1, 1)"}),
    ("reflect pad", "Pad", {"mode": "reflect", "pad_width": "(0, 0, 0, 0, 1, 1, 1, 1)"}),
    ("slice", "slice", {"begin": "(None, 8)", "end": "(None, 56)"}),
    ("tile", "tile", {"reps": "(1, 2, 1, 1)"}),
    ("repeat", "repeat", {"repeats": 2, "axis": 1}),
    ("reverse", "reverse", {"axis": 1}),
    ("depth_to_space", "depth_to_space", {"block_size": 2}),
    ("space_to_depth", "space_to_depth", {"block_size": 2}),
    ("sum over space", "sum", {"axis": "(2, 3)"}),
    ("sum over channels", "sum", {"axis": 1}),
    ("max over channels", "max", {"axis": 1}),
    ("mean of all", "mean", {}),
    ("argmax over channels", "argmax", {"axis": 1}),
    ("softmax over channels", "softmax", {"axis": 1}),
    ("norm", "norm", {"axis": 1}),
)

_ON_PAIRS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("elemwise_add", "elemwise_add", {}),
    ("elemwise_mul", "elemwise_mul", {}),
    ("elemwise_div", "elemwise_div", {}),
    ("broadcast_maximum", "broadcast_maximum", {}),
    ("broadcast_greater", "broadcast_greater", {}),
    ("broadcast_power", "broadcast_power", {}),
    ("concat", "Concat", {"dim": 1, "num_args": 2}),
    ("stack", "stack", {"axis": 1, "num_args": 2}),
)

_ON_TEXT: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("softmax", "softmax", {"axis": -1}),
    ("log_softmax", "log_softmax", {"axis": -1}),
    ("transpose", "transpose", {"axes": "(1, 0, 2)"}),
    ("sum", "sum", {"axis": -1}),
    ("mean", "mean", {"axis": 1}),
    ("sort", "sort", {"axis": -1}),
    ("argsort", "argsort", {"axis": -1}),
    ("topk", "topk", {"axis": -1, "k": 5, "ret_typ": "value"}),
    ("argmax", "argmax", {"axis": -1}),
    ("prod", "prod", {"axis": -1}),
)


def _row(case: Case, seconds: float) -> tuple[float, float, float, str, float]:
    import mxnet as mx
    import numpy as np

    import gluon_neuron

    name, op, attrs, shapes = case
    rng = np.random.default_rng(0)
    arrays = [mx.nd.array(rng.uniform(0.5, 1.5, s).astype("float32")) for s in shapes]
    if op in _INDICES:
        place, count = _INDICES[op]
        arrays[place] = mx.nd.array(rng.integers(0, count, shapes[place]).astype("float32"))
    if op == "_contrib_ROIAlign":
        corner = rng.uniform(0, 28, (100, 2))
        arrays[1] = mx.nd.array(np.concatenate([np.zeros((100, 1)), corner, corner + 20], 1))
    # Weights are parameters, as in a model; the first input (of layers), or all, are data.
    data = 1 if op in _LAYERS else len(arrays)
    names = [f"in{i}" for i in range(len(arrays))]
    text = {k: str(v) for k, v in attrs.items()}
    variables = [mx.sym.var(n, shape=a.shape, dtype=a.dtype) for n, a in zip(names, arrays, strict=True)]
    first = variables[0] if _INDICES.get(op, (1,))[0] == 0 else _layer_before(variables[0], shapes[0])
    made = _operator(op)(first, *variables[1:], name="op", **text)
    out = _layer_behind(made, made.infer_shape()[1][0])
    values = dict(zip(names, arrays, strict=True))
    net = mx.gluon.SymbolBlock(out, variables[:data])
    net.initialize()
    for parameter in net.collect_params().values():
        if parameter.name in values:
            parameter.set_data(values[parameter.name])
    sample = tuple(arrays[:data])
    net.hybridize(static_alloc=True, static_shape=True)
    compiled = gluon_neuron.compile(net, sample, include_nodes=["op"])
    if not compiled.report.regions:
        print(f"{name} is not compiled: {compiled.report.outside}", file=sys.stderr)
        return 1, 1, 1, name + " (in MXNet)", 0
    calls = {"MXNet": lambda: net(*sample).wait_to_read(), "gluon_neuron": lambda: compiled(*sample).wait_to_read()}
    taken = in_turns(calls, seconds)
    ratio = ratios(taken["MXNet"], taken["gluon_neuron"])
    return ratio["median"], ratio["low"], ratio["high"], name, 1e3 * latency(taken["gluon_neuron"], 1)["p50"]


_LAYERS = frozenset(
    (
        "Convolution",
        "Deconvolution",
        "FullyConnected",
        "BatchNorm",
        "InstanceNorm",
        "GroupNorm",
        "LayerNorm",
        "LeakyReLU",
    )
)


def _operator(op: str) -> Any:
    import mxnet as mx

    for module in (mx.sym, mx.sym._internal, mx.sym.contrib):
        found = getattr(module, op.removeprefix("_contrib_"), None) or getattr(module, op, None)
        if found is not None:
            return found
    raise AttributeError(op)


def _layer_before(x: Any, shape: tuple[int, ...]) -> Any:
    import mxnet as mx

    if len(shape) < 4:
        return mx.sym.FullyConnected(x, num_hidden=shape[-1], flatten=False, name="before")
    return mx.sym.Convolution(x, kernel=(1,) * (len(shape) - 2), num_filter=shape[1], name="before")


def _layer_behind(x: Any, shape: tuple[int, ...]) -> Any:
    import mxnet as mx

    if len(shape) < 4:
        return mx.sym.mean(x, axis=-1, name="behind")
    return mx.sym.Pooling(x, kernel=(1,) * (len(shape) - 2), global_pool=True, pool_type="avg", name="behind")


if __name__ == "__main__":
    main()
