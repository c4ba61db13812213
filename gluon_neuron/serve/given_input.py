"""Compares an input's name and shape, as a caller gives them, with the model in files."""

from __future__ import annotations

from pathlib import Path

import mxnet as mx

from ..errors import GraphError, InputError, nearest, reason
from ..frontend.symbol import labels_of, original
from ..graph.graph import Graph
from ..graph.spec import Spec
from ..runtime.front_end import front_end
from ..stitch.files import read_params
from ..stitch.metadata import find


def check_input(symbol_path: Path, params_path: Path, name: str, spec: Spec) -> None:
    """Raise InputError where the files' model has no such input, or takes no such shape of it."""
    metadata = find(mx.sym.load(str(symbol_path)))
    graph = Graph.from_json(symbol_path.read_text(encoding="utf-8"))
    is_np = metadata.is_np if metadata else any(n.op.startswith("_np") for n in graph.operators)
    with front_end(is_np):
        loaded = mx.sym.load(str(symbol_path))
        try:
            symbol = original(loaded.as_np_ndarray() if is_np else loaded)
        except GraphError:  # its weights are baked in, so that it runs in shapes that it was compiled for alone
            _check_compiled(
                name, spec, [dict(zip(metadata.inputs, s)) for s in metadata.static_shapes] if metadata else []
            )
            return
        args, aux = read_params(params_path, is_np)
        held = {n: a.shape for n, a in {**args, **aux}.items() if n in symbol.list_inputs()}
        labels = labels_of(Graph.from_json(symbol.tojson(remove_amp_cast=False)))
        inputs = [n for n in symbol.list_inputs() if n not in held and n not in labels]
        if name not in inputs:
            raise InputError(f"The model has no input {name!r}.{nearest(name, inputs)} It has {', '.join(inputs)}.")
        try:
            symbol.infer_shape_partial(**held, **{name: spec.shape})
        except mx.base.MXNetError as error:
            raise InputError(
                f"The model takes no {name!r} of shape {spec.shape}: {reason(error)}. Give the shape that it is to be "
                "called with, the batch first."
            ) from error


def _check_compiled(name: str, spec: Spec, shapes: list[dict[str, tuple[int, ...]]]) -> None:
    allowed = [s[name] for s in shapes if name in s]
    if spec.shape not in allowed:
        raise InputError(
            f"The model's weights are baked in, and it was compiled for {name!r} of shape "
            f"{', '.join(map(str, allowed)) or 'none'}, not {spec.shape}."
        )
