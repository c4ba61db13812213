"""Translates the archived package's `**compile_args` into CompileOptions' fields."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..errors import OptionError, nearest
from ..options import CompileOptions
from .flags import CORES, compose, value_of, values_of

_NAMES = {
    "excl_node_names": "exclude_nodes",
    "force_incl_node_names": "include_nodes",
    "work_dir": "work_dir",
}
_RETRY = "op_by_op_compiler_retry"
_OLDEST = "num-neuroncores"
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


def translate(compile_args: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `gluon_neuron.compile` that mean the same.

    Keys that begin with `--` are options of the Neuron compiler; fields of `CompileOptions` are taken as well.
    Raises OptionError, with the nearest valid name, for any other.
    """
    own = [f.name for f in fields(CompileOptions)]
    known = [*_NAMES, _RETRY, "flags", *own]
    chosen: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, value in compile_args.items():
        if name == _OLDEST:
            options[f"--{_OLDEST}"] = value
        elif name.startswith("--"):
            options[name] = value
        elif name in _NAMES:
            chosen[_NAMES[name]] = value
        elif name == _RETRY:
            chosen["op_by_op_retry"] = _switch(name, value)
        elif name in own:
            chosen[name] = value
        elif name != "flags":
            raise OptionError(
                f"Unknown compile argument {name!r}.{nearest(name, known)} "
                f"Valid are: {', '.join(known)}, and options of the compiler, which begin with '--'."
            )
    words = compose(options, compile_args.get("flags"))
    if words:
        chosen["compiler_flags"] = (*chosen.get("compiler_flags", ()), *words)
    cores = value_of(words, *CORES)
    if cores is not None:
        if not cores.isdigit() or int(cores) < 1:
            raise OptionError(f"{CORES[0]} must be a positive integer, not {cores!r}.")
        chosen["pipeline_cores"] = int(cores)
    if "auto_cast" not in chosen:
        chosen.update(_cast(words, chosen.get("target", "auto")))
    return chosen


def _switch(name: str, value: Any) -> bool:
    if value in (0, 1, True, False):
        return bool(value)
    raise OptionError(f"{name!r} must be 0 or 1, not {value!r}.")


def _cast(words: Sequence[str], target: str) -> dict[str, str]:
    found = None
    for value in values_of(words, "--fast-math"):
        found = _FAST_MATH.get(value, found)
    given = value_of(words, "--fp32-cast")
    if given is not None:
        if given not in _FP32_CAST:
            hint = nearest(given, _FP32_CAST)
            raise OptionError(f"--fp32-cast must be one of {', '.join(_FP32_CAST)}, not {given!r}.{hint}")
        found = _FP32_CAST[given]
    new = value_of(words, "--auto-cast")
    if new is not None:
        found = (new, value_of(words, "--auto-cast-type") or "bf16")
    if found is None:
        return {}
    if target in ("auto", "cpu") and found[1] != "bf16" and found[0] != "none":
        warnings.warn(
            f"The CPU engine has no {found[1]} arithmetic: the model is computed in float32, which is more exact than "
            "what the flags ask for.",
            RuntimeWarning,
            stacklevel=4,
        )
        return {}
    return {"auto_cast": found[0], "auto_cast_type": found[1]}
