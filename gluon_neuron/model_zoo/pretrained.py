"""Weights for a zoo's network: from the zoo's own store, or from a file; and what to do where they are not there."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import mxnet as mx

from ..errors import WeightsError, reason

_REPOSITORY = "MXNET_GLUON_REPO"
# What MXNet, GluonCV and requests raise for a name without weights, a download that fails, a file that is damaged, and
# weights that do not fit. Those of requests are OSErrors, MXNet's own RuntimeErrors.
_FAILURES = (OSError, RuntimeError, ValueError, KeyError, AssertionError, zipfile.BadZipFile)


def load_file(network: mx.gluon.Block, path: str | os.PathLike[str], ctx: Any, name: str) -> None:
    """Load a file that `save_parameters` wrote. Raises WeightsError where it is missing, damaged or another net's."""
    place = Path(path)
    if not place.is_file():
        raise WeightsError(
            f"There is no file {place} with weights of {name}. Name one that save_parameters wrote, or the zoo's own "
            "(.params)."
        )
    try:
        with redirect_stdout(StringIO()):  # MXNet prints before it raises
            network.load_parameters(os.fspath(place), ctx=ctx)
    except _FAILURES as error:
        raise WeightsError(
            f"{place} does not hold the weights of {name} as it was asked for: {reason(error)} Name a file that "
            "save_parameters of the same network wrote, and give the options that it was made with (model_options)."
        ) from error


def with_store(make: Callable[[], Any], name: str, store: Any) -> Any:
    """What `make` gives, which asks the zoo's store (a module) for the weights of the model of this name.

    Raises WeightsError, which says where it looked, and what to do.
    """
    try:
        return make()
    except _FAILURES as error:
        raise WeightsError(_told(name, store, error)) from error


def _told(name: str, store: Any, error: Exception) -> str:
    tag = _tag(name, store)
    if tag is None and isinstance(error, ValueError | KeyError):
        return (
            f"No pretrained weights of {name} were published ({reason(error)}). Give pretrained=PATH, a file of them."
        )
    place = root() / f"{name}-{tag or 'HASH'}.params"
    seen = "what is there is not that file" if place.exists() else "it is not there"
    url = os.environ.get(_REPOSITORY) or getattr(store, "apache_repo_url", "")
    return (
        f"The pretrained weights of {name} could not be had: MXNet looked for {place}, and {seen}; then it asked "
        f"{url}, which failed: {_short(error)}. MXNet is retired, and its mirror may be gone. Put the file there, or "
        f"name yours by pretrained=PATH, or a mirror by {_REPOSITORY} in the environment. Without pretrained the "
        "weights are random."
    )


def _tag(name: str, store: Any) -> str | None:
    """What the file's name ends with; None where no weights of that name were published."""
    try:
        return str(store.short_hash(name))
    except ValueError:
        return None


def root() -> Path:
    """The folder of weights: `models` in MXNET_HOME, or in the user's own."""
    return Path(os.environ.get("MXNET_HOME") or os.path.join(os.path.expanduser("~"), ".mxnet")) / "models"


def _short(error: Exception) -> str:
    text = " ".join(reason(error).split())
    return f"{type(error).__name__}: {text if len(text) <= 300 else text[:300] + '...'}"
