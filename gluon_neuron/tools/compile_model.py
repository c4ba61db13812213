"""`gluon-neuron compile`: a model that the line names, compiled and written to two files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..compiler.target_here import for_this_machine
from ..errors import ExportError, OptionError
from ..graph.model_files import paths
from ..options import CompileOptions
from .answer import Answer
from .model_from_line import LineModel
from .progress import shown


def compile_model(
    model: LineModel, what: str, output: str, options: Mapping[str, Any], overwrite: bool, seed: int = 0
) -> Answer:
    """Compile, export to `output`, and answer with the report.

    Raises ExportError where the files would be those that the model was read from, unless `overwrite` is set, or could
    not be written, which is looked at before anything is compiled; and what a compile raises.
    """
    prefix = output.removesuffix("-symbol.json")
    _check_place(prefix)
    made = paths(prefix, 0)
    same = [p for p in made if p.exists() and any(os.path.samefile(p, f) for f in model.files)]
    if same and not overwrite:
        raise ExportError(
            f"{same[0]} is the model that is to be compiled, and would be replaced. Choose another name for --output, "
            "or give --overwrite."
        )
    target = for_this_machine(CompileOptions.make(options)).target
    with model.front_end():
        arrays = model.arrays({}, seed)
        with shown(f"Compiling {what} for {target}", target):
            block = model.compiled(arrays, options)
        written = model.written(block, prefix)
    data = {
        "written": written,
        "inputs": {n: {"shape": a.shape, "dtype": str(a.dtype)} for n, a in arrays.items()},
        "report": block.report.to_dict(),
    }
    return Answer(f"{block.report}\n\nWritten: {written[0]}, {written[1]}", data)


def _check_place(prefix: str) -> None:
    place = Path(prefix)
    if not os.path.basename(prefix) or place.is_dir():
        raise OptionError(
            f"--output {prefix!r} is a directory; give the part of the files' names before -symbol.json, as in "
            f"{os.path.join(prefix, 'net')}."
        )
    if not place.parent.is_dir():
        raise ExportError(f"There is no directory {place.parent}, to which the model is to be written. Make it first.")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise ExportError(f"The directory {place.parent} cannot be written. Choose another for --output.")
