"""The public verbs: compile, analyze, get_report, load and verify."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mxnet as mx

from .block import NeuronHybridBlock
from .class_names import checked_classes, classes_of
from .compiler.pipeline import analyze_model, compile_model
from .culprit.locate import locate as find_culprit
from .errors import InputError, OptionError
from .frontend.export import check_contexts, export
from .frontend.symbol import from_symbol
from .graph.spec import dtype_name
from .option_keywords import CompileKeywords, shows_options
from .preprocessing import Preprocessing, checked_preprocessing
from .report import Report
from .runtime import registration
from .runtime.mxnet_private import traced_symbol
from .stitch import files
from .stitch.checkpoint import checkpoint
from .stitch.metadata import EDITED, Metadata, find, is_edited
from .verification import FLOAT32, Tolerance, Verification, compared, tolerance_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


@shows_options
def compile(
    net: Any,
    sample_input: Any,
    *,
    args: Any = None,
    aux: Any = None,
    classes: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    **options: Unpack[CompileKeywords],
) -> Any:
    """Compile a Gluon model or a symbol; what is given stays as it was and shares its parameters with the result.

    `net` is an initialized `gluon.HybridBlock` (a `SymbolBlock` too); `sample_input` what it is called with: an
    mx.nd, mx.np or NumPy array, a tuple or list of them (nested as the block takes them), or a dict by name. The result
    is a `NeuronHybridBlock`. Or `net` is a `Symbol`, `args` and `aux` its arrays by name, as `load_checkpoint` gives
    them; the result is then a new `(symbol, args, aux)` for `save_checkpoint`, `Module` or `bind`.

    `classes` names what the outputs score, in their order, and `preprocessing` says how an image becomes an input; the
    result has both as attributes, and files keep them. Without them they are the block's own, where it has such
    attributes (GluonCV's detectors and pretrained nets name their `classes`).

    `options` are the fields of `CompileOptions`, whose texts `help()` shows here. Operators that cannot be compiled
    stay in MXNet; the report (`result.report`, or `gluon_neuron.get_report(symbol)`) says which and why.

    Raises BlockError, UninitializedError, InputError, OptionError; CompileError with strict=True; NativeLibraryError
    and EngineError when the native library, OpenVINO or jax is missing; for a chip, CompilerMissingError without its
    compiler and CacheError when the compile cache is to be where it cannot be.
    """
    meaning = _meaning(net, classes, preprocessing)
    if isinstance(net, mx.sym.Symbol):
        made = compile_model(lambda: replace(from_symbol(net, args, aux, sample_input), **meaning), options)
        return checkpoint(made.symbol, net, made.collect_params(), args, aux)
    if args is not None or aux is not None:
        raise InputError("args and aux go with a Symbol; a block has its parameters itself.")
    return compile_model(lambda: replace(export(net, sample_input), **meaning), options)


def _meaning(net: Any, classes: Any, preprocessing: Any) -> dict[str, Any]:
    """What a model's results and inputs mean: as given, else as the block says, or as compiled symbols kept it."""
    known = _metadata_of(net) if isinstance(net, mx.sym.Symbol) else net
    given = checked_preprocessing(preprocessing)
    own = getattr(known, "preprocessing", None)
    return {
        "classes": classes_of(known) if classes is None else checked_classes(classes),
        "preprocessing": own if given is None and isinstance(own, Preprocessing) else given,
    }


def _metadata_of(symbol: mx.sym.Symbol) -> Metadata | None:
    try:
        return find(symbol)
    except (ValueError, KeyError, TypeError):
        return None  # damaged: it is written anew, and only what it says of classes and images is lost


def compile_symbol(
    symbol: mx.sym.Symbol, sample_inputs: Any, args: Any, aux: Any, options: Mapping[str, Any]
) -> NeuronHybridBlock:
    """As `compile` for a symbol, but returns the block, whose parameters are the given arrays themselves."""
    return compile_model(lambda: from_symbol(symbol, args, aux, sample_inputs), options)


@shows_options
def analyze(
    net: Any,
    sample_input: Any,
    *,
    args: Any = None,
    aux: Any = None,
    classes: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    **options: Unpack[CompileKeywords],
) -> Report:
    """What `compile` would do with each operator, without compiling anything; same arguments, same errors.

    No compiler and no chip are needed, whatever the target.
    """
    _meaning(net, classes, preprocessing)
    if isinstance(net, mx.sym.Symbol):
        return analyze_model(lambda: from_symbol(net, args, aux, sample_input), options)
    return analyze_model(lambda: export(net, sample_input), options)


def get_report(model: Any) -> Report:
    """The report of a compiled block or symbol, `SymbolBlock.imports` of compiled files included.

    Raises InputError for one that gluon_neuron did not compile, or that was edited since.
    """
    if isinstance(model, NeuronHybridBlock):
        return model.report
    symbol = traced_symbol(model) if isinstance(model, mx.gluon.HybridBlock) else model
    if symbol is not None and not isinstance(symbol, mx.sym.Symbol):
        raise InputError(f"A report is that of a compiled block or symbol, and this is a {type(model).__name__}.")
    metadata = None if symbol is None else find(symbol)
    if symbol is not None and metadata is None and is_edited(symbol.tojson(remove_amp_cast=False)):
        raise InputError(
            f"The symbol was edited after gluon_neuron had compiled it: {EDITED}. Ask for the report of the symbol as "
            "compile() gave it, or compile this one: its operators are compiled anew."
        )
    if metadata is None:
        what = "symbol" if model is symbol else "block"
        raise InputError(f"The {what} was not compiled by gluon_neuron: it carries no report.")
    return metadata.report


def load(path: str | os.PathLike[str], epoch: int | None = None, ctx: Any = None) -> NeuronHybridBlock:
    """Load what `NeuronHybridBlock.export(path, epoch)` wrote; nested arguments, results and the report come back too.

    `path` may be one of the two files as well, such as "net-symbol.json". Without an `epoch` it is that of the file, or
    0, or the only one there is. `ctx` is the context of the parameters (or a list of them).

    Raises FileNotFoundError, which says what there is; GraphError, ArtifactCorruptError or ArtifactVersionError for
    files that are damaged; ArtifactMismatchError for those of different models or exports; InputError for a model that
    was not compiled by gluon_neuron or was edited since, or for a GPU.
    """
    registration.register()
    contexts = ctx or mx.current_context()
    check_contexts(
        contexts if isinstance(contexts, list | tuple) else [contexts], "The model is to be loaded to", "load"
    )
    symbol, metadata, params = files.read_model(path, epoch, contexts)
    return NeuronHybridBlock(symbol, params, metadata)


def verify(
    compiled: Any,
    reference: Any,
    inputs: Any,
    rtol: float | None = None,
    atol: float | None = None,
    *,
    locate: bool = True,
) -> Verification:
    """Compare a compiled block with the original on one input, or on each of a list of inputs.

    An input is what `compile` takes as a sample; floating-point outputs must agree within `atol + rtol * |reference|`,
    and others exactly. Where neither is given they follow from the precision that was asked for: 1e-3 and 1e-4 in
    float32; with `auto_cast`, or for parameters and outputs of a smaller type, four units in the last place of that
    type, of each value and of the output's largest, as sums of large values may be small. An `atol` that is not given
    is at most 1e-3 of the output's largest value, too. The result is true when all agree and something was compared,
    and prints the differences and what was allowed.

    Where they do not agree, `locate` has it find out where the two part, for the first such input: the first compiled
    region, and by halving it, for which its parts are compiled anew, the first operator. That is the result's
    `culprit`, which is printed too.

    Raises InputError for what is no block, and for inputs that do not fit; OptionError for a tolerance that is no
    finite number from 0.
    """
    _check_comparable(compiled, reference, rtol, atol)
    report = _report_of(compiled)
    explicit = rtol is not None or atol is not None
    allowed = _given(rtol, atol) if explicit else tolerance_of(report, _types_of(compiled))
    samples = inputs if isinstance(inputs, list) else [inputs]
    # Where MXNet has the first calls of a shape, it would be compared with itself.
    with compiled.programs_alone() if isinstance(compiled, NeuronHybridBlock) else nullcontext():
        made = compared(compiled, reference, samples, allowed, by_type=not explicit)
    if report is None:
        made = replace(made, verification=replace(made.verification, note=_NO_REPORT))
    number = made.first_apart
    if made.verification or not locate or number < 0:
        return made.verification
    found = find_culprit(compiled, reference, samples[number], made.outputs[number], made.tolerances, number)
    return replace(made.verification, culprit=found)


_NO_REPORT = (
    "The first of the two carries no report: gluon_neuron did not compile it, or it was edited since, or it is inside "
    "another block. Where nothing of it is compiled, this compares MXNet with itself."
)


def _check_comparable(compiled: Any, reference: Any, rtol: float | None, atol: float | None) -> None:
    # The names of the arguments are those of the reference, and only a HybridBlock says them.
    for name, block, kind in (
        ("compiled", compiled, mx.gluon.Block),
        ("reference", reference, mx.gluon.HybridBlock),
    ):
        if not isinstance(block, kind):
            raise InputError(
                f"verify() compares two blocks, and {name} is a {type(block).__name__}; give a gluon.{kind.__name__}."
            )
    for name, value in (("rtol", rtol), ("atol", atol)):
        try:
            allowed = value is None or (math.isfinite(value) and value >= 0)
        except TypeError:
            allowed = False
        if not allowed:
            raise OptionError(f"{name} must be a finite number from 0, not {value!r}.")


def _given(rtol: float | None, atol: float | None) -> Tolerance:
    """What is given counts alone; what is not is as for float32."""
    if atol is None:
        return replace(FLOAT32, rtol=FLOAT32.rtol if rtol is None else rtol)
    return Tolerance(FLOAT32.rtol if rtol is None else rtol, atol)


def _types_of(compiled: mx.gluon.Block) -> set[str]:
    """The types of a block's parameters."""
    return {dtype_name(p.dtype) for p in compiled.collect_params().values()}


def _report_of(compiled: Any) -> Report | None:
    """The report of a compiled block; None for whatever else is compared."""
    try:
        return get_report(compiled)
    except InputError:
        return None
