"""The CPU target, through OpenVINO."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # The target was a module of this name.
    if name in ("CASTS", "CpuTarget"):
        from . import target

        return getattr(target, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
