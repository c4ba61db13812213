"""Packs a compiled net, its signature, labels and handler into a `.mar` file for multi-model-server."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mxnet as mx

from ..block import NeuronHybridBlock
from ..errors import ExportError, InputError
from ..graph.model_files import paths
from ..graph.spec import Spec
from ..stitch.metadata import find
from . import signature
from .signature import IMAGE, JSON, Preprocessing, Signature

_HANDLER = "gluon_neuron_service"
_STUB = '"""Called by multi-model-server."""\n\nfrom gluon_neuron.serve.handler import handle  # noqa: F401\n'
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def archive(
    net: NeuronHybridBlock | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    epoch: int = 0,
    inputs: Mapping[str, Sequence[int]] | None = None,
    labels: Sequence[str] | str | os.PathLike[str] | None = None,
    input_type: str = IMAGE,
    resize: int | None = None,
    mean: Sequence[float] = (0.485, 0.456, 0.406),
    std: Sequence[float] = (0.229, 0.224, 0.225),
    softmax: bool = True,
    top: int = 5,
) -> Path:
    """Write `path` (`NAME.mar`), which multi-model-server serves under NAME; returns its path.

    `net` is a compiled block, or the prefix of an exported checkpoint, compiled or not (`epoch` as in its files).
    `inputs` gives the only input's name and shape, batch first; a compiled net knows them. `labels` is a list, or
    a file with one label per line. For `input_type="image/jpeg"` a request's body is an image that OpenCV reads: its
    shorter side is resized to `resize` pixels (256/224 of the input's unless given), the middle is cropped, values in
    0..1 are normalised with `mean` and `std` for red, green and blue. The answer is the `top` labels with their
    probabilities; `softmax=False` if the net's output is probabilities already. For `"application/json"` a request's
    body is a nested list, one example without the batch axis, and so is the answer.

    An archive that exists is replaced when the new one is complete. The workers need gluon_neuron installed. Raises
    InputError for a model or labels that do not fit, ExportError when it cannot be written, or when
    model-archiver is not installed.
    """
    place = Path(path)
    if place.suffix != ".mar" or not _NAME.fullmatch(place.stem):
        raise ExportError(f"{place} must be called NAME.mar, with a name of letters, digits, '_', '-' and '.'.")
    if input_type not in (IMAGE, JSON):
        raise InputError(f"input_type={input_type!r} is not served; use {IMAGE!r} or {JSON!r}.")
    try:
        with tempfile.TemporaryDirectory(prefix="gluon_neuron-archive-") as made:
            folder = Path(made)
            name, spec = _write_model(net, epoch, inputs, folder)
            if input_type == IMAGE and (len(spec.shape) != 4 or spec.shape[1] != 3):
                raise InputError(f"Images need an input of shape (batch, 3, height, width), not {spec}.")
            short = min(spec.shape[2:]) if input_type == IMAGE else 0
            before = Preprocessing(resize or short * 256 // 224, _three("mean", mean), _three("std", std))
            Signature(name, spec.shape, spec.dtype, input_type, before, softmax, top).write(folder)
            if labels is not None:
                (folder / signature.LABELS).write_text(
                    "".join(f"{label}\n" for label in _labels(labels)), encoding="utf-8"
                )
            (folder / f"{_HANDLER}.py").write_text(_STUB)
            return _pack(folder, place)
    except OSError as error:
        if isinstance(error, ExportError | FileNotFoundError):
            raise
        raise ExportError(f"{place} cannot be written: {error}.") from error


def _write_model(net: Any, epoch: int, inputs: Mapping[str, Sequence[int]] | None, folder: Path) -> tuple[str, Spec]:
    target = folder / signature.PREFIX
    if isinstance(net, NeuronHybridBlock):
        symbol_file = Path(net.export(target)[0])
    elif isinstance(net, str | os.PathLike):
        symbol_file = _copy_checkpoint(net, epoch, folder)
    else:
        raise InputError(
            f"archive() takes a compiled block or the prefix of an exported checkpoint, not a {type(net).__name__}."
        )
    metadata = find(mx.sym.load(str(symbol_file)))
    known = dict(zip(metadata.inputs, metadata.specs, strict=True)) if metadata else {}
    for given, shape in (inputs or {}).items():
        if known and given not in known:
            raise InputError(f"The model has no input {given!r}; it has {', '.join(known)}.")
        known[given] = Spec(tuple(shape), known[given].dtype if given in known else "float32")
    if len(known) != 1:
        raise InputError(
            f"A served model has one input, this one has {len(known) or 'no known one'}. "
            "For a checkpoint that is not compiled give inputs={name: shape}."
        )
    return next(iter(known.items()))


def _copy_checkpoint(prefix: str | os.PathLike[str], epoch: int, folder: Path) -> Path:
    for source, copy in zip(paths(prefix, epoch), paths(folder / signature.PREFIX, 0), strict=True):
        copy.write_bytes(source.read_bytes())
    return paths(folder / signature.PREFIX, 0)[0]


def _three(name: str, values: Sequence[float]) -> tuple[float, float, float]:
    numbers = tuple(float(v) for v in values)
    if len(numbers) != 3 or (name == "std" and 0 in numbers):
        raise InputError(f"{name}={values!r} must be three numbers, for red, green and blue; none of std may be zero.")
    return numbers


def _labels(labels: Sequence[str] | str | os.PathLike[str]) -> list[str]:
    if isinstance(labels, str | os.PathLike):
        return [line.removesuffix("\r") for line in signature.read_labels(Path(labels))]  # as Windows ends lines
    lines = list(labels)
    if any("\n" in line for line in lines):
        raise InputError("A label must be a single line.")
    return lines


def _pack(folder: Path, place: Path) -> Path:
    try:
        from model_archiver.model_packaging_utils import ModelExportUtils
    except ImportError as error:
        raise ExportError("Archives need model-archiver: pip install model-archiver.") from error
    what = argparse.Namespace(runtime="python", handler=f"{_HANDLER}:handle", model_name=place.stem)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as beside:
        manifest = ModelExportUtils.generate_manifest_json(what)
        ModelExportUtils.archive(beside, place.stem, str(folder), [], manifest)
        os.replace(Path(beside, place.name), place)
    return place
