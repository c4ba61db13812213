"""Translates the archived package's `**compile_args` into CompileOptions' fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..errors import OptionError, nearest
from ..options import CompileOptions
from ..targets.neuron.toolchain.precedence import cast_of
from ..targets.neuron.toolchain.words import CORES, value_of
from .flags import compose

_NAMES = {
    "excl_node_names": "exclude_nodes",
    "force_incl_node_names": "include_nodes",
    "work_dir": "work_dir",
}
_RETRY = "op_by_op_compiler_retry"
_OLDEST = "num-neuroncores"


def translate(compile_args: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `gluon_neuron.compile` that mean the same.

    Keys that begin with `--` are options of the Neuron compiler; fields of `CompileOptions` are taken as well.
    Raises OptionError, with the nearest valid name, for any other.
    """
    own = [f.name for f in fields(CompileOptions)]
    known = [*dict.fromkeys((*_NAMES, _RETRY, "flags", *own))]  # work_dir is the same in both
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
    mode, kind = cast_of(words)
    if mode is None or (target in ("auto", "cpu") and kind not in (None, "bf16")):
        return {}  # the words themselves say it, and what the CPU makes of it is decided where they are resolved
    return {"auto_cast": mode, "auto_cast_type": kind or "bf16"}
