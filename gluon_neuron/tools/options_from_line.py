"""The options of a compile on a command line, the same for each command that compiles."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from ..errors import OptionError

Answered = TypeVar("Answered")
_PANEL = "Compiling"
_DYNAMIC = re.compile(r"(?P<name>.+):(?P<axis>-?\d+)(?:=(?P<least>\d+)\.\.(?P<most>\d+))?")
_BUCKET = re.compile(r"(?P<name>.+):(?P<axis>-?\d+)=(?P<extents>\d+(?:,\d+)*)")
_PAD = re.compile(r"(?P<name>.+):(?P<axis>-?\d+)(?:=(?P<value>[-+.\deE]+))?")


class Target(str, Enum):
    """Where a model is to run."""

    auto = "auto"
    cpu = "cpu"
    inf1 = "inf1"
    inf2 = "inf2"
    trn1 = "trn1"
    trn2 = "trn2"


class AutoCast(str, Enum):
    """What may be computed in a smaller type."""

    none = "none"
    matmult = "matmult"
    all = "all"


class AutoCastType(str, Enum):
    """The smaller type."""

    bf16 = "bf16"
    fp16 = "fp16"
    tf32 = "tf32"
    fp8_e4m3 = "fp8_e4m3"


def _option(help: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=_PANEL, **more)


Texts = list[str] | None


def _compile_options(
    target: Annotated[
        Target, _option("Where it is to run; auto is the chip if there is one, else the CPU.")
    ] = Target.auto,
    auto_cast: Annotated[AutoCast, _option("What may be computed in --auto-cast-type.")] = AutoCast.none,
    auto_cast_type: Annotated[AutoCastType, _option("The smaller type.")] = AutoCastType.bf16,
    dynamic: Annotated[
        Texts,
        _option(
            "Axes that may change, each with its least and largest extent, in one program for the CPU; repeatable. "
            "'batch' is the first axis of every input. Without it every axis that MXNet lets change may.",
            metavar="NAME:AXIS=MIN..MAX",
        ),
    ] = None,
    no_dynamic: Annotated[bool, _option("No program for other shapes.", "--no-dynamic")] = False,
    dynamic_batch: Annotated[
        bool, _option("Serve any batch with the compiled one, by splitting and padding.", "--dynamic-batch")
    ] = False,
    batch_size: Annotated[
        list[int] | None, _option("A further batch size with a program of its own; repeatable.", min=1)
    ] = None,
    further_shape: Annotated[
        Texts,
        _option(
            "Further shapes with a program of their own, those of several inputs with blanks between; repeatable.",
            metavar="NAME:8,64",
        ),
    ] = None,
    bucket: Annotated[
        Texts,
        _option(
            "Extents of an axis with a program each; calls are padded up to the next. Repeatable.",
            metavar="NAME:AXIS=64,128",
        ),
    ] = None,
    padding: Annotated[
        Texts,
        _option(
            "An axis of --bucket along which the model ignores what lies behind the end, and the value to pad with. "
            "Repeatable.",
            metavar="NAME:AXIS=0",
        ),
    ] = None,
    inline_weights: Annotated[
        bool, _option("Bake the weights into the programs; they cannot be replaced then.", "--inline-weights")
    ] = False,
    exclude_node: Annotated[Texts, _option("A node that stays in MXNet; repeatable.", metavar="NAME")] = None,
    exclude_operator: Annotated[Texts, _option("An operator that stays in MXNet; repeatable.", metavar="NAME")] = None,
    include_node: Annotated[
        Texts, _option("A node that is compiled even if MXNet were faster; repeatable.", metavar="NAME")
    ] = None,
    threads: Annotated[int, _option("Threads of the CPU engine; 0 lets it choose.", min=0)] = 0,
    cores: Annotated[
        str | None, _option("The NeuronCores that the model may use, such as 0 or 0-3.", metavar="CORES")
    ] = None,
    pipeline_cores: Annotated[int, _option("NeuronCores over which one region is spread on inf1.", min=1)] = 1,
    compiler_flag: Annotated[
        Texts, _option("A further word for the Neuron compiler, as --compiler-flag=-O3; repeatable.", metavar="WORD")
    ] = None,
    compiler_jobs: Annotated[
        int, _option("Neuron compilers at the same time; 0 is half the cores, 8 at most.", min=0)
    ] = 0,
    compiler_timeout: Annotated[
        float | None, _option("Seconds after which a Neuron compiler is stopped.", metavar="SECONDS")
    ] = None,
    op_by_op_retry: Annotated[
        bool,
        _option("Where a region cannot be compiled, leave out the operators that fail alone.", "--op-by-op-retry"),
    ] = False,
    work_dir: Annotated[Path | None, _option("Where SUBGRAPH_INFO=1 keeps what was compiled.")] = None,
    strict: Annotated[
        bool, _option("Fail where a region cannot be compiled, instead of leaving it in MXNet.", "--strict")
    ] = False,
) -> dict[str, Any]:
    """The keyword arguments of `gluon_neuron.compile`. Raises OptionError for what cannot be read."""
    if dynamic and no_dynamic:
        raise OptionError("--dynamic and --no-dynamic exclude each other.")
    chosen: dict[str, Any] = {
        "target": target.value,
        "auto_cast": auto_cast.value,
        "auto_cast_type": auto_cast_type.value,
        "dynamic": _dynamic(dynamic) if dynamic else not no_dynamic,
        "dynamic_batch": dynamic_batch,
        "batch_sizes": tuple(batch_size or ()),
        "shapes": tuple(map(_shapes, further_shape or ())),
        "buckets": _by_axis("--bucket", bucket, _BUCKET, lambda m: [int(n) for n in m["extents"].split(",")]),
        "padding": _by_axis("--padding", padding, _PAD, _pad_value),
        "inline_weights": inline_weights,
        "exclude_nodes": tuple(exclude_node or ()),
        "exclude_operators": tuple(exclude_operator or ()),
        "include_nodes": tuple(include_node or ()),
        "num_threads": threads,
        "cores": _cores(cores),
        "pipeline_cores": pipeline_cores,
        "compiler_flags": tuple(compiler_flag or ()),
        "compiler_jobs": compiler_jobs,
        "compiler_timeout": compiler_timeout,
        "op_by_op_retry": op_by_op_retry,
        "work_dir": work_dir,
        "strict": strict,
    }
    # What is as it would be without the option may come from elsewhere, such as NEURON_CC_FLAGS.
    unchosen = _compile_options_unchosen()
    return {name: value for name, value in chosen.items() if value != unchosen[name]}


def _compile_options_unchosen() -> dict[str, Any]:
    from dataclasses import fields

    from ..options import CompileOptions

    return {f.name: f.default for f in fields(CompileOptions)}


def takes_options(function: Callable[..., Answered]) -> Callable[..., Answered]:
    """Gives a command the options of a compile; it gets them as its parameter `options`, keyword arguments."""
    shared = inspect.signature(_compile_options, eval_str=True).parameters
    own = inspect.signature(function, eval_str=True)

    @functools.wraps(function)
    def run(**given: Any) -> Answered:
        chosen = {name: given.pop(name) for name in shared}
        return function(options=_compile_options(**chosen), **given)

    parameters = [p for p in own.parameters.values() if p.name != "options"]
    at = next((i for i, p in enumerate(parameters) if p.name == "as_json"), len(parameters))
    parameters[at:at] = shared.values()
    del run.__wrapped__  # whoever asks for its signature would get the function's
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _shapes(line: str) -> tuple[int, ...] | dict[str, tuple[int, ...]]:
    """The shape of the only input, or of some by name."""
    found: dict[str, tuple[int, ...]] = {}
    for word in line.split() or [""]:
        name, _, text = word.rpartition(":")
        if not re.fullmatch(r"\d+(,\d+)*,?", text) or (not name and len(line.split()) > 1):
            raise OptionError(
                f"--further-shape {line!r} must be the shape of the only input, or of inputs by name with blanks "
                "between, as in 'data0:8,64 data1:8'."
            )
        found[name] = tuple(int(n) for n in text.removesuffix(",").split(","))
    return found.get("", found)


def _by_axis(
    option: str, lines: Sequence[str] | None, pattern: re.Pattern[str], value: Callable[[re.Match[str]], Any]
) -> dict[str | int, dict[int, Any]] | None:
    """By input and axis what each line says; an input may be its position."""
    found: dict[str | int, dict[int, Any]] = {}
    for line in lines or ():
        match = pattern.fullmatch(line)
        if match is None:
            example = {"--dynamic": "data:1=1..512", "--bucket": "data:1=64,128"}.get(option, "data:1=0")
            raise OptionError(f"{option} {line!r} must name an input and an axis, as in {option} {example}.")
        axes = found.setdefault(int(match["name"]) if match["name"].isdecimal() else match["name"], {})
        if int(match["axis"]) in axes:
            raise OptionError(f"{option} is given twice for axis {match['axis']} of {match['name']!r}.")
        axes[int(match["axis"])] = value(match)
    return found or None


def _dynamic(lines: Sequence[str]) -> Any:
    if "batch" in lines:
        if len(lines) > 1:
            raise OptionError("--dynamic batch names every axis that it frees; give no other beside it.")
        return "batch"
    return _by_axis("--dynamic", lines, _DYNAMIC, lambda m: (int(m["least"]), int(m["most"])) if m["least"] else None)


def _pad_value(match: re.Match[str]) -> float:
    text = match["value"] or "0"
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError as error:
        raise OptionError(f"--padding {match.string!r}: {text!r} is no number.") from error


def _cores(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    from ..engine.devices import visible_cores

    found = visible_cores(text)
    if found is None:
        raise OptionError(f"--cores {text!r} must be a core or several that follow one another, such as 0 or 0-3.")
    return found
