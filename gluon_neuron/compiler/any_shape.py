"""The program of a region for other shapes than the compiled ones, for the CPU, or why there is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..artifact.container import Payload
from ..errors import OptionError, nearest
from ..frontend.model import ExportedModel
from ..options import CompileOptions
from ..targets.base import Program
from ..targets.cpu.dynamic import dynamic_payload
from ..targets.cpu.dynamic_listing import NotDynamic
from .cut_region import CutRegion

_logger = logging.getLogger(__name__)


def program_for_any_shape(cut: CutRegion) -> tuple[Program | None, str]:
    """The program, and a sentence that says why there is none."""
    try:
        return Program(dynamic_payload(cut.jobs[0])), ""
    except NotDynamic as why:
        _logger.info("%s is compiled anew for each shape: %s", cut.name, why)
        return None, str(why)


def free_axes(payload: Payload) -> tuple[str, ...]:
    """What may change in a program's inputs, in words."""
    inputs = payload.signature["inputs"]
    return tuple(_in_words(found, inputs) for found in payload.program["free"])


def _in_words(found: Mapping[str, object], inputs: list[Mapping[str, object]]) -> str:
    axes: list[tuple[int, int]] = found["axes"]  # type: ignore[assignment]
    places = ", ".join(f"axis {axis} of {inputs[i]['name']}" for i, axis in axes[:3])
    more = f" and {len(axes) - 3} more" if len(axes) > 3 else ""
    steps = "" if found["step"] == 1 else f" in steps of {found['step']}"
    return f"{places}{more} from {found['low']} to {found['high']}{steps}"


def check_free_axes(model: ExportedModel, options: CompileOptions) -> None:
    """Raises OptionError where option dynamic names what the model does not have."""
    if isinstance(options.dynamic, bool):
        return
    for name, axes in options.dynamic.items():
        if name not in model.inputs:
            hint = nearest(name, model.inputs)
            raise OptionError(f"Option dynamic names {name!r}; the inputs are {', '.join(model.inputs)}.{hint}")
        shape = model.specs[name].shape
        for axis, (low, high) in axes.items():
            if axis >= len(shape):
                raise OptionError(f"Option dynamic names axis {axis} of {name!r}, whose shape is {shape}.")
            if not low <= shape[axis] <= high:
                raise OptionError(
                    f"Option dynamic gives axis {axis} of {name!r} from {low} to {high}, and the sample has "
                    f"{shape[axis]} there. Widen the range, or compile with a sample within it."
                )
