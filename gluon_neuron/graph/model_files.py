"""The names of a model's two files, and which of them are there."""

from __future__ import annotations

import os
import re
from pathlib import Path

_SYMBOL = "-symbol.json"
_PARAMS = re.compile(r"-(\d{4,})\.params\Z")


def paths(prefix: str | os.PathLike[str], epoch: int) -> tuple[Path, Path]:
    """The names of the symbol's and the parameters' files."""
    return Path(f"{os.fspath(prefix)}-symbol.json"), Path(f"{os.fspath(prefix)}-{epoch:04d}.params")


def find(given: str | os.PathLike[str], epoch: int | None) -> tuple[Path, Path]:
    """The two files of a model, given their prefix, or the symbol's or the parameters' file itself.

    Without an epoch it is that of the given file, or 0, or the only one there is. Raises FileNotFoundError, which says
    what there is.
    """
    prefix, asked = os.fspath(given), epoch
    if prefix.endswith(_SYMBOL):
        prefix = prefix.removesuffix(_SYMBOL)
    elif (named := _PARAMS.search(prefix)) and not os.path.exists(prefix + _SYMBOL):
        prefix, asked = prefix[: named.start()], int(named[1]) if epoch is None else epoch
    symbol_path, params_path = paths(prefix, asked or 0)
    there = _epochs(Path(prefix))
    if symbol_path.is_file() and asked is None and 0 not in there and len(there) == 1:
        params_path = paths(prefix, there[0])[1]
    missing = [p.name for p in (symbol_path, params_path) if not p.exists()]
    if missing:
        found = [*([symbol_path.name] if symbol_path.exists() else []), *(paths(prefix, e)[1].name for e in there)]
        raise FileNotFoundError(
            f"There is no {' and no '.join(missing)} in {symbol_path.parent}. Of a model of that name there is: "
            f"{', '.join(found[:8]) + (' and more' if len(found) > 8 else '') or 'nothing'}. load takes the prefix "
            "that export was given, or the symbol's file; the epoch is the number in the name of the parameters' file"
            f"{f', as in epoch={there[-1]}; on the line, --epoch {there[-1]}' if there else ''}."
        )
    return symbol_path, params_path


def _epochs(prefix: Path) -> list[int]:
    """Of which epochs there are parameters."""
    try:
        names = os.listdir(prefix.parent)
    except OSError:
        return []
    matches = (_PARAMS.fullmatch(n.removeprefix(prefix.name)) for n in names if n.startswith(prefix.name))
    return sorted(int(m[1]) for m in matches if m)
