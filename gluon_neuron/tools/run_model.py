"""`gluon-neuron run`: calls a model with arrays from files, and shows or writes what it gives."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..errors import InputError, OptionError
from ..preprocessing import Preprocessing
from ..runtime.mxnet_private import flatten, traced_symbol
from ..serve.signature import read_labels
from .answer import Answer
from .arrays_from_files import Array, check_output, paths_of, read, write
from .model_from_line import Compiled, LineModel

_MOST_VALUES = 6


def run_model(
    model: LineModel,
    words: Sequence[str],
    before: Preprocessing,
    *,
    random: bool = False,
    seed: int = 0,
    output: Path | None = None,
    top: int | None = None,
    labels: Path | None = None,
    softmax: bool = False,
) -> Answer:
    """Call the model once with the files that `words` name; `random` draws what they do not give.

    Images are prepared as `before` says. Without a file of `labels` the classes are the model's own, where its files
    name as many as an output has columns.

    Raises InputError for inputs that are missing or do not fit, and what the call raises.
    """
    names = _labels(labels)
    if output is not None:
        check_output(output, sources=[*model.files, *paths_of(words, model.names), *filter(None, [labels])])
    given, notes = read(words, model.names, model.specs, before)
    missing = [n for n in model.names if n not in given]
    if missing and not random:
        raise InputError(
            f"There is nothing for the input{'s' if len(missing) > 1 else ''} {_inputs(model, missing)}. Name a file "
            f"for each, as in {missing[0]}=FILE (.npy, .npz, .json, or an image), or give --random."
        )
    with model.front_end():
        arrays = model.arrays(given, seed)
        block = model.runs(arrays)
        start = time.perf_counter()
        outputs = called(block, model.arguments(arrays))
        seconds = time.perf_counter() - start
    if output is not None:
        write(output, outputs)
    ranked = top or (5 if names or any("image" in n for n in notes) else None)
    best = {n: _best(a, ranked, names or _own(model, a), softmax) for n, a in outputs.items()} if ranked else {}
    how = "compiled" if isinstance(model, Compiled) else "in MXNet, as it is not compiled"
    lines = [*notes, f"Ran {how}, in {1e3 * seconds:.1f} ms, the first call's preparations included.", ""]
    for name, array in outputs.items():
        lines.append(f"{name}: {_summary(array)}")
        lines += [f"  {row}" for row in _rows(best.get(name, []))]
    lines += [f"Written: {output}"] if output is not None else []
    data = {
        "prepared": notes,
        "compiled": isinstance(model, Compiled),
        "seconds": seconds,
        "inputs": {n: {"shape": a.shape, "dtype": str(a.dtype)} for n, a in arrays.items()},
        "outputs": {n: _facts(a) | ({"values": a} if output is None else {}) for n, a in outputs.items()},
        "top": best,
        "written": output,
    }
    return Answer("\n".join(lines), data)


def called(block: mx.gluon.HybridBlock, arguments: Sequence[Any]) -> dict[str, Array]:
    """The outputs of one call by their names, once they are computed."""
    flat, _ = flatten(block(*arguments), "output")
    arrays = [a.astype("float32") if np.dtype(a.dtype).kind == "V" else a for a in flat if a is not None]
    symbol = traced_symbol(block)
    names = symbol.list_outputs() if symbol is not None else []
    if len(names) != len(arrays) or len(set(names)) != len(names):
        names = [f"output{i}" for i in range(len(arrays))]
    return {n: a.asnumpy() for n, a in zip(names, arrays, strict=True)}


def _inputs(model: LineModel, names: Sequence[str]) -> str:
    return ", ".join(f"{n} ({model.specs[n]})" if n in model.specs else n for n in names)


def _labels(path: Path | None) -> list[str]:
    try:
        return [line.removesuffix("\r") for line in read_labels(path)] if path else []
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text: {error}.") from error


def _own(model: LineModel, array: Array) -> Sequence[str]:
    """The names of the model's own classes, for an output that scores as many."""
    return model.classes if array.ndim == 2 and array.shape[1] == len(model.classes) else ()


def _facts(array: Array) -> dict[str, Any]:
    facts: dict[str, Any] = {"shape": array.shape, "dtype": str(array.dtype)}
    return facts | {"min": array.min(), "max": array.max(), "mean": array.mean()} if array.size else facts


def _summary(array: Array) -> str:
    kind = f"{array.dtype}{list(array.shape)}"
    if not array.size:
        return kind
    shown = np.array2string(array.ravel()[:_MOST_VALUES], precision=4, separator=", ")
    more = "" if array.size <= _MOST_VALUES else f" and {array.size - _MOST_VALUES} more"
    return f"{kind}, {array.min():.4g} to {array.max():.4g}, mean {array.mean():.4g}: {shown}{more}"


def _best(array: Array, count: int, labels: Sequence[str], softmax: bool) -> list[list[dict[str, Any]]]:
    """For each row of an output of shape (batch, classes), its largest values."""
    if array.ndim != 2 or not array.size:
        return []
    if labels and len(labels) != array.shape[1]:
        raise OptionError(f"There are {len(labels)} labels for {array.shape[1]} classes; a line is a label.")
    scores = array.astype(np.float64)
    if softmax:
        scores = np.exp(scores - scores.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return [
        [{"class": labels[i] if labels else str(i), "index": int(i), "score": float(row[i])} for i in picked]
        for row, picked in zip(scores, order, strict=True)
    ]


def _rows(best: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
    many = len(best) > 1
    return [
        (f"[{i}] " if many else "") + ", ".join(f"{found['class']} {found['score']:.4g}" for found in row)
        for i, row in enumerate(best)
    ]
