"""What `--verbose` asks for: the compiler's messages on the standard error stream while it works."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import OptionError, nearest
from ..targets.neuron.toolchain.words import value_of
from .flags import compose

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


@contextmanager
def logged(compile_args: Mapping[str, Any]) -> Iterator[None]:
    """Log `gluon_neuron`'s messages at the level that `--verbose` names, while inside; nothing without it."""
    words = compose({k: v for k, v in compile_args.items() if k.startswith("--")}, compile_args.get("flags"))
    given = value_of(words, "--verbose")
    if given is None:
        yield
        return
    logger = logging.getLogger("gluon_neuron")
    before = logger.level
    handler = None if logger.hasHandlers() else logging.StreamHandler()
    if handler is not None:
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        logger.addHandler(handler)
    logger.setLevel(level_of(given))
    try:
        yield
    finally:
        logger.setLevel(before)
        if handler is not None:
            logger.removeHandler(handler)


def level_of(value: str) -> int:
    """A level of the logging module: from its name, its number, or a count of steps (0 warnings, 1 info, 2 debug)."""
    if value.isdigit():
        number = int(value)
        return number if number >= 10 else max(10, 30 - 10 * number)
    level = _LEVELS.get(value.upper())
    if level is None:
        hint = nearest(value.upper(), _LEVELS)
        raise OptionError(f"--verbose must be a number or one of {', '.join(_LEVELS)}, not {value!r}.{hint}")
    return level
