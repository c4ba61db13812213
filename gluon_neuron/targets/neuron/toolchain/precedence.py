"""Where flags come from, and which wins: the options that are in force once the environment was read."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ....errors import OptionError, nearest
from ....options import AUTO_CAST_TYPES, AUTO_CASTS, CompileOptions
from .words import CASTS, CORES, merge, value_of, values_of, without

VARIABLE = "NEURON_CC_FLAGS"
_NOT_THE_COMPILERS = ("--cache_dir", "--no_cache", "--retry_failed_compilation")
"""Words of the variable that speak to the framework; the cache reads the first two."""

# What neuron-cc calls a cast: how much of the model, and the type.
_FP32_CAST = {
    "all": ("all", "bf16"),
    "matmult": ("matmult", "bf16"),
    "matmult-bf16": ("matmult", "bf16"),
    "matmult-fp16": ("matmult", "fp16"),
    "all-fp16": ("all", "fp16"),
}
_FAST_MATH = {
    "all": ("all", "bf16"),
    "none": ("matmult", "bf16"),
    "fp32-cast-all": ("all", "bf16"),
    "fp32-cast-all-fp16": ("all", "fp16"),
    "fp32-cast-matmult": ("matmult", "bf16"),
    "fp32-cast-matmult-bf16": ("matmult", "bf16"),
    "fp32-cast-matmult-fp16": ("matmult", "fp16"),
}


def resolve(
    options: CompileOptions, given: Collection[str], environ: Mapping[str, str] | None = None
) -> CompileOptions:
    """The options in force. From strong to weak:

    1. the words of `compiler_flags` (those of the archived package's `compile_args` among them);
    2. the other options that the caller gave, whose names are `given`;
    3. the words of NEURON_CC_FLAGS in the environment;
    4. the options' defaults.

    A cast or a number of cores counts for the CPU's program too, whichever of these says it. Raises OptionError.
    """
    own = options.compiler_flags
    weak = environment_words(os.environ if environ is None else environ)
    strong_cast, weak_cast = cast_of(own), cast_of(weak)
    mode = strong_cast[0] or ("auto_cast" in given and options.auto_cast) or weak_cast[0]
    kind = strong_cast[1] or ("auto_cast_type" in given and options.auto_cast_type) or weak_cast[1]
    if any(strong_cast) or "auto_cast" in given or "auto_cast_type" in given:
        weak = without(weak, CASTS)
    cores = _cores(own) or ("pipeline_cores" in given and options.pipeline_cores) or _cores(weak)
    chosen = replace(
        options,
        auto_cast=mode or options.auto_cast,
        auto_cast_type=kind or options.auto_cast_type,
        pipeline_cores=cores or options.pipeline_cores,
        compiler_flags=merge(without(weak, CORES), own) if weak else own,
    )
    return _within_the_target(chosen, bool(mode), by_option="auto_cast_type" in given and not strong_cast[1])


def environment_words(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The compiler's words among those of NEURON_CC_FLAGS; raises OptionError when it cannot be read."""
    return without(_split(environ), _NOT_THE_COMPILERS)


def cache_words(environ: Mapping[str, str]) -> tuple[str | None, bool]:
    """What NEURON_CC_FLAGS says of the cache: its place, if it names one, and whether there is to be none."""
    words = _split(environ)
    return value_of(words, "--cache_dir"), "--no_cache" in words


def cast_of(words: Sequence[str]) -> tuple[str | None, str | None]:
    """The `auto_cast` and `auto_cast_type` that words of either compiler ask for, None for what they do not say."""
    old = None
    for value in values_of(words, "--fast-math"):
        old = _FAST_MATH.get(value, old)
    given = value_of(words, "--fp32-cast")
    if given is not None:
        _allowed("--fp32-cast", given, _FP32_CAST)
        old = _FP32_CAST[given]
    mode, kind = value_of(words, "--auto-cast"), value_of(words, "--auto-cast-type")
    if mode is not None:
        _allowed("--auto-cast", mode, AUTO_CASTS)
    if kind is not None:
        _allowed("--auto-cast-type", kind, AUTO_CAST_TYPES)
    return mode or (old[0] if old else None), kind or (old[1] if old else None)


def _within_the_target(options: CompileOptions, said: bool, by_option: bool) -> CompileOptions:
    if options.target == "inf1" and options.auto_cast == "none":
        if said:
            raise OptionError(
                "Inf1 does not multiply matrices in float32: its compiler casts at least their operands. "
                "Give auto_cast='matmult' or 'all', or another target."
            )
        warnings.warn(
            "Inf1 does not multiply matrices in float32: the model is compiled with auto_cast='matmult' and "
            f"auto_cast_type={options.auto_cast_type!r}. Give auto_cast yourself to say so.",
            RuntimeWarning,
            stacklevel=5,
        )
        options = replace(options, auto_cast="matmult")
    if options.target == "inf1" and options.auto_cast_type not in ("bf16", "fp16"):
        raise OptionError(f"Inf1 casts to bf16 or fp16, not to auto_cast_type={options.auto_cast_type!r}.")
    cast = options.auto_cast != "none" and options.auto_cast_type != "bf16"
    if options.target in ("auto", "cpu") and cast and not by_option:
        warnings.warn(
            f"The CPU engine has no {options.auto_cast_type} arithmetic: the model is computed in float32, which is "
            "more exact than what the flags ask for.",
            RuntimeWarning,
            stacklevel=5,
        )
        options = replace(options, auto_cast="none", auto_cast_type="bf16")
    return options


def _cores(words: Sequence[str]) -> int | None:
    cores = value_of(words, *CORES)
    if cores is None:
        return None
    if not cores.isdigit() or int(cores) < 1:
        raise OptionError(f"{CORES[0]} must be a positive integer, not {cores!r}.")
    return int(cores)


def _split(environ: Mapping[str, str]) -> tuple[str, ...]:
    text = environ.get(VARIABLE, "")
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise OptionError(f"{VARIABLE} is {text!r}, which cannot be read: {error}.") from error


def _allowed(flag: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise OptionError(f"{flag} must be one of {', '.join(allowed)}, not {value!r}.{nearest(value, allowed)}")
