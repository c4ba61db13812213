"""Compiles the regions of a partition: all are lowered, then their compilers run together; failures get a reason."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Mapping, Sequence

from ..errors import CompileError, RefusedError
from ..frontend.model import Model
from ..graph.graph import Graph
from ..options import CompileOptions
from ..partition.partition import Partition
from ..partition.regions import Region, boundary
from ..refusal import Category
from ..report import Outside, ProgramReport
from ..stitch.write import Compiled, finish, prepare
from ..targets.base import Program, Target, Task
from ..targets.neuron.toolchain.pool import jobs_of, run_all
from .region_dump import Keeper
from .region_job import Piece, cut

_logger = logging.getLogger(__name__)


def compile_regions(
    parts: Partition, graphs: Sequence[Graph], model: Model, target: Target, options: CompileOptions
) -> tuple[list[Compiled], list[Outside]]:
    """What was compiled of each region, and the operators that must stay in MXNet because a region was not.

    Raises CompileError with strict=True.
    """
    keeper = Keeper(options, model, target.name)
    pieces: list[Piece] = []
    for number, region in enumerate(parts.regions):
        piece = cut(number, region, graphs, model, options, keeper.directory)
        keeper.before(piece)
        pieces.append(piece)
    compiled: list[Compiled] = []
    failed: list[Outside] = []
    for piece, made, seconds in _compile(pieces, target, options, model.is_np):
        operators = len(piece.region.nodes)
        if isinstance(made, Compiled):
            keeper.after(piece, made.payloads, None, seconds)
            _logger.info("%s: %d operators compiled for %s in %.2f s", piece.name, operators, target.name, seconds)
            compiled.append(made)
            continue
        keeper.after(piece, (), made, seconds)
        _logger.warning("%s (%d operators) stays in MXNet: %s", piece.name, operators, made)
        if options.strict:
            raise made
        if isinstance(made, RefusedError) and made.nodes:
            failed += _refused(graphs[0], piece.region, made)
            continue
        culprits = _culprits(piece.region, graphs, model, target, options) if options.op_by_op_retry else {}
        failed += outside(graphs[0], culprits or dict.fromkeys(piece.region.nodes, str(made)))
    return compiled, failed


def outside(graph: Graph, reasons: Mapping[int, str]) -> list[Outside]:
    """The records of operators (by id) that stay in MXNet because their compile failed, each for its reason."""
    nodes = [graph.nodes[i] for i in reasons]
    return [Outside(n.name, n.op, Category.COMPILE_FAILED, reasons[n.id]) for n in nodes]


def program_report(made: Program) -> ProgramReport:
    """What a report says of a program that a Neuron compiler made."""
    payload = made.payload
    compiler = f"{payload.program['compiler']} {payload.engine_version}"
    cores = payload.program["cores"]
    return ProgramReport(
        payload.target, compiler, shlex.join(made.command), made.cached, made.seconds, cores, made.quality
    )


def _compile(
    pieces: Sequence[Piece], target: Target, options: CompileOptions, is_np: bool
) -> Sequence[tuple[Piece, Compiled | CompileError, float]]:
    """Each piece with what it became and the seconds that took; with strict=True only the first that fails, if any."""
    made: list[list[Program | Task]] = []
    errors: dict[int, CompileError] = {}
    seconds = [0.0] * len(pieces)
    for i, piece in enumerate(pieces):
        start = time.perf_counter()
        try:
            made.append(prepare(piece, target))
        except CompileError as error:
            made.append([])
            errors[i] = error
        seconds[i] = time.perf_counter() - start
        if errors and options.strict:
            return [(piece, errors[i], seconds[i])]
    places = [(i, k) for i, parts in enumerate(made) for k, part in enumerate(parts) if not isinstance(part, Program)]
    tasks = [task for parts in made for task in parts if not isinstance(task, Program)]
    for (i, k), result in zip(places, run_all(tasks, jobs_of(options.compiler_jobs), options.strict), strict=True):
        if isinstance(result, CompileError):
            errors.setdefault(i, result)
        elif result is not None:
            made[i][k] = result
            seconds[i] += result.seconds
    if errors and options.strict:
        return [(pieces[i], error, seconds[i]) for i, error in errors.items()][:1]
    results: list[tuple[Piece, Compiled | CompileError, float]] = []
    for i, piece in enumerate(pieces):
        programs = [part for part in made[i] if isinstance(part, Program)]
        try:
            results.append((piece, errors.get(i) or finish(piece, programs, options, is_np), seconds[i]))
        except CompileError as error:
            results.append((piece, error, seconds[i]))
    return results


def _refused(graph: Graph, region: Region, error: RefusedError) -> list[Outside]:
    nodes = [graph.nodes[i] for i in region.nodes if graph.nodes[i].name in error.nodes]
    return [Outside(n.name, n.op, Category.TARGET, error.nodes[n.name]) for n in nodes]


def _culprits(
    region: Region, graphs: Sequence[Graph], model: Model, target: Target, options: CompileOptions
) -> dict[int, str]:
    """The operators of a region that cannot be compiled alone either, each with its reason."""
    found = {}
    for i in region.nodes:
        piece = cut(0, boundary(graphs[0], [i]), graphs, model, options)
        ((_, made, _),) = _compile([piece], target, options, model.is_np)
        if isinstance(made, CompileError):
            found[i] = str(made)
    return found
