"""The compiler's phases, one after the other, until what was compiled also runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import mxnet as mx

from ..block import NeuronHybridBlock
from ..frontend.infer import Inference
from ..frontend.model import ExportedModel
from ..frontend.storage import sparse_entries
from ..graph.batch import BatchAxes
from ..graph.buckets import Buckets
from ..graph.graph import Graph, Node
from ..graph.open_results import OPEN, check_foreach
from ..graph.subgraph import unnameable
from ..lowering.cost import worth_a_region
from ..options import CompileOptions
from ..partition.partition import Partition, partition
from ..refusal import Category, Refusal
from ..report import BucketReport, Outside, Report
from ..runtime import registration
from ..stitch.metadata import Metadata
from ..stitch.parameters import artifact_parameter
from ..stitch.write import stitch
from ..targets.base import Target
from ..targets.neuron.toolchain.precedence import resolve
from ..targets.refusals import refusals
from ..targets.registry import get_target
from .batch_axes import batch_axes
from .bucket_axes import bucket_axes
from .declared_padding import try_declared
from .dynamic_axes import dynamic_axes
from .first_run import first_run
from .pack import CompiledRegion
from .phases import begins
from .regions import compile_regions
from .report_of import planned_report, report_of
from .static_shapes import static_graphs, static_shapes
from .target_here import for_this_machine


def compile_model(export: Callable[[], ExportedModel], given: Mapping[str, Any]) -> NeuronHybridBlock:
    """What `export` gives, compiled with the options `given`; raises what `gluon_neuron.compile` raises."""
    options = resolve(for_this_machine(CompileOptions.make(given)), given)
    registration.register()
    target = get_target(options.target)
    target.ready()
    clock = _Clock()
    with clock("export"):
        model = export()
    with clock("infer"):
        dynamic = dynamic_axes(model, options)
        buckets = bucket_axes(model, options)
        graphs = static_graphs(model, options, buckets)
        check_foreach(graphs[0])
        axes = batch_axes(model) if options.dynamic_batch else None
    banned: dict[int, Outside] = {}
    while True:
        with clock("partition"):
            plan = _partition(graphs, model, target, options, banned)
        with clock("compile"):
            compiled, failed = compile_regions(plan, graphs, model, target, options, dynamic)
        if not failed:
            with clock("stitch"):
                named = _named(model, options, buckets)
                report = report_of(graphs[0], plan, compiled, target, options, dict(clock.seconds), *named)
                block = _reimport(model, graphs[0], compiled, options, report, axes, buckets)
            with clock("load"):
                failed = first_run(block, model, compiled, graphs[0], options)
                if not failed:
                    try_declared(block, model, options)
        if not failed:
            return block
        banned |= failed


def analyze_model(export: Callable[[], ExportedModel], given: Mapping[str, Any]) -> Report:
    """What `compile_model` would do with each operator; needs no compiler and no chip."""
    options = resolve(for_this_machine(CompileOptions.make(given)), given)
    target = get_target(options.target)
    model = export()
    dynamic_axes(model, options)
    buckets = bucket_axes(model, options)
    graphs = static_graphs(model, options, buckets)
    check_foreach(graphs[0])
    if options.dynamic_batch:
        batch_axes(model)
    plan = _partition(graphs, model, target, options)
    return planned_report(graphs[0], plan, target, options, *_named(model, options, buckets))


def _named(
    model: ExportedModel, options: CompileOptions, buckets: Buckets | None
) -> tuple[list[dict[str, tuple[int, ...]]], list[BucketReport]]:
    """The static shapes, and the axes of buckets, by the inputs' names."""
    shapes = [dict(zip(model.inputs, shapes, strict=True)) for shapes in static_shapes(model, options, buckets)]
    axes = [
        BucketReport(tuple((model.inputs[at], k) for at, k in axis.places), axis.extents, axis.values)
        for axis in (buckets.axes if buckets else ())
    ]
    return shapes, axes


def _partition(
    graphs: Sequence[Graph],
    model: ExportedModel,
    target: Target,
    options: CompileOptions,
    banned: dict[int, Outside] | None = None,
) -> Partition:
    graph, further = graphs[0], graphs[1:]
    pinned = unnameable(graph, model.symbol.list_outputs())
    ask = refusals(target, graph)
    elsewhere = [(g, refusals(target, g)) for g in further]
    sparse = sparse_entries(graph, model.stored(), model.is_np)

    def refusal(node: Node) -> Refusal | None:
        read = next((e for e in node.inputs if e in sparse), None)
        if read is not None:
            what = f"it reads {graph.nodes[read.node].name!r}, whose storage is {sparse[read]}"
            return Refusal(Category.NOT_FOR_INFERENCE, f"{what}, and compiled regions take dense arrays")
        found = ask(node)
        if found is None and node.id in pinned:
            sentence = f"only the operator itself gives an output of the model its name, {pinned[node.id]!r}"
            return Refusal(Category.ATTRIBUTE, sentence)
        return found or next(filter(None, (_refusal_for(model, g, again, node.id) for g, again in elsewhere)), None)

    return partition(graph, model.inputs, refusal, worth_a_region, options, banned)


def _refusal_for(
    model: ExportedModel, graph: Graph, ask: Callable[[Node], Refusal | None], number: int
) -> Refusal | None:
    """Why a node cannot be compiled for one of the further shapes. Which is the faster, the sample alone decides."""
    found = ask(graph.nodes[number])
    if found is None or found.category is Category.SLOWER:
        return None
    shapes = {n.name: n.out.shape for n in graph.variables if n.out is not None}
    shown = ", ".join(f"{n} {shapes[n]}" for n in model.inputs if n in shapes)
    return Refusal(found.category, f"for the further shape {shown}: {found.sentence}")


def _may_be_open(graph: Graph) -> bool:
    """Whether it has to be asked again what MXNet alone infers: of most models the graph says that it is everything."""
    return any(n.op in OPEN or None in n.outs.values() for n in graph.nodes)


def _reimport(
    model: ExportedModel,
    graph: Graph,
    compiled: list[CompiledRegion],
    options: CompileOptions,
    report: Report,
    axes: BatchAxes | None,
    buckets: Buckets | None,
) -> NeuronHybridBlock:
    specs = tuple(model.specs[n] for n in model.inputs)
    text = model.symbol.tojson(remove_amp_cast=False)
    metadata = Metadata(
        *(model.inputs, specs, model.in_format, model.out_format, model.is_np),
        *(options.dynamic_batch, options.batch_sizes, report, axes),
        _may_be_open(graph) and Inference(text, model.is_np).has_open_shapes(model.all_specs()),
        model.arguments,
        tuple(static_shapes(model, replace(options, batch_sizes=()), buckets))[1:],
        buckets,
        *(options, model.classes, model.preprocessing),
    )
    replacements = [c.replacement for c in compiled]
    symbol = stitch(graph, replacements, model.symbol.list_outputs(), metadata, model.is_np)
    names = set(symbol.list_inputs())
    params = {n: p for n, p in model.params.items() if n in names}
    contexts = next(iter(params.values())).list_ctx() if params else [mx.current_context()]
    weights = [*params.values()]
    for c in compiled:
        name = c.replacement.artifact
        params[name] = artifact_parameter(name, c.artifact, contexts, weights)
    return NeuronHybridBlock(symbol, params, metadata)


class _Clock:
    """Wall time of each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        begins(phase)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start
