"""What the target "auto" means on this machine: its chip, or the CPU where there is none."""

from __future__ import annotations

import logging
from dataclasses import replace

from ..engine.devices import Sources, devices
from ..options import CompileOptions

_logger = logging.getLogger(__name__)


def for_this_machine(options: CompileOptions, sources: Sources | None = None) -> CompileOptions:
    """The options with the target that "auto" means here: the machine's chip, or the CPU where there is none."""
    if options.target != "auto":
        return options
    found = devices(sources)
    target = found.chip or "cpu"
    level = logging.WARNING if found.files and not found.chip else logging.INFO
    _logger.log(level, "target='auto' is %r here. %s", target, "; ".join(str(found).splitlines()))
    return replace(options, target=target)
