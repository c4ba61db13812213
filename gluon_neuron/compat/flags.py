"""Compiler flags as command-line words, composed from the archived package's keyword arguments."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import OptionError


def compose(options: Mapping[str, Any], flags: Any) -> tuple[str, ...]:
    """The words of the command line: `--option value` pairs in their order, then `flags`.

    A flag may be one word ('--fp32-cast') or hold its value too ('--fp32-cast matmult'). A value of None or True stands
    for an option that takes none; a list for one that takes several. Raises OptionError.
    """
    words: list[str] = []
    for name, value in options.items():
        words.append(name)
        if value is None or value is True:
            continue
        words += [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
    if flags is None:
        return tuple(words)
    if isinstance(flags, str) or not isinstance(flags, Iterable) or not all(isinstance(f, str) for f in flags):
        raise OptionError(f"'flags' must be a list of strings, such as ['--fp32-cast matmult'], not {flags!r}.")
    for flag in flags:
        try:
            words += shlex.split(flag)
        except ValueError as error:
            raise OptionError(f"The compiler flag {flag!r} cannot be read: {error}.") from error
    return tuple(words)
