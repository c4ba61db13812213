"""`gluon-neuron report`: the report that a compiled model carries. It needs no MXNet."""

from __future__ import annotations

from pathlib import Path

from ..errors import GraphError, InputError
from ..graph.graph import symbol_json
from ..graph.model_files import find
from ..report import Report
from ..stitch.metadata import find_in_text, is_edited
from .answer import Answer


def report_of_file(given: str, epoch: int | None = None, html: Path | None = None) -> Answer:
    """What was compiled of the model in these files, and why the rest was not; also as a page in the file `html`.

    Raises FileNotFoundError, GraphError for a symbol that cannot be read, InputError for one without a report.
    """
    symbol_path, _ = find(given, epoch)
    try:
        text = symbol_path.read_text(encoding="utf-8")
        symbol_json(text)
        metadata = find_in_text(text)
        edited = metadata is None and is_edited(text)
    except GraphError as error:
        raise GraphError(f"{symbol_path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise GraphError(
            f"{symbol_path} is not the JSON of a symbol: {error!r}. Name a file that was exported."
        ) from error
    if metadata is None:
        why = "was edited after gluon_neuron had compiled it" if edited else "was not compiled by gluon_neuron"
        raise InputError(
            f"{symbol_path} {why}: it carries no report. gluon-neuron analyze says what would be compiled."
        )
    return with_page(metadata.report, html)


def with_page(report: Report, html: Path | None) -> Answer:
    """The report, which is written to the file `html` as a page. Raises OptionError and ExportError, as `save` does."""
    if html is None:
        return Answer(str(report), report.to_dict())
    report.save(html)
    return Answer(f"{report}\n\nWritten: {html}", {**report.to_dict(), "written": str(html)})
