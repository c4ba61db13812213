"""`gluon-neuron cache`: lists, prunes and clears what the Neuron compilers made."""

from __future__ import annotations

import time

from tabulate import tabulate

from ..targets.neuron.compile_cache import Cache, Entry, bound, directory, size_of


def run(action: str, place: str | None = None, size: str | None = None) -> str:
    """Do what `action` says (list, prune or clear) to the cache at `place`; returns what to print.

    Raises CacheError for a place that is not a local path, or a size that cannot be read.
    """
    cache = Cache(directory(place), size_of(size, "--size") if size else bound())
    if action == "list":
        return _listing(cache)
    removed = cache.prune(cache.size) if action == "prune" else cache.clear()
    left = cache.entries()
    return f"{cache.root}: removed {_count(removed)}, {_count(left)} left."


def _listing(cache: Cache) -> str:
    entries = cache.entries()
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
