"""Words of a command line, searched for a flag's value and merged flag by flag."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

CORES = ("--neuroncore-pipeline-cores", "--num-neuroncores")
OLD_CASTS = ("--fp32-cast", "--fast-math")
CASTS = ("--auto-cast", "--auto-cast-type", *OLD_CASTS)

_SAME = {"-O": "--optlevel", "-lnc": "--logical-nc-config", "--lnc": "--logical-nc-config", CORES[1]: CORES[0]}


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


def groups(words: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Each flag by its usual name, with its own word and the words after it that are not flags."""
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("-") or not found:
            found.append((_flag(word), [word]))
        else:
            found[-1][1].append(word)
    return [(name, tuple(group)) for name, group in found]


def merge(weak: Iterable[str], strong: Iterable[str]) -> tuple[str, ...]:
    """Both lists of words; a flag that both have is that of `strong`, and of one given twice the last counts."""
    chosen: dict[str, tuple[str, ...]] = {}
    for name, group in (*groups(weak), *groups(strong)):
        chosen.pop(name, None)
        chosen[name] = group
    return tuple(word for group in chosen.values() for word in group)


def without(words: Iterable[str], names: Collection[str]) -> tuple[str, ...]:
    """The words but for the flags called `names`, by their usual names, and their values."""
    return tuple(word for name, group in groups(words) if name not in names for word in group)


def _flag(word: str) -> str:
    name = word.partition("=")[0]
    name = re.sub(r"^-O(?=[0-9])[0-9]+$", "-O", name)
    return _SAME.get(name, name)
