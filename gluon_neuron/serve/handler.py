"""Runs in a worker of multi-model-server: requests in, predictions out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..api import load
from ..errors import InputError
from ..graph.model_files import paths
from ..stitch.metadata import find
from . import signature
from .picture import prepared
from .signature import IMAGE, Signature

_models: dict[str, ServedModel] = {}


def handle(data: Sequence[Mapping[str, Any]] | None, context: Any) -> list[Any] | None:
    """The entry point: one result for each request of the batch; called without data when the worker starts.

    A request that cannot be understood gets status 400 and a text, whatever the others of its batch get.
    """
    folder = str(context.system_properties["model_dir"])
    if folder not in _models:
        _models[folder] = ServedModel(Path(folder))
    if not data:
        return None
    results: list[Any] = _models[folder].predict([_body(request) for request in data])
    for index, result in enumerate(results):
        context.set_response_content_type(index, "application/json")
        if isinstance(result, InputError):
            context.set_response_status(400, "Bad Request", index)
            results[index] = {"code": 400, "type": type(result).__name__, "message": str(result)}
    return [json.dumps(r) for r in results]


class ServedModel:
    """A served model, loaded from the folder that an archive was unpacked to."""

    def __init__(self, folder: Path) -> None:
        self.signature = Signature.read(folder)
        self._net = _load(folder, self.signature)
        labels = folder / signature.LABELS
        self._labels = signature.read_labels(labels) if labels.exists() else None
        shape = self.signature.data_shape
        self._run(
            [np.zeros(shape[1:], self.signature.dtype)]
        )  # so that the first request does not pay for what is lazy

    def predict(self, bodies: Sequence[bytes | str]) -> list[Any]:
        """For each body the answer, or the InputError that says why there is none."""
        answers: list[Any] = []
        examples: list[np.ndarray] = []
        for body in bodies:
            try:
                examples.append(self._example(body))
                answers.append(None)
            except InputError as error:
                answers.append(error)
        outputs = iter(self._run(examples) if examples else ())
        return [self._answer(next(outputs)) if a is None else a for a in answers]

    def _run(self, examples: Sequence[np.ndarray]) -> list[np.ndarray]:
        # In the batches that were compiled, the last one filled up: another size would have to be compiled.
        size = self.signature.data_shape[0]
        found: list[np.ndarray] = []
        for start in range(0, len(examples), size):
            part = list(examples[start : start + size])
            output = self._net(mx.nd.array(np.stack([*part, *part[-1:] * (size - len(part))]), dtype=part[0].dtype))
            if isinstance(output, list | tuple):
                output = output[0]
            found += list(output.asnumpy()[: len(part)])
        return found

    def _example(self, body: bytes | str) -> np.ndarray:
        wanted = self.signature
        if wanted.input_type == IMAGE:
            return _picture(body, wanted)
        try:
            array = np.asarray(json.loads(body) if isinstance(body, bytes | bytearray | str) else body, wanted.dtype)
        except (ValueError, TypeError) as error:
            raise InputError(f"The body must be a list of numbers: {error}.") from error
        if array.shape != wanted.data_shape[1:]:
            raise InputError(f"The body has shape {array.shape}; an example of the model has {wanted.data_shape[1:]}.")
        return array

    def _answer(self, output: np.ndarray) -> Any:
        if self.signature.input_type != IMAGE or output.ndim != 1:
            return output.tolist()
        scores = output.astype(np.float64)
        if self.signature.softmax:
            scores = np.exp(scores - scores.max())
            scores /= scores.sum()
        best = np.argsort(-scores, kind="stable")[: self.signature.top]
        named = self._labels is not None and len(self._labels) == len(scores)
        names = self._labels if named and self._labels else [str(i) for i in range(len(scores))]
        return [{"class": names[i], "probability": float(scores[i])} for i in best]


def _body(request: Mapping[str, Any]) -> Any:
    # A raw body comes as "body", a form's field under its own name.
    return next((request[k] for k in ("body", "data") if k in request), next(iter(request.values()), b""))


def _picture(body: Any, wanted: Signature) -> np.ndarray:
    if not isinstance(body, bytes | bytearray):
        raise InputError("The body is not an image; send JPEG or PNG.")
    return prepared(bytes(body), wanted.data_shape, wanted.preprocessing, wanted.dtype)


def _load(folder: Path, wanted: Signature) -> mx.gluon.HybridBlock:
    prefix = folder / signature.PREFIX
    symbol_file, params_file = paths(prefix, 0)
    if find(mx.sym.load(os.fspath(symbol_file))) is not None:
        return load(prefix)
    net = mx.gluon.SymbolBlock.imports(os.fspath(symbol_file), [wanted.data_name], os.fspath(params_file))
    net.hybridize(static_alloc=True, static_shape=True)
    return net
