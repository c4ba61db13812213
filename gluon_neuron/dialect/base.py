"""Namespace: every function of the array language, with compositions for those that a library lacks."""

from __future__ import annotations

from .base_nn import NeuralNet


class Namespace(NeuralNet):
    """What a lowering rule knows as `xp`; the functions live in the modules `core` and `base_*`."""
