"""One-liners: compiled models of Gluon's vision zoo and of GluonCV, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..import_hooks import needs_mxnet
from .catalog import names as names

if TYPE_CHECKING:
    from .zoo import get_model as get_model
    from .zoo import get_network as get_network

__all__ = ["get_model", "get_network", "names"]


def __getattr__(name: str) -> Any:
    # Late: the names alone, which a shell completes, need no MXNet.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needs_mxnet():
        from . import zoo
    globals()[name] = getattr(zoo, name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)
