"""What a shell completes in the place of a model: files' prefixes, and names of the zoos. It imports no MXNet."""

from __future__ import annotations

import os
from glob import escape, iglob

from ..model_zoo.catalog import VISION
from ..model_zoo.gluoncv_names import GLUONCV

_ENDING = "-symbol.json"


def prefixes(incomplete: str) -> list[str]:
    """The prefixes of models in files, and the folders, that begin so."""
    found = [p.removesuffix(_ENDING) for p in iglob(f"{escape(incomplete)}*{_ENDING}")]
    return sorted(found) + sorted(p for p in iglob(f"{escape(incomplete)}*{os.sep}") if not p.startswith("."))


def models(incomplete: str) -> list[str]:
    """As `prefixes`, and the names of Gluon's zoo and of GluonCV's, as far as something was typed."""
    if os.sep in incomplete:
        return prefixes(incomplete)
    wanted = incomplete.lower()
    names = [n for n in dict.fromkeys((*VISION, *GLUONCV)) if n.startswith(wanted)]
    return prefixes(incomplete) + names
