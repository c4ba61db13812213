"""`gluon-neuron cache`: lists, prunes and clears what the Neuron compilers made."""

from __future__ import annotations

import time
from typing import Any

from tabulate import tabulate

from ..errors import CacheError
from ..targets.neuron.compile_cache import Cache, Entry, bound, directory, size_of
from .answer import Answer


def run(action: str, place: str | None = None, size: str | None = None) -> Answer:
    """Do what `action` says (list, prune or clear) to the cache at `place`.

    Raises CacheError for a place that is not a local directory, or a size that cannot be read.
    """
    cache = Cache(directory(place), size_of(size, "--size") if size else bound())
    if cache.root.exists() and not cache.root.is_dir():
        raise CacheError(f"The compile cache cannot be at {cache.root}, which is no directory. Name one with --dir.")
    if action == "list":
        entries = cache.entries()
        found = {"directory": cache.root, "bytes_at_most": cache.size, "programs": [_program(e) for e in entries]}
        return Answer(_listing(cache, entries), found)
    removed = cache.prune(cache.size) if action == "prune" else cache.clear()
    left = cache.entries()
    done = {"directory": cache.root, "removed": list(map(_program, removed)), "left": list(map(_program, left))}
    return Answer(f"{cache.root}: removed {_count(removed)}, {_count(left)} left.", done)


def _program(entry: Entry) -> dict[str, Any]:
    return {"key": entry.key, "bytes": entry.size, "last_used": entry.used, **entry.about}


def _listing(cache: Cache, entries: list[Entry]) -> str:
    rows = [
        (
            e.key[:12],
            e.about.get("target"),
            " ".join(e.about.get("compiler", ())),
            e.about.get("region"),
            _size(e.size),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(e.used)),
        )
        for e in entries
    ]
    table = tabulate(rows, ("key", "target", "compiler", "region", "size", "last used"), tablefmt="simple")
    head = f"{cache.root}: {_count(entries)}, of at most {_size(cache.size)}."
    return f"{head}\n\n{table}" if entries else head


def _count(entries: list[Entry]) -> str:
    return f"{len(entries)} program{'' if len(entries) == 1 else 's'} ({_size(sum(e.size for e in entries))})"


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"
