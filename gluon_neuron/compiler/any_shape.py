"""The program of a region for other shapes than the compiled ones, for the CPU, or why there is none."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from ..artifact.container import Payload
from ..errors import CompileError
from ..report import DynamicDimension
from ..shape_options import Range
from ..targets.base import Program
from ..targets.cpu.dynamic import dynamic_payload
from ..targets.cpu.dynamic_listing import NotDynamic
from .cut_region import CutRegion

_logger = logging.getLogger(__name__)


def program_for_any_shape(cut: CutRegion) -> tuple[Program | None, str]:
    """The program, and a sentence that says why there is none, or none for all that option dynamic names.

    Raises CompileError with that sentence where the option names axes, and strict=True.
    """
    job = cut.jobs[0]
    asked = job.dynamic_axes
    if asked is not None and not any(asked.values()):
        return None, ""  # what it reads is the same, whatever those axes are
    payload, sentence = None, ""
    try:
        payload, ended = dynamic_payload(job)
        sentence = "; ".join(_not_derived(asked or {}, payload, ended))
    except NotDynamic as why:
        sentence = str(why)
    if sentence and asked is not None and job.options.strict:
        what = "no dynamic program" if payload is None else "a dynamic program for less than option dynamic names"
        raise CompileError(f"{cut.name} has {what}: {sentence}.")
    if sentence:
        _logger.info("%s is compiled anew for each %sshape: %s", cut.name, "other " if payload else "", sentence)
    return None if payload is None else Program(payload), sentence


def dynamic_dimensions(payload: Payload) -> tuple[DynamicDimension, ...]:
    """What may change in a program's inputs."""
    inputs = payload.signature["inputs"]
    return tuple(
        DynamicDimension(
            tuple((inputs[i]["name"], axis) for i, axis in found["axes"]), found["low"], found["high"], found["step"]
        )
        for found in payload.program["free"]
    )


def _not_derived(
    asked: Mapping[str, Mapping[int, Range]], payload: Payload, ended: Mapping[tuple[tuple[str, int], str], str]
) -> Iterator[str]:
    """What is asked for and not in the program, in words."""
    found = {place: d for d in dynamic_dimensions(payload) for place in d.axes}
    shapes = {i["name"]: i["shape"] for i in payload.signature["inputs"]}
    for name, axes in asked.items():
        for axis, bounds in axes.items():
            got = found.get((name, axis))
            n = shapes[name][axis]
            if got is None:
                yield f"axis {axis} of {name} stays {n}, for MXNet takes no other extent of it alone, or too few"
            elif bounds is not None:
                low, high = bounds[0] + (n - bounds[0]) % got.step, bounds[1] - (bounds[1] - n) % got.step
                # There is a program for the sample.
                below = got.min > low and not (low == n and got.min == n + got.step)
                reasons = [
                    ended.get(((name, axis), end), "") for end, so in (("low", below), ("high", got.max < high)) if so
                ]
                if below or got.max < high:
                    why = "".join(f": {reason}" for reason in dict.fromkeys(reasons) if reason)
                    yield f"axis {axis} of {name} may change from {got.min} to {got.max}, not from {low} to {high}{why}"
