"""Reads a symbol's file; what is wrong with it is said with the file's name."""

from __future__ import annotations

from pathlib import Path

from ..errors import GraphError
from ..graph.graph import Graph
from ..stitch import files


def read_symbol(path: Path) -> tuple[str, Graph]:
    """The text and the graph of a symbol's file. Raises GraphError where it is none, and OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise GraphError(f"{path} is not an MXNet symbol, for it is no text: {error}.") from error
    try:
        return text, files.check_symbol(text, "It")
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from error
