"""Packs a compiled net, its signature, labels and handler into a `.mar` file for multi-model-server."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mxnet as mx

from ..block import NeuronHybridBlock
from ..errors import ExportError, InputError
from ..graph.model_files import paths
from ..graph.spec import Spec
from ..preprocessing import Preprocessing
from ..stitch.metadata import Metadata, find
from . import signature
from .given_input import check_input
from .signature import IMAGE, JSON, Signature

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
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    softmax: bool = True,
    top: int = 5,
) -> Path:
    """Write `path` (`NAME.mar`), which multi-model-server serves under NAME; returns its path.

    `net` is a compiled block, or the prefix of an exported checkpoint, compiled or not (`epoch` as in its files).
    `inputs` gives the only input's name and shape, batch first; a compiled net knows them. `labels` is a list, or
    a file with one label per line; without it they are the net's `classes`. For `input_type="image/jpeg"` a request's
    body is an image that OpenCV reads, prepared as the net's `preprocessing` says, or as `Preprocessing()` where it has
    none; `resize`, `mean` and `std` take the place of what they name there. The answer is the `top` labels with their
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
            name, spec, metadata = _write_model(net, epoch, inputs, folder)
            asked = {"resize": resize, "mean": mean, "std": std}
            known = metadata.preprocessing if metadata and metadata.preprocessing else Preprocessing()
            before = replace(known, **{n: v for n, v in asked.items() if v is not None})  # type: ignore[arg-type]
            if input_type == IMAGE:
                before = replace(before, size=_cropped(before, spec))
            labels = (metadata.classes if metadata else ()) or None if labels is None else labels
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


def _cropped(before: Preprocessing, spec: Spec) -> tuple[int, int]:
    """What is cropped for the input; a server takes no other size. Raises InputError where they differ."""
    size, own = before.crop(spec.shape), replace(before, size=None).crop(spec.shape)
    if size != own:
        raise InputError(
            f"The images would be cropped to {size[0]} x {size[1]}, and the input is {own[0]} x {own[1]}. Give inputs= "
            "with the shape that is to be served."
        )
    return size


def _write_model(
    net: Any, epoch: int, inputs: Mapping[str, Sequence[int]] | None, folder: Path
) -> tuple[str, Spec, Metadata | None]:
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
    name, spec = next(iter(known.items()))
    if inputs:
        check_input(*paths(target, 0), name, spec)
    return name, spec, metadata


def _copy_checkpoint(prefix: str | os.PathLike[str], epoch: int, folder: Path) -> Path:
    for source, copy in zip(paths(prefix, epoch), paths(folder / signature.PREFIX, 0), strict=True):
        copy.write_bytes(source.read_bytes())
    return paths(folder / signature.PREFIX, 0)[0]


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
