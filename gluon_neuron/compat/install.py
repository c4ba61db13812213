"""Puts the archived names where old scripts look for them, and never over those that are there."""

from __future__ import annotations

import importlib.util
import sys

import mxnet as mx

from ..engine import callbacks
from . import neuron
from .context import neuron as context


def install() -> None:
    """Offer `mx.contrib.neuron`, `mx.neuron` and the backend "neuron"."""
    name = "mxnet.contrib.neuron"
    if not hasattr(mx.contrib, "neuron") and importlib.util.find_spec(name) is None:
        mx.contrib.neuron = neuron
        sys.modules[name] = neuron
    if not hasattr(mx, "neuron"):
        mx.neuron = context
    callbacks.set_pass_answer(_answer)


def _answer(graph: str, request: str) -> tuple[str, int, dict[str, bytes]]:
    from .optimize_for import answer  # late: a process that only runs models does not need the compiler

    return answer(graph, request)
