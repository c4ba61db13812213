"""Compiles the regions of a partition: all are lowered, then their compilers run together; failures get a reason."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from ..errors import CompileError, RefusedError
from ..frontend.model import ExportedModel
from ..graph.graph import Graph
from ..options import CompileOptions
from ..partition.partition import Partition
from ..partition.regions import Region, boundary
from ..refusal import Category
from ..report import Outside
from ..targets.base import Program, Target, Task
from ..targets.neuron.toolchain.pool import jobs_of, run_all
from .cut_region import CutRegion, cut_out
from .dynamic_axes import DynamicAxes
from .pack import CompiledRegion, finish, prepare
from .region_dump import RegionDump

_logger = logging.getLogger(__name__)


def compile_regions(
    plan: Partition,
    graphs: Sequence[Graph],
    model: ExportedModel,
    target: Target,
    options: CompileOptions,
    dynamic: DynamicAxes | None = None,
) -> tuple[list[CompiledRegion], dict[int, Outside]]:
    """What was compiled of each region, and the operators, by id, that must stay in MXNet because a region was not.

    `dynamic` are the axes that option dynamic names. Raises CompileError with strict=True.
    """
    dump = RegionDump(options, model, target.name)
    cuts: list[CutRegion] = []
    for number, region in enumerate(plan.regions):
        cut = cut_out(number, region, graphs, model, options, dump.directory, dynamic)
        dump.before(cut)
        cuts.append(cut)
    compiled: list[CompiledRegion] = []
    failed: dict[int, Outside] = {}
    for cut, made, seconds in _compile(cuts, target, options, model.is_np):
        operators = len(cut.region.nodes)
        if isinstance(made, CompiledRegion):
            dump.after(cut, made.payloads, None, seconds)
            _logger.info("%s: %d operators compiled for %s in %.2f s", cut.name, operators, target.name, seconds)
            compiled.append(made)
            continue
        dump.after(cut, (), made, seconds)
        _logger.warning("%s (%d operators) stays in MXNet: %s", cut.name, operators, made)
        if options.strict:
            raise made
        if isinstance(made, RefusedError) and made.nodes:
            failed |= _refused(graphs[0], cut, made)
            continue
        culprits = _culprits(cut.region, graphs, model, target, options) if options.op_by_op_retry else {}
        failed |= outside(graphs[0], culprits or dict.fromkeys(cut.region.nodes, str(made)))
    return compiled, failed


def outside(graph: Graph, reasons: Mapping[int, str]) -> dict[int, Outside]:
    """The records of operators (by id) that stay in MXNet because their compile failed, each for its reason."""
    nodes = [graph.nodes[i] for i in reasons]
    return {n.id: Outside(n.name, n.op, Category.COMPILE_FAILED, reasons[n.id]) for n in nodes}


def _compile(
    cuts: Sequence[CutRegion], target: Target, options: CompileOptions, is_np: bool
) -> Sequence[tuple[CutRegion, CompiledRegion | CompileError, float]]:
    """Each region with what it became and the seconds that took; with strict=True only the first that fails, if any."""
    made: list[list[Program | Task]] = []
    errors: dict[int, CompileError] = {}
    seconds = [0.0] * len(cuts)
    for i, cut in enumerate(cuts):
        start = time.perf_counter()
        try:
            made.append(prepare(cut, target))
        except CompileError as error:
            made.append([])
            errors[i] = error
        seconds[i] = time.perf_counter() - start
        if errors and options.strict:
            return [(cut, errors[i], seconds[i])]
    places = [(i, k) for i, parts in enumerate(made) for k, part in enumerate(parts) if not isinstance(part, Program)]
    tasks = [task for parts in made for task in parts if not isinstance(task, Program)]
    for (i, k), result in zip(places, run_all(tasks, jobs_of(options.compiler_jobs), options.strict), strict=True):
        if isinstance(result, CompileError):
            errors.setdefault(i, result)
        elif result is not None:
            made[i][k] = result
            seconds[i] += result.seconds
    if errors and options.strict:
        return [(cuts[i], error, seconds[i]) for i, error in errors.items()][:1]
    results: list[tuple[CutRegion, CompiledRegion | CompileError, float]] = []
    for i, cut in enumerate(cuts):
        programs = [part for part in made[i] if isinstance(part, Program)]
        try:
            results.append((cut, errors.get(i) or finish(cut, programs, options, is_np), seconds[i]))
        except CompileError as error:
            results.append((cut, error, seconds[i]))
    return results


def _refused(graph: Graph, cut: CutRegion, error: RefusedError) -> dict[int, Outside]:
    found = {cut.operators[name]: sentence for name, sentence in error.nodes.items()}
    return {i: Outside(graph.nodes[i].name, graph.nodes[i].op, Category.TARGET, s) for i, s in sorted(found.items())}


def _culprits(
    region: Region, graphs: Sequence[Graph], model: ExportedModel, target: Target, options: CompileOptions
) -> dict[int, str]:
    """The operators of a region that cannot be compiled alone either, each with its reason."""
    found = {}
    for i in region.nodes:
        cut = cut_out(0, boundary(graphs[0], [i]), graphs, model, options)
        ((_, made, _),) = _compile([cut], target, options, model.is_np)
        if isinstance(made, CompileError):
            found[i] = str(made)
    return found
