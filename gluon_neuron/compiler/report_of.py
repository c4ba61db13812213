"""Makes the report of a compile, or of what a compile would do."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

from ..graph.graph import Graph
from ..lowering.cost import flops
from ..options import CompileOptions
from ..partition.partition import Partition
from ..report import BucketReport, DynamicDimension, ProgramReport, RegionReport, Report
from ..report_graph import ReportGraph, report_graph
from ..targets.base import Program, Target
from .any_shape import dynamic_dimensions
from .pack import CompiledRegion


def report_of(
    graph: Graph,
    plan: Partition,
    compiled: Sequence[CompiledRegion],
    target: Target,
    options: CompileOptions,
    seconds: Mapping[str, float],
    shapes: Sequence[Mapping[str, tuple[int, ...]]] = (),
    buckets: Sequence[BucketReport] = (),
) -> Report:
    """What was compiled of the graph, for which static `shapes` of its inputs and which `buckets`, and what was not."""
    regions = tuple(
        RegionReport(
            *(c.cut.name, len(c.cut.region.nodes), _flops(graph, c.cut.region.nodes), c.cut.data, c.cut.outputs),
            tuple(_program_report(made) for made in c.programs if made.command),
            *(c.payloads[0].program.get("parts", 1), tuple(map(str, free)), c.why_static, free),
        )
        for c, free in ((c, _dynamic(c)) for c in compiled)
    )
    drawn = report_graph(graph, _inputs(shapes), [c.cut.region.nodes for c in compiled])
    return _report(graph, plan, regions, target, options, seconds, shapes, buckets, drawn)


def planned_report(
    graph: Graph,
    plan: Partition,
    target: Target,
    options: CompileOptions,
    shapes: Sequence[Mapping[str, tuple[int, ...]]] = (),
    buckets: Sequence[BucketReport] = (),
) -> Report:
    """What would be compiled of the graph, and what would not."""
    regions = tuple(
        RegionReport(f"region {i}", len(r.nodes), _flops(graph, r.nodes), (), ()) for i, r in enumerate(plan.regions)
    )
    drawn = report_graph(graph, _inputs(shapes), [r.nodes for r in plan.regions])
    return _report(graph, plan, regions, target, options, {}, shapes, buckets, drawn)


def _report(
    graph: Graph,
    plan: Partition,
    regions: tuple[RegionReport, ...],
    target: Target,
    options: CompileOptions,
    seconds: Mapping[str, float],
    shapes: Sequence[Mapping[str, tuple[int, ...]]],
    buckets: Sequence[BucketReport],
    drawn: ReportGraph,
) -> Report:
    total = sum(flops(n) for n in graph.operators)
    engine = target.engine if regions else "mxnet"
    casts = options.auto_cast, options.auto_cast_type
    named = tuple(shapes), tuple(buckets)
    return Report(
        target.name, engine, len(graph.operators), total, regions, plan.outside, seconds, *casts, *named, drawn
    )


def _inputs(shapes: Sequence[Mapping[str, tuple[int, ...]]]) -> Collection[str]:
    """The names of the model's inputs, by which each static shape is told."""
    return shapes[0] if shapes else ()


def _program_report(made: Program) -> ProgramReport:
    payload = made.payload
    compiler = f"{payload.program['compiler']} {payload.engine_version}"
    cores = payload.program["cores"]
    return ProgramReport(
        payload.target, compiler, shlex.join(made.command), made.cached, made.seconds, cores, made.quality
    )


def _dynamic(region: CompiledRegion) -> tuple[DynamicDimension, ...]:
    return next((dynamic_dimensions(p) for p in region.payloads if "free" in p.program), ())


def _flops(graph: Graph, nodes: Sequence[int]) -> int:
    return sum(flops(graph.nodes[i]) for i in nodes)
