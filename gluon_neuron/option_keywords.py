"""The options as keyword arguments: their types for type checkers, and a signature and texts for `help()`."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from os import PathLike
from typing import Any, Literal, TypedDict, TypeVar, get_type_hints

from . import options
from .options import CompileOptions

Function = TypeVar("Function", bound=Callable[..., Any])

_WIDTH = 100

Shapes = Sequence[Sequence[int] | Sequence[Any] | Mapping[str, Sequence[int]]] | Mapping[str, Sequence[int]]
"""Further shapes, in the forms that the text of option `shapes` names."""


class CompileKeywords(TypedDict, total=False):
    """What a caller may give for each field of `CompileOptions`, whose texts say what it means."""

    # Editors complete the words; a variable that is a plain str is taken, too.
    target: Literal["auto", "cpu", "inf1", "inf2", "trn1", "trn2"] | str
    auto_cast: Literal["none", "matmult", "all"] | str
    auto_cast_type: Literal["bf16", "fp16", "tf32", "fp8_e4m3"] | str
    inline_weights: bool
    shapes: Shapes
    batch_sizes: int | Sequence[int]
    buckets: Mapping[Any, Mapping[int, int | Sequence[int]]] | None
    padding: Mapping[Any, Mapping[int, float] | Sequence[int] | int] | None
    dynamic: bool | Literal["batch"] | Mapping[Any, Any]
    dynamic_batch: bool
    exclude_nodes: str | Sequence[str]
    exclude_operators: str | Sequence[str]
    include_nodes: str | Sequence[str]
    pipeline_cores: int
    cores: int | Sequence[int] | None
    compiler_flags: Sequence[str]
    compiler_jobs: int
    compiler_timeout: float | None
    op_by_op_retry: bool
    work_dir: str | PathLike[str] | None
    num_threads: int
    strict: bool


class _AsWritten(str):
    """An annotation that is shown as its source has it, which is far shorter than the types that it stands for."""

    def __repr__(self) -> str:
        return str(self)


def _written(name: str) -> _AsWritten:
    return _AsWritten(CompileKeywords.__annotations__[name].__forward_arg__)


def shows_options(function: Function) -> Function:
    """Show a function's last parameter, `**options`, as what it is: a keyword for each option, with its default.

    `inspect.signature`, `help()` and what asks them (completion in IPython, a notebook's Shift-Tab) then have the
    names, and the docstring ends with the options' texts. What is called stays the same: an unknown name is an
    OptionError with the nearest valid one, and what is not given is not passed on. Type checkers have the names from
    the parameter's annotation, `Unpack[CompileKeywords]`. A parameter of another annotation, which takes more than the
    options, stays.
    """
    own = inspect.signature(function)
    *most, last = own.parameters.values()
    annotation = function.__annotations__.pop(last.name)
    hints, types = get_type_hints(function), get_type_hints(CompileKeywords)
    parameters = [p.replace(annotation=_AsWritten(p.annotation)) for p in most]
    parameters += [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=_written(f.name))
        for f in fields(CompileOptions)
    ]
    if "CompileKeywords" not in annotation:
        parameters.append(last)
        hints[last.name] = Any
    returned = hints.pop("return", None)
    function.__annotations__ = {**hints, **types, "return": returned}
    shown = own.replace(parameters=parameters, return_annotation=_AsWritten(own.return_annotation))
    function.__signature__ = shown  # type: ignore[attr-defined]
    if function.__doc__ is not None:
        function.__doc__ = f"{inspect.cleandoc(function.__doc__)}\n\n{_section()}"
    return function


@functools.cache
def option_texts() -> dict[str, str]:
    """The text of each option, on one line: the string that follows the field in `CompileOptions`.

    Empty where the interpreter has no sources, as strings there are not kept in compiled modules.
    """
    try:
        module = ast.parse(inspect.getsource(options))
    except OSError:
        return {}
    made = next(s for s in module.body if isinstance(s, ast.ClassDef) and s.name == CompileOptions.__name__)
    found: dict[str, str] = {}
    for field, text in zip(made.body, made.body[1:]):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            found[field.target.id] = " ".join(text.value.value.split())
    return found


def _section() -> str:
    texts = option_texts()
    if not texts:
        return f"Options: {', '.join(f.name for f in fields(CompileOptions))}."
    lines = ["Options:"]
    for name, text in texts.items():
        lines.append(
            textwrap.fill(
                f"{name}: {text}",
                _WIDTH,
                initial_indent="    ",
                subsequent_indent="        ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines)
