"""The pipeline, top to bottom: compile, analyze, get_report, load and verify."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import mxnet as mx

from .block import NeuronHybridBlock
from .compiler.regions import compile_regions, outside, program_report
from .errors import CompileError, InputError
from .frontend.export import export
from .frontend.infer import annotate
from .frontend.model import Model
from .frontend.symbol import from_symbol
from .graph.graph import Graph, Node
from .graph.spec import Spec
from .graph.subgraph import unnameable
from .lowering.cost import flops, worth_a_region
from .options import CompileOptions
from .partition.partition import Partition, partition
from .refusal import Category, Refusal
from .report import Outside, RegionReport, Report
from .runtime import library
from .runtime.devices import for_this_machine
from .stitch import files
from .stitch.metadata import Metadata, find
from .stitch.parameters import ArtifactParameter
from .stitch.write import Compiled, artifacts, stitch
from .targets.base import Target
from .targets.neuron.toolchain.precedence import resolve
from .targets.refusals import refusals
from .targets.registry import get_target
from .verification import Verification, compare


def compile(net: Any, sample_input: Any, *, args: Any = None, aux: Any = None, **options: Any) -> Any:
    """Compile a Gluon model or a symbol; what is given stays as it was and shares its parameters with the result.

    `net` is an initialized `gluon.HybridBlock` (a `SymbolBlock` too); `sample_input` what it is called with: an
    mx.nd, mx.np or NumPy array, a tuple or list of them (nested as the block takes them), or a dict by name. The result
    is a `NeuronHybridBlock`. Or `net` is a `Symbol`, `args` and `aux` its arrays by name, as `load_checkpoint` gives
    them; the result is then a new `(symbol, args, aux)` for `save_checkpoint`, `Module` or `bind`.

    `options` are the fields of `CompileOptions`. Operators that cannot be compiled stay in MXNet; the report
    (`result.report`, or `gluon_neuron.get_report(symbol)`) says which and why.

    Raises BlockError, UninitializedError, InputError, OptionError; CompileError with strict=True; NativeLibraryError
    and EngineError when the native library, OpenVINO or jax is missing; for a chip, CompilerMissingError without its
    compiler and CacheError when the compile cache cannot be used.
    """
    if isinstance(net, mx.sym.Symbol):
        return _checkpoint(compile_symbol(net, sample_input, args, aux, options), args, aux)
    if args is not None or aux is not None:
        raise InputError("args and aux go with a Symbol; a block has its parameters itself.")
    return _compile(lambda: export(net, sample_input), options)


def compile_symbol(
    symbol: mx.sym.Symbol, sample_inputs: Any, args: Any, aux: Any, options: Mapping[str, Any]
) -> NeuronHybridBlock:
    """As `compile` for a symbol, but returns the block, whose parameters are the given arrays themselves."""
    return _compile(lambda: from_symbol(symbol, args, aux, sample_inputs), options)


def analyze(net: Any, sample_input: Any, *, args: Any = None, aux: Any = None, **options: Any) -> Report:
    """What `compile` would do with each operator, without compiling anything; same arguments, same errors.

    No compiler and no chip are needed, whatever the target.
    """
    chosen = resolve(for_this_machine(CompileOptions.make(options)), options)
    target = get_target(chosen.target)
    symbolic = isinstance(net, mx.sym.Symbol)
    model = from_symbol(net, args, aux, sample_input) if symbolic else export(net, sample_input)
    graph = annotate(model.symbol.tojson(remove_amp_cast=False), model.all_specs(), model.is_np)
    parts = partition(graph, model.inputs, _refusal(graph, model, target), worth_a_region, chosen)
    regions = tuple(
        RegionReport(f"region {i}", len(r.nodes), _flops(graph, r.nodes), (), ()) for i, r in enumerate(parts.regions)
    )
    return _report(graph, parts, regions, target, {})


def get_report(symbol: mx.sym.Symbol) -> Report:
    """The report of a compiled symbol; raises InputError for one that gluon_neuron did not compile."""
    metadata = find(symbol)
    if metadata is None:
        raise InputError("The symbol was not compiled by gluon_neuron: it carries no report.")
    return metadata.report


def load(path: str | os.PathLike[str], epoch: int = 0, ctx: Any = None) -> NeuronHybridBlock:
    """Load what `NeuronHybridBlock.export(path, epoch)` wrote; nested arguments, results and the report come back too.

    `ctx` is the context of the parameters (or a list of them). Raises FileNotFoundError, GraphError,
    ArtifactCorruptError or ArtifactVersionError for files that are missing or damaged, InputError for a model that
    was not compiled by gluon_neuron.
    """
    library.load()
    symbol_path, params_path = files.paths(path, epoch)
    symbol, metadata = files.read_symbol(symbol_path)
    args, aux = files.read_params(params_path, metadata.is_np)
    contexts = ctx if isinstance(ctx, list | tuple) else [ctx or mx.current_context()]
    params = files.make_parameters(symbol, metadata, {**args, **aux}, list(contexts), str(params_path))
    return NeuronHybridBlock(symbol, params, metadata)


def verify(compiled: Any, reference: Any, inputs: Any, rtol: float = 1e-3, atol: float = 1e-4) -> Verification:
    """Compare a compiled block with the original on one input, or on each of a list of inputs.

    An input is what `compile` takes as a sample; floating-point outputs must agree within `atol + rtol * |reference|`,
    and others exactly. The result is true when they do, and prints the differences.
    """
    return compare(compiled, reference, inputs if isinstance(inputs, list) else [inputs], rtol, atol)


def _compile(source: Callable[[], Model], given: Mapping[str, Any]) -> NeuronHybridBlock:
    options = resolve(for_this_machine(CompileOptions.make(given)), given)
    library.load()
    target = get_target(options.target)
    target.ready()
    clock = _Clock()
    with clock("export"):
        model = source()
    with clock("infer"):
        graphs = _infer(model, options)
    banned: list[Outside] = []
    while True:
        with clock("partition"):
            refusal = _refusal(graphs[0], model, target)
            parts = partition(graphs[0], model.inputs, refusal, worth_a_region, options, banned)
        with clock("compile"):
            compiled, failed = compile_regions(parts, graphs, model, target, options)
        if not failed:
            with clock("stitch"):
                block = _reimport(model, graphs[0], parts, compiled, target, options, clock.seconds)
            with clock("load"):
                failed = _first_run(block, model, parts, compiled, graphs[0], options)
        if not failed:
            return block
        banned += failed


def _checkpoint(
    block: NeuronHybridBlock, args: Any, aux: Any
) -> tuple[mx.sym.Symbol, dict[str, mx.nd.NDArray], dict[str, mx.nd.NDArray]]:
    # The arrays are the caller's own; those that the new symbol does not read any more are left out.
    symbol = block.symbol
    names = set(symbol.list_inputs())
    made = {n: p.data() for n, p in block.collect_params().items() if isinstance(p, ArtifactParameter)}
    return (
        symbol,
        {**{n: a for n, a in (args or {}).items() if n in names}, **made},
        {n: a for n, a in (aux or {}).items() if n in names},
    )


def _infer(model: Model, options: CompileOptions) -> list[Graph]:
    text = model.symbol.tojson(remove_amp_cast=False)
    specs = model.all_specs()
    graphs = [annotate(text, specs, model.is_np)]
    for size in options.batch_sizes:
        scaled = {n: Spec((size, *s.shape[1:]), s.dtype) for n, s in model.specs.items()}
        if any(scaled[n] != s for n, s in model.specs.items()):
            graphs.append(annotate(text, {**specs, **scaled}, model.is_np))
    return graphs


def _refusal(graph: Graph, model: Model, target: Target) -> Callable[[Node], Refusal | None]:
    pinned = unnameable(graph, model.symbol.list_outputs())
    ask = refusals(target, graph)

    def refusal(node: Node) -> Refusal | None:
        found = ask(node)
        if found is None and node.id in pinned:
            sentence = f"only the operator itself gives an output of the model its name, {pinned[node.id]!r}"
            return Refusal(Category.ATTRIBUTE, sentence)
        return found

    return refusal


def _reimport(
    model: Model,
    graph: Graph,
    parts: Partition,
    compiled: list[Compiled],
    target: Target,
    options: CompileOptions,
    seconds: dict[str, float],
) -> NeuronHybridBlock:
    regions = tuple(
        RegionReport(
            *(p.name, len(p.region.nodes), _flops(graph, p.region.nodes), p.data, p.outputs),
            tuple(program_report(made) for made in c.programs if made.command),
            c.payloads[0].program.get("parts", 1),
        )
        for c in compiled
        for p in (c.piece,)
    )
    report = _report(graph, parts, regions, target, dict(seconds))
    specs = tuple(model.specs[n] for n in model.inputs)
    metadata = Metadata(
        model.inputs,
        specs,
        model.in_format,
        model.out_format,
        model.is_np,
        options.dynamic_batch,
        options.batch_sizes,
        report,
    )
    symbol = stitch(graph, compiled, model.symbol.list_outputs(), metadata, model.is_np)
    names = set(symbol.list_inputs())
    params = {n: p for n, p in model.params.items() if n in names}
    contexts = next(iter(params.values())).list_ctx() if params else [mx.current_context()]
    for name, data in artifacts(compiled).items():
        params[name] = ArtifactParameter(name, mx.nd.array(data, dtype=data.dtype), contexts)
    return NeuronHybridBlock(symbol, params, metadata)


def _first_run(
    block: NeuronHybridBlock,
    model: Model,
    parts: Partition,
    compiled: list[Compiled],
    graph: Graph,
    options: CompileOptions,
) -> list[Outside]:
    """Run the model once on zeros, to find now a program that the engine refuses; returns what then stays outside."""
    if not compiled:
        return []
    try:
        ctx = next(iter(block.collect_params().values())).list_ctx()[0]
        with mx.util.np_shape(model.is_np):
            zeros = [mx.nd.zeros(model.specs[n].shape, ctx, dtype=model.specs[n].dtype) for n in model.inputs]
        before = library.stats()["fallbacks"]
        with library.cpu_allowed():
            for out in block._run(zeros):
                out.wait_to_read()
        if library.stats()["fallbacks"] != before:
            block._clear_cached_op()  # the first call of the user's is to say that there is no chip
        return []
    except mx.base.MXNetError as error:
        text = str(error)
        for c in compiled:
            if f"{c.replacement.name}:" in text or f"{c.replacement.name!r}" in text or len(compiled) == 1:
                reason = text.split("Stack trace")[0].strip()
                if options.strict:
                    raise CompileError(f"Region {c.replacement.name} does not run: {reason}") from error
                return outside(graph, dict.fromkeys(c.piece.region.nodes, reason))
        raise


def _report(
    graph: Graph, parts: Partition, regions: tuple[RegionReport, ...], target: Target, seconds: dict[str, float]
) -> Report:
    total = sum(flops(n) for n in graph.operators)
    engine = target.engine if regions else "mxnet"
    return Report(target.name, engine, len(graph.operators), total, regions, parts.outside, seconds)


def _flops(graph: Graph, nodes: tuple[int, ...]) -> int:
    return sum(flops(graph.nodes[i]) for i in nodes)


class _Clock:
    """Wall time of each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start
