"""Checks, when plain MXNet binds a compiled symbol, that each artifact belongs to its node: before anything runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import mxnet as mx
import numpy as np

from ..artifact.container import MAGIC, read_owner
from ..errors import ArtifactError
from ..graph.belonging import Owner, check_artifacts
from ..graph.merge import merge_variables
from ..graph.subgraph import ARTIFACT_SUFFIX
from .mxnet_private import adopt, cached_parameters, like, view_of

_known = threading.local()


@contextmanager
def checked_before() -> Iterator[None]:
    """While inside, what this thread binds was checked: each artifact is of its node."""
    before = getattr(_known, "inside", False)
    _known.inside = True
    try:
        yield
    finally:
        _known.inside = before


def check_bound(symbol: mx.sym.Symbol, args: Any) -> bool:
    """Check the arrays that a symbol is bound to, by name or in its order, and tell whether there are artifacts.

    Cheap where none is one.
    """
    if isinstance(args, Mapping):
        arrays: Mapping[str, Any] = {n: a for n, a in args.items() if str(n).endswith(ARTIFACT_SUFFIX)}
    elif isinstance(args, Sequence):
        pairs = zip(symbol.list_arguments(), args, strict=False)
        arrays = {n: a for n, a in pairs if n.endswith(ARTIFACT_SUFFIX)}
    else:
        return False
    if arrays and not getattr(_known, "inside", False):
        _check(symbol, arrays.get)
    return bool(arrays)


def with_single_variables(symbol: mx.sym.Symbol, given: Sequence[Any]) -> mx.sym.Symbol:
    """The symbol with one variable for each name, if arrays are given by name alone; else as it is.

    Compiled symbols that are joined have variables of their own for what they both read, which MXNet does not bind.
    """
    names = symbol.list_inputs()
    if len(set(names)) == len(names) or any(isinstance(g, list | tuple) for g in given):
        return symbol
    return like(symbol, mx.sym.load_json(merge_variables(symbol.tojson(remove_amp_cast=False))))


def check_block(block: mx.gluon.HybridBlock) -> None:
    """Check the parameters of a block whose cached operator was just built.

    A SymbolBlock keeps the graph that a backend gave it for good, so the artifacts of that graph become its own.
    """
    symbol, params = cached_parameters(block)
    artifacts = {p.name: p for p in params if p.name.endswith(ARTIFACT_SUFFIX)}
    if artifacts:
        _check(symbol, lambda name: artifacts[name].list_data()[0] if name in artifacts else None)
    for param in artifacts.values() if isinstance(block, mx.gluon.SymbolBlock) else ():
        adopt(block, param)


def _check(symbol: mx.sym.Symbol, array_of: Callable[[str], Any]) -> None:
    check_artifacts(symbol.tojson(remove_amp_cast=False), lambda name: _owner(array_of(name)))


def _owner(array: Any) -> Owner | None:
    # What is not an artifact, or not yet, or damaged, is for the operator to say when it runs.
    if not isinstance(array, mx.nd.NDArray) or array.ndim != 1 or np.dtype(array.dtype) != np.uint8:
        return None
    data = view_of(array)
    if bytes(data[: len(MAGIC)]) != MAGIC:
        return None
    try:
        return Owner(*read_owner(data.data))
    except ArtifactError:
        return None
