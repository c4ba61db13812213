"""Writes the page of a report to a file, after a look at what is to be shown."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ExportError, OptionError, nearest
from .report_page import report_page

if TYPE_CHECKING:
    from ..report import Report


def save_page(report: Report, path: str | os.PathLike[str], seconds: Mapping[str, Any]) -> None:
    """As `Report.save`."""
    if not os.fspath(path).lower().endswith((".html", ".htm")):
        raise OptionError(f"A report is saved as a page of HTML, and {os.fspath(path)!r} does not end in .html.")
    text = report_page(report, _times(report, seconds))
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ExportError(f"The report cannot be written to {os.fspath(path)}: {error.strerror}.") from error


def _times(report: Report, seconds: Mapping[str, Any]) -> dict[str, float]:
    known = {r.name for r in report.regions} | {n.name for n in (report.graph.nodes if report.graph else ())}
    found = {}
    for name, value in seconds.items():
        if name not in known:
            raise OptionError(f"seconds names {name!r}, which is no region or operator of it.{nearest(name, known)}")
        try:
            found[name] = float(value)
        except (TypeError, ValueError):
            found[name] = math.nan
        if not 0 <= found[name] < math.inf:
            raise OptionError(f"seconds[{name!r}] must be a finite number from 0, not {value!r}.")
    return found
