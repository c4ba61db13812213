"""The options of a compile, as the metadata of a compiled symbol keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..options import CompileOptions

_BY_AXIS = ("buckets", "padding", "dynamic")
"""Options that may be mappings with integers as keys, which JSON's objects do not have."""

_LEFT_OUT = ("work_dir",)
"""Of the machine that compiled alone: nobody else has that folder, and its name is nobody's business."""


def to_json(options: CompileOptions) -> dict[str, Any]:
    """What was chosen otherwise than the defaults, as JSON has it."""
    chosen = {f.name: getattr(options, f.name) for f in fields(options) if f.name not in _LEFT_OUT}
    defaults = {f.name: f.default for f in fields(options)}
    return {n: _pairs(v) if n in _BY_AXIS else v for n, v in chosen.items() if v != defaults[n]}


def from_json(raw: Mapping[str, Any]) -> CompileOptions:
    """The inverse; options that this version does not know are left out. Raises OptionError for values that none has,
    TypeError for what is no mapping."""
    known = {f.name for f in fields(CompileOptions)}
    return CompileOptions(**{n: _mapping(v) if n in _BY_AXIS else v for n, v in dict(raw).items() if n in known})


def _pairs(value: Any) -> Any:
    return [[k, [*axes.items()]] for k, axes in value.items()] if isinstance(value, Mapping) else value


def _mapping(value: Any) -> Any:
    return {k: dict(axes) for k, axes in value} if isinstance(value, list) else value
