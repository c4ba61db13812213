"""Writes and reads a model's two files; an export that fails leaves what was there before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..artifact.container import check, read_owner
from ..engine import native_library
from ..errors import ArtifactCorruptError, ExportError, GraphError, InputError
from ..graph.belonging import Owner, check_artifacts
from ..graph.graph import Graph
from ..graph.inline import has_compiled_nodes
from ..graph.model_files import find, paths
from ..graph.pair import one_export, stamp
from ..graph.subgraph import ARTIFACT_SUFFIX, NODE_NAME, SUBGRAPH_OP
from ..runtime.front_end import front_end
from ..runtime.mxnet_private import view_of
from .in_place import put
from .metadata import EDITED, KEY, Metadata, is_edited
from .metadata import find as find_metadata
from .parameters import ArtifactParameter, make_parameter

Arrays = Mapping[str, mx.nd.NDArray]


def write(prefix: str | os.PathLike[str], epoch: int, text: str, arrays: Arrays, is_np: bool) -> tuple[Path, Path]:
    """Write both files beside their places, then rename them; raises ExportError when that is not possible."""
    symbol_path, params_path = paths(prefix, epoch)

    def write_params(path: Path) -> None:
        save_arrays(path, arrays, is_np)
        stamp(path, text)

    try:
        put([(params_path, write_params), (symbol_path, lambda path: path.write_text(text, encoding="utf-8"))])
    except (OSError, mx.base.MXNetError) as error:
        raise ExportError(
            f"The model cannot be written to {symbol_path.parent}: {_first_line(error)}. Nothing that was there before "
            "has changed. Choose a directory that exists, is writable, and has room."
        ) from error
    return symbol_path, params_path


def save_arrays(path: str | os.PathLike[str], arrays: Arrays, is_np: bool) -> None:
    """Write arrays by name, of whatever kind they are; `is_np` says which front end the file is for."""
    # Each front end saves its own kind alone.
    kind = {n: a.as_np_ndarray() if is_np else a.as_nd_ndarray() for n, a in arrays.items()}
    with front_end(is_np):
        (mx.npx.save if is_np else mx.nd.save)(os.fspath(path), kind)


def save_whole(path: str | os.PathLike[str], arrays: Arrays, is_np: bool) -> None:
    """As `save_arrays`; a file that is there stays as it is until the new one is complete. Raises OSError too."""
    if os.path.exists(path) and not os.path.isfile(path):
        save_arrays(path, arrays, is_np)  # a pipe or a device has no place beside it
        return
    put([(Path(path), lambda part: save_arrays(part, arrays, is_np))])


def load_arrays(path: str | os.PathLike[str], is_np: bool) -> Any:
    """What is in a file of arrays, whichever front end wrote it, as arrays of the one meant; raises MXNetError."""
    try:
        loaded = _load(path, is_np)
    except mx.base.MXNetError as error:
        if "is_np_shape" not in str(error):
            raise
        loaded = _load(path, not is_np)
    if isinstance(loaded, dict):
        return {n: a.as_np_ndarray() if is_np else a.as_nd_ndarray() for n, a in loaded.items()}
    return loaded or {}  # a file of no arrays gives a list


def _load(path: str | os.PathLike[str], is_np: bool) -> Any:
    with front_end(is_np):
        return (mx.npx.load if is_np else mx.nd.load)(os.fspath(path))


def _first_line(error: Exception) -> str:
    return str(error).split("\nStack trace")[0].strip().splitlines()[-1] if str(error) else type(error).__name__


def read_symbol(path: str | os.PathLike[str]) -> tuple[mx.sym.Symbol, Metadata]:
    """Load a compiled symbol's file after `check_symbol`.

    Raises FileNotFoundError, GraphError when it is not a symbol, InputError when gluon_neuron did not write it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise GraphError(f"{path} is not text: {error}. Export the model again.") from error
    if KEY not in text:
        raise _not_ours(text, path)
    check_symbol(text, str(path))
    try:
        symbol = mx.sym.load_json(text)
    except mx.base.MXNetError as error:
        raise GraphError(f"{path} cannot be loaded by MXNet: {_first_line(error)}") from error
    try:
        metadata = find_metadata(symbol)
    except (ValueError, KeyError, TypeError) as error:
        raise GraphError(f"{path} has damaged metadata: {error!r}. Export the model again.") from error
    if metadata is None:
        raise _not_ours(text, path)
    return (symbol.as_np_ndarray() if metadata.is_np else symbol), metadata


def _not_ours(text: str, path: str | os.PathLike[str]) -> InputError:
    Graph.from_json(text)
    if is_edited(text):
        return InputError(
            f"{path} was edited after gluon_neuron had compiled it: {EDITED}. Its compiled regions run as they are by "
            "gluon.SymbolBlock.imports and model.load_checkpoint; or compile it again: sym, args, aux = "
            "mx.model.load_checkpoint(prefix, epoch), then gluon_neuron.compile(sym, inputs, args=args, aux=aux)."
        )
    if has_compiled_nodes(text):
        return InputError(
            f"{path} was compiled by the archived Neuron package: its programs run on Inf1 only. It keeps the original "
            "operators, so compile it again: sym, args, aux = mx.model.load_checkpoint(prefix, epoch), then "
            "gluon_neuron.compile(sym, inputs, args=args, aux=aux)."
        )
    return InputError(
        f"{path} was not compiled by gluon_neuron. Load it with gluon.SymbolBlock.imports and compile that block."
    )


def read_model(
    given: str | os.PathLike[str], epoch: int | None, ctx: Any
) -> tuple[mx.sym.Symbol, Metadata, dict[str, mx.gluon.Parameter]]:
    """A compiled model's symbol, metadata and parameters, in the context (or contexts); raises as the next ones do."""
    symbol_path, params_path = find(given, epoch)
    with one_export(symbol_path, params_path):
        symbol, metadata = read_symbol(symbol_path)
        args, aux = read_params(params_path, metadata.is_np)
    contexts = list(ctx) if isinstance(ctx, list | tuple) else [ctx]
    return symbol, metadata, make_parameters(symbol, metadata, {**args, **aux}, contexts, str(params_path))


def make_parameters(
    symbol: mx.sym.Symbol, metadata: Metadata, arrays: Arrays, contexts: list[mx.Context], where: str
) -> dict[str, mx.gluon.Parameter]:
    """The symbol's parameters from loaded arrays; artifacts are checked before anything runs them.

    Raises InputError when arrays are missing, ArtifactError for a damaged or newer artifact, or another node's.
    """
    auxiliary = set(symbol.list_auxiliary_states())
    wanted = [n for n in symbol.list_inputs() if n not in metadata.inputs]
    missing = [n for n in wanted if n not in arrays]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}.")
    params: dict[str, mx.gluon.Parameter] = {}
    owners: dict[str, Owner] = {}
    for name in wanted:
        array = arrays[name]
        if name.endswith(ARTIFACT_SUFFIX):
            held = _uncast(name, array, where)
            data = view_of(held)
            check(data.data, f"{where}: the artifact {name}")
            native_library.artifact_verified(data)
            owners[name] = Owner(*read_owner(data.data))
            params[name] = ArtifactParameter(name, held, contexts)
        else:
            params[name] = make_parameter(name, array, contexts, name in auxiliary)
    check_artifacts(symbol.tojson(remove_amp_cast=False), owners.get, f"{where}: ")
    return params


def _uncast(name: str, array: mx.nd.NDArray, where: str) -> mx.nd.NDArray:
    # Scripts cast "all parameters", and the artifact with them; a byte's value survives in any wider type.
    if np.dtype(array.dtype) == np.uint8:
        return array
    data = array.asnumpy()
    with np.errstate(invalid="ignore"):
        restored = data.astype(np.uint8)
    if data.ndim != 1 or not np.array_equal(restored, data):
        raise ArtifactCorruptError(
            f"{where}: the artifact {name} has become {data.dtype} and lost its bytes; something cast or changed all "
            "parameters. Export the model again, and leave the *_neuronbin parameters out."
        )
    return mx.nd.array(restored, dtype=np.uint8)


def check_symbol(text: str, where: str) -> Graph:
    """Raise GraphError when a compiled node lacks what MXNet would crash without."""
    graph = Graph.from_json(text)
    for node in graph.operators:
        if node.op != SUBGRAPH_OP:
            continue
        subgraph = _first_subgraph(node.raw.get("subgraphs"))
        if subgraph is None:
            raise GraphError(
                f"{where}: {node} has no valid 'subgraphs' entry, which must hold the original operators as a graph "
                "object; MXNet would crash on it. Export the model again."
            )
        variables = sum(n.get("op") == "null" for n in subgraph["nodes"])
        extra = node.attrs.integer("__ext_extra_inputs__", 0)
        if NODE_NAME not in node.raw.get("attrs", {}):
            # The archived package's nodes need not say that the last of their inputs is an artifact.
            blobs = [e for e in node.inputs if graph.nodes[e.node].name == node.name + ARTIFACT_SUFFIX]
            extra = max(extra, len(blobs))
        if len(node.inputs) != variables + extra:
            raise GraphError(
                f"{where}: {node} has {len(node.inputs)} inputs, but its subgraph reads {variables} and its artifact "
                f"{extra}. Export the model again."
            )
    return graph


def _first_subgraph(subgraphs: Any) -> dict[str, Any] | None:
    if not isinstance(subgraphs, list) or not subgraphs or not isinstance(subgraphs[0], dict):
        return None
    first: dict[str, Any] = subgraphs[0]
    complete = all(isinstance(first.get(k), list) for k in ("nodes", "arg_nodes", "heads"))
    return first if complete and all(isinstance(n, dict) for n in first["nodes"]) else None


def read_params(path: str | os.PathLike[str], is_np: bool) -> tuple[dict[str, mx.nd.NDArray], dict[str, mx.nd.NDArray]]:
    """The arguments and auxiliary states of a parameters' file; raises ArtifactCorruptError when it cannot be read."""
    if not Path(path).exists():
        raise FileNotFoundError(f"There is no parameters file {path}.")
    try:
        loaded = load_arrays(path, is_np)
    except (mx.base.MXNetError, ValueError, UnicodeDecodeError) as error:
        raise ArtifactCorruptError(
            f"{path} is not a readable parameters file: {_first_line(error)}. It may be truncated; "
            "export the model again."
        ) from error
    if not isinstance(loaded, dict):
        raise InputError(f"{path} holds arrays without names; a parameters file of a model names every array.")
    args, aux = {}, {}
    for name, array in loaded.items():
        kind, _, rest = name.partition(":")
        if kind == "aux":
            aux[rest] = array
        else:
            args[rest if kind == "arg" else name] = array
    return args, aux
