"""What plain MXNet loads as one model has to be of one export; `mxnet_patches` has its functions ask here first.

Each gets the function that it replaces first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..graph.pair import one_export


def imports(original: Callable[..., Any], symbol_file: Any, input_names: Any, *args: Any, **kwargs: Any) -> Any:
    """`SymbolBlock.imports`; raises ArtifactMismatchError for the files of two models."""
    params = args[0] if args else kwargs.get("param_file")
    if isinstance(params, str | os.PathLike) and isinstance(symbol_file, str | os.PathLike):
        with one_export(symbol_file, params):
            return original(symbol_file, input_names, *args, **kwargs)
    return original(symbol_file, input_names, *args, **kwargs)


def load_params(original: Callable[..., Any], prefix: Any, epoch: Any) -> Any:
    """`model.load_params`, by which checkpoints are loaded; ArtifactMismatchError for the files of two models."""
    if not isinstance(epoch, int):
        return original(prefix, epoch)
    with one_export(f"{prefix}-symbol.json", f"{prefix}-{epoch:04d}.params"):
        return original(prefix, epoch)
