"""`gluon-neuron gather-info`: collects what a bug report needs, and nothing private."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import ExportError
from ..graph.model_files import paths
from ..stitch import files
from ..targets.neuron.toolchain.process import LOG
from .installed import environment, versions

_SIGNATURE = "-signature.json"
_KEPT = ("symbol.json", _SIGNATURE[1:], "command.txt", "compile.log")
_PROGRAMS, _PARAMS = "*.program", "0000.params"


def gather_info(
    output: str | os.PathLike[str],
    model: str | os.PathLike[str] | None = None,
    work_dir: str | os.PathLike[str] = ".",
    include_weights: bool = False,
) -> list[str]:
    """Write versions, environment variables that matter, a model's report and kept compiler files to a new directory.

    No weights unless asked for, and never inputs. Returns the names of the files, for the user to look through. Raises
    ExportError when the directory exists or cannot be written, FileNotFoundError when the model does not.
    """
    place = Path(output)
    if place.exists():
        raise ExportError(f"{place} exists already; give the name of a new directory.")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        raise ExportError(f"{place} cannot be written: {error}.") from error
    try:
        _write(beside, "versions", versions())
        _write(beside, "environment", dict(environment()))
        if model is not None:
            report = files.read_symbol(paths(model, 0)[0])[1].report
            _write(beside, "report", report.to_dict())
            (beside / "report.txt").write_text(f"{report}\n", encoding="utf-8")
        for path in _kept(Path(work_dir), include_weights):
            shutil.copy(path, beside / path.name.removeprefix("."))
        for path in sorted(Path(work_dir).glob(f".*.compile/{LOG}")):
            shutil.copy(path, beside / f"{path.parent.name.lstrip('.')}.log")
        beside.chmod(0o755)
        beside.rename(place)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return sorted(str(p) for p in place.iterdir())


def _kept(work_dir: Path, include_weights: bool) -> Iterator[Path]:
    """What SUBGRAPH_INFO=1 kept of each region; a program in which weights are baked in is weights too."""
    for signature in sorted(work_dir.glob(f".*{_SIGNATURE}")):
        region = signature.name.removesuffix(_SIGNATURE)
        for ending in (*_KEPT, _PROGRAMS, *([_PARAMS] if include_weights else ())):
            for path in sorted(work_dir.glob(f"{glob.escape(region)}-{ending}")):
                if include_weights or path.suffix != ".program" or not _baked(signature, path):
                    yield path


def _baked(signature: Path, program: Path) -> bool:
    """Whether weights are baked into a program; neuron-cc does so with all of them."""
    if re.search(r"-inf1-\d+\.program$", program.name):
        return True
    try:
        return bool(json.loads(signature.read_text())["options"]["inline_weights"])
    except (ValueError, KeyError, TypeError):
        return True  # what cannot be read might be


def _write(place: Path, name: str, content: object) -> None:
    (place / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
