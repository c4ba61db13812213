"""The model that a command line names: files `PREFIX-symbol.json` and `PREFIX-0000.params`, or a name of a zoo."""

from __future__ import annotations

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from .. import api
from ..benchmarking import in_mxnet
from ..block import NeuronHybridBlock
from ..class_names import classes_of
from ..errors import GraphError, InputError, OptionError
from ..frontend.inputs import to_array
from ..frontend.plain_block import plain_block
from ..frontend.symbol import from_symbol, labels_of, original
from ..graph.graph import Graph
from ..graph.model_files import find
from ..graph.spec import Spec
from ..model_zoo.catalog import image_size_of, names, preprocessing_of
from ..model_zoo.zoo import get_network
from ..preprocessing import Preprocessing
from ..report import Report
from ..runtime.front_end import front_end
from ..runtime.mxnet_private import regroup_results
from ..stitch import files
from ..stitch.metadata import find_in_text
from .inputs_from_line import drawn, dtypes, every, fitted, shapes
from .symbol_file import read_symbol

Arrays = Mapping[str, Any]
_NP = "_np"
"""How the names of MXNet's NumPy operators begin: `_np_`, `_npi_`, `_npx_`."""


class LineModel(ABC):
    """A model with its inputs: `names` in order, without labels, and `specs` of those that are known.

    `files` are those that it was read from, none for a zoo's; `classes` and `preprocessing` are what these, or the
    zoo's model itself, say of its results and its images. Within `front_end` its arrays and shapes are MXNet's.
    """

    def __init__(self, names: Sequence[str], specs: Mapping[str, Spec], is_np: bool, files: Sequence[Path]) -> None:
        self.names = tuple(names)
        self.specs = dict(specs)
        self.is_np = is_np
        self.files = tuple(files)
        self.classes: tuple[str, ...] = ()
        self.preprocessing: Preprocessing | None = None

    def say(self, shape_lines: Sequence[str], dtype_lines: Sequence[str]) -> None:
        """Take what the line says of shapes and dtypes. Raises InputError for what does not fit the model's inputs."""
        kinds = dtypes(dtype_lines, self.names)
        asked = shapes(shape_lines, self.names)
        self.dtypes = {n: kinds.get(n) or (self.specs[n].dtype if n in self.specs else "float32") for n in self.names}
        known = {n: s.shape for n, s in self.specs.items()} | asked
        self.specs = {n: Spec(known[n], self.dtypes[n]) for n in self.names if n in known}

    def arrays(self, given: Mapping[str, np.ndarray[Any, Any]], seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
        """An array for each input: as given, or drawn. Raises InputError where a shape is not known."""
        bits = [n for n in self.names if self.dtypes[n] == "bfloat16"]
        if bits:
            raise InputError(
                f"{', '.join(bits)} is bfloat16, which no file of NumPy's holds; call the model from Python."
            )
        every([n for n in self.names if n not in given], self.specs)
        return {
            n: fitted(given[n], self.dtypes[n], f"Input {n!r}") if n in given else drawn(self.specs[n], seed + i)
            for i, n in enumerate(self.names)
        }

    @contextmanager
    def front_end(self) -> Iterator[None]:
        """MXNet's front end in which the model is, without what MXNet prints before it raises an error."""
        with front_end(self.is_np), redirect_stdout(io.StringIO()):
            yield

    def in_mxnet(self, arrays: Arrays) -> dict[str, mx.nd.NDArray]:
        """The arrays as MXNet's."""
        return {n: to_array(a, self.is_np, f"Input {n!r}") for n, a in arrays.items()}

    @abstractmethod
    def compiled(self, arrays: Arrays, options: Mapping[str, Any]) -> NeuronHybridBlock:
        """The model compiled for the arrays, of which the shapes and dtypes count."""

    def written(self, block: NeuronHybridBlock, prefix: str) -> tuple[str, str]:
        """Write what `compiled` made to two files, of which none is there before both are complete."""
        return block.export(prefix)

    @abstractmethod
    def analyzed(self, arrays: Arrays, options: Mapping[str, Any]) -> Report:
        """What `compiled` would do."""

    @abstractmethod
    def runs(self, arrays: Arrays) -> mx.gluon.HybridBlock:
        """The block that computes what the files hold: compiled where they are, else in MXNet."""

    @abstractmethod
    def reference(self, arrays: Arrays) -> mx.gluon.HybridBlock:
        """The block that computes the same in MXNet alone. Raises GraphError where it is not in the files."""

    @abstractmethod
    def arguments(self, arrays: Arrays) -> tuple[Any, ...]:
        """What to call any of these blocks with."""


class ZooModel(LineModel):
    """A network of Gluon's zoo or GluonCV's; images of the size that it was made for."""

    def __init__(self, name: str, pretrained: bool) -> None:
        self._net = get_network(name, pretrained=pretrained)
        super().__init__(["data"], {"data": Spec((1, 3, *image_size_of(name)), "float32")}, False, ())
        self.classes, self.preprocessing = classes_of(self._net), preprocessing_of(name)

    def compiled(self, arrays: Arrays, options: Mapping[str, Any]) -> NeuronHybridBlock:
        made: NeuronHybridBlock = api.compile(
            self._net, self.arguments(arrays), preprocessing=self.preprocessing, **options
        )
        return made

    def analyzed(self, arrays: Arrays, options: Mapping[str, Any]) -> Report:
        return api.analyze(self._net, self.arguments(arrays), **options)

    def runs(self, arrays: Arrays) -> mx.gluon.HybridBlock:
        return self._net

    def reference(self, arrays: Arrays) -> mx.gluon.HybridBlock:
        return self._net

    def arguments(self, arrays: Arrays) -> tuple[Any, ...]:
        return tuple(self.in_mxnet(arrays).values())


class Checkpoint(LineModel):
    """Files that are not compiled, or by the archived package, or were edited since: a symbol and its arrays."""

    def __init__(self, text: str, graph: Graph, symbol_path: Path, params_path: Path) -> None:
        is_np = any(n.op.startswith(_NP) for n in graph.operators)
        with front_end(is_np):
            symbol = mx.sym.load_json(text)
            self._symbol = original(symbol.as_np_ndarray() if is_np else symbol)
            self._args, self._aux = files.read_params(params_path, is_np)
        held = {*self._args, *self._aux} | labels_of(Graph.from_json(self._symbol.tojson(remove_amp_cast=False)))
        named = self._symbol.list_inputs()
        inputs = [n for n in named if n not in held]
        if self._args and not {*self._args, *self._aux} & {*named}:
            raise InputError(
                f"{params_path} holds another model's parameters: {next(iter(self._args))!r} and all others are not in "
                f"{symbol_path}."
            )
        super().__init__(inputs, {}, is_np, (symbol_path, params_path))

    def compiled(self, arrays: Arrays, options: Mapping[str, Any]) -> NeuronHybridBlock:
        return api.compile_symbol(self._symbol, self.in_mxnet(arrays), self._args, self._aux, options)

    def written(self, block: NeuronHybridBlock, prefix: str) -> tuple[str, str]:
        # As `save_checkpoint` writes it: casts of AMP stay.
        return block.export(prefix, remove_amp_cast=False)

    def analyzed(self, arrays: Arrays, options: Mapping[str, Any]) -> Report:
        return api.analyze(self._symbol, self.in_mxnet(arrays), args=self._args, aux=self._aux, **options)

    def runs(self, arrays: Arrays) -> mx.gluon.HybridBlock:
        return self.reference(arrays)

    def reference(self, arrays: Arrays) -> mx.gluon.HybridBlock:
        specs = self._all_specs(arrays)
        held = {**self._args, **self._aux}
        return plain_block(self._symbol, specs, [0] * len(specs), held, self.is_np)

    def arguments(self, arrays: Arrays) -> tuple[Any, ...]:
        specs = self._all_specs(arrays)
        return tuple(self.in_mxnet(with_labels(arrays, specs)).values())

    def _all_specs(self, arrays: Arrays) -> dict[str, Spec]:
        """Of the labels too, which follow from the others."""
        model = from_symbol(self._symbol, self._args, self._aux, self.in_mxnet(arrays))
        return {n: model.specs[n] for n in model.inputs}


class Compiled(LineModel):
    """Files of a compiled model."""

    def __init__(self, given: str, epoch: int | None, found: Sequence[Path], text: str) -> None:
        metadata = find_in_text(text)
        assert metadata is not None
        self._block = api.load(given, epoch)
        self._format = metadata.in_format
        self._all = dict(zip(metadata.inputs, metadata.specs, strict=True))
        try:
            labels = labels_of(Graph.from_json(original(self._block.symbol).tojson(remove_amp_cast=False)))
        except GraphError:
            labels = set()  # the weights are baked in, so that nothing says what a label is
        known = {n: s for n, s in self._all.items() if n not in labels}
        super().__init__([*known], known, metadata.is_np, found)
        self.classes, self.preprocessing = metadata.classes, metadata.preprocessing

    def compiled(self, arrays: Arrays, options: Mapping[str, Any]) -> NeuronHybridBlock:
        made: NeuronHybridBlock = api.compile(self._block, self.arguments(arrays), **options)
        return made

    def analyzed(self, arrays: Arrays, options: Mapping[str, Any]) -> Report:
        return api.analyze(self._block, self.arguments(arrays), **options)

    def runs(self, arrays: Arrays) -> NeuronHybridBlock:
        return self._block

    def reference(self, arrays: Arrays) -> mx.gluon.HybridBlock:
        return in_mxnet(self._block)

    def arguments(self, arrays: Arrays) -> tuple[Any, ...]:
        whole = self.in_mxnet(with_labels(arrays, self._all_specs(arrays)))
        nested = regroup_results([whole[n] for n in self._all], self._format)
        return tuple(nested if isinstance(nested, list | tuple) else [nested])

    def _all_specs(self, arrays: Arrays) -> dict[str, Spec]:
        """As compiled, or, for arrays of other shapes, the labels' as they follow from these."""
        labels = [n for n in self._all if n not in self.specs]
        if not labels:
            return self._all
        with self.front_end():
            symbol = original(self._block.symbol)
            found, _, _ = symbol.infer_shape(**{n: a.shape for n, a in arrays.items()})
        shapes = dict(zip(symbol.list_arguments(), found, strict=True))
        return {n: Spec(tuple(shapes[n]), s.dtype) if n in labels else s for n, s in self._all.items()}


def model_from_line(given: str, epoch: int | None = None, pretrained: bool = False) -> LineModel:
    """The model of these files, or of this name.

    Raises FileNotFoundError and what is wrong with files, OptionError for a name that is none.
    """
    if not _are_files(given):
        if epoch is not None:
            raise OptionError(
                f"--epoch is a number in the name of a parameters file, and there is no {given}-symbol.json."
            )
        return _of_zoo(given, pretrained)
    if pretrained:
        raise OptionError("--pretrained is for the names of the model zoo; files have their weights.")
    symbol_path, params_path = find(given, epoch)
    text, graph = read_symbol(symbol_path)
    try:
        metadata = find_in_text(text)
    except (ValueError, KeyError, TypeError) as error:
        raise GraphError(f"{symbol_path} has damaged metadata: {error!r}. Export the model again.") from error
    if metadata is not None:
        found: LineModel = Compiled(given, epoch, (symbol_path, params_path), text)
    else:
        found = Checkpoint(text, graph, symbol_path, params_path)
    if not found.names:
        raise InputError(
            f"{symbol_path} has no inputs: every variable of it is in {params_path}, and no call changes it."
        )
    return found


def _are_files(given: str) -> bool:
    endings = ("", "-symbol.json")
    return os.sep in given or given.endswith((".json", ".params")) or any(os.path.isfile(given + e) for e in endings)


def _of_zoo(name: str, pretrained: bool) -> ZooModel:
    if name.lower() not in names():
        try:
            get_network(name)
        except OptionError as error:
            raise OptionError(f"There is no {name}-symbol.json here. {error}") from error
    return ZooModel(name.lower(), pretrained)


def with_labels(arrays: Arrays, specs: Mapping[str, Spec]) -> dict[str, Any]:
    """The arrays in the order of the inputs, with zeros for labels, which inference ignores."""
    return {n: arrays[n] if n in arrays else np.zeros(s.shape, s.dtype) for n, s in specs.items()}
