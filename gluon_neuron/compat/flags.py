"""Compiler flags as command-line words: composed from keyword arguments, and searched for a flag's value."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import OptionError

CORES = ("--neuroncore-pipeline-cores", "--num-neuroncores")


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


def value_of(words: Sequence[str], *names: str) -> str | None:
    """The value of a flag (`--name value` or `--name=value`); the last one counts, None when it is not there."""
    found = None
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            found = value if equals else words[i + 1] if i + 1 < len(words) else ""
    return found


def values_of(words: Sequence[str], name: str) -> list[str]:
    """The values of a flag that takes several, up to the next flag."""
    found: list[str] = []
    for i, word in enumerate(words):
        head, equals, value = word.partition("=")
        if head == name:
            found = [value] if equals else []
            for following in words[i + 1 :]:
                if following.startswith("-"):
                    break
                found.append(following)
    return found
