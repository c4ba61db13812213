"""The shapes for which static programs are compiled: the sample's, and those of shapes, batch_sizes and buckets."""

from __future__ import annotations

from functools import partial

from ..errors import InputError, OptionError, nearest
from ..frontend.infer import annotate
from ..frontend.model import ExportedModel
from ..graph.batch import with_batch
from ..graph.buckets import Buckets
from ..graph.graph import Graph
from ..graph.spec import Spec
from ..options import CompileOptions
from ..shape_options import Asked
from .input_names import input_names

Shapes = tuple[tuple[int, ...], ...]
"""The shapes of a model's inputs, in their order."""


def static_shapes(model: ExportedModel, options: CompileOptions, buckets: Buckets | None = None) -> dict[Shapes, str]:
    """The shapes of the inputs, the sample's first, each with what asked for it, for messages.

    Raises OptionError for shapes that are not those of such inputs.
    """
    sample = tuple(model.specs[n].shape for n in model.inputs)
    found = {sample: "The sample"}
    for size in options.batch_sizes:
        found.setdefault(tuple(with_batch(s, size) for s in sample), f"Option batch_sizes names {size}")
    for asked in options.shapes:
        found.setdefault(_shapes(model, sample, asked), f"Option shapes names {asked}")
    for shapes in () if buckets is None else map(partial(buckets.shapes, sample), buckets.sizes):
        found.setdefault(shapes, f"Option buckets has a bucket for {shapes}")
    return found


def static_graphs(model: ExportedModel, options: CompileOptions, buckets: Buckets | None = None) -> list[Graph]:
    """The model's graph with its specs for each of the static shapes, the sample's first.

    Raises OptionError as `static_shapes` does, and InputError for shapes that MXNet does not take, with its reason.
    """
    text = model.symbol.tojson(remove_amp_cast=False)
    specs = model.all_specs()
    graphs: list[Graph] = []
    for shapes, who in static_shapes(model, options, buckets).items():
        given = {n: Spec(s, model.specs[n].dtype) for n, s in zip(model.inputs, shapes, strict=True)}
        if not graphs:
            graphs.append(annotate(text, specs, model.is_np))
            continue
        try:
            graph = annotate(text, {**specs, **given}, model.is_np)
            _check(graph, graphs[0], {**specs, **given})
        except InputError as error:
            raise InputError(f"{who}. {error}") from error
        graphs.append(graph)
    return graphs


def _shapes(model: ExportedModel, sample: Shapes, asked: Asked) -> Shapes:
    names = model.inputs
    if isinstance(asked, dict):
        known = input_names(model)
        given = {}
        for name, shape in asked.items():
            if name not in known:
                hint = nearest(name, known)
                raise OptionError(f"Option shapes names {name!r}; the inputs are {', '.join(names)}.{hint}")
            if known[name] in given:
                raise OptionError(f"Option shapes names the input {known[name]!r} twice in one item, {asked}.")
            given[known[name]] = shape
        found = tuple(given.get(n, s) for n, s in zip(names, sample, strict=True))
    elif asked and isinstance(asked[0], tuple):
        found = asked
    else:
        found = () if asked == () and not names else (asked,)  # type: ignore[assignment]
    if len(found) != len(names):
        raise OptionError(
            f"Option shapes names {len(found)} shape{'' if len(found) == 1 else 's'}, {asked}, and the model takes "
            f"{len(names)} inputs ({', '.join(names)}). Give a tuple of shapes, one for each, or a dict by name."
        )
    for name, shape, old in zip(names, found, sample, strict=True):
        if len(shape) != len(old):
            raise OptionError(
                f"Option shapes gives {name!r} the shape {shape}, which has {len(shape)} axes, and the sample has "
                f"{len(old)}: {old}."
            )
        if any(n == 0 != m for n, m in zip(shape, old, strict=True)):
            raise OptionError(f"Option shapes gives {name!r} the shape {shape}; extents are positive.")
    return found


def _check(graph: Graph, sample: Graph, given: dict[str, Spec]) -> None:
    """Raise InputError where MXNet infers other weights than there are, or not what it infers for the sample."""
    for node in graph.variables:
        if node.name in given and node.out is not None and node.out.shape != given[node.name].shape:
            raise InputError(f"For it, MXNet infers {node.out} for {node.name!r}, which is {given[node.name]}.")
    for node in graph.nodes:
        unknown = [k for k, spec in node.outs.items() if spec is None and sample.nodes[node.id].outs[k] is not None]
        if unknown:
            raise InputError(f"For it, MXNet infers no shape of what {node} gives.")
