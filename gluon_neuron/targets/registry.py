"""The targets by their names, and which one's program stands in every artifact for another."""

from __future__ import annotations

from ..errors import OptionError
from .base import Target


def get_target(name: str) -> Target:
    """The target called `name`; "auto" is the CPU where no NeuronCore is present."""
    from .cpu.target import CpuTarget
    from .neuron.inf1 import Inf1Target
    from .neuron.neuronx import TARGETS, NeuronxTarget

    if name in ("auto", "cpu"):
        return CpuTarget()
    if name == "inf1":
        return Inf1Target()
    if name in TARGETS:
        return NeuronxTarget(name)
    raise OptionError(f"There is no target {name!r}.")


def fallback_target(target: Target) -> Target | None:
    """The target whose program every artifact for `target` holds too, so that its files run on any machine."""
    return None if target.name == "cpu" else get_target("cpu")
