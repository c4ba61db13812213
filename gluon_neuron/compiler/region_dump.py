"""SUBGRAPH_INFO=1: keeps each region, and what became of it, as hidden files from which it can be compiled again."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mxnet as mx

from .._version import __version__
from ..artifact.container import Payload
from ..errors import ExportError
from ..frontend.model import ExportedModel
from ..options import CompileOptions
from ..runtime.asked import value_of
from .cut_region import CutRegion

VARIABLE = "SUBGRAPH_INFO"


class RegionDump:
    """Writes the files of one compile; does nothing unless the environment asks for it.

    For a region called N: `.N-symbol.json` and `.N-0000.params` (the original operators and their parameters, as
    MXNet's `load_checkpoint` reads them), `.N-signature.json` (outputs, options, and the inputs of each program),
    `.N-command.txt` (the command that compiles these files), `.N-compile.log`, and each program as
    `.N-TARGET-K.program`.
    `.N-TARGET-K.compile` are the directories in which Neuron compilers worked.
    """

    def __init__(self, options: CompileOptions, model: ExportedModel, target: str) -> None:
        self._options = options
        self._target = target
        self._model = model
        self._directory = Path(options.work_dir or ".") if os.environ.get(VARIABLE, "0") not in ("", "0") else None

    @property
    def directory(self) -> Path | None:
        """Where files are kept, None where none are."""
        return self._directory

    def before(self, cut: CutRegion) -> None:
        """Keep the region itself; raises ExportError when the directory cannot be written."""
        if self._directory is None:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._place(cut, "symbol.json").write_text(cut.text, encoding="utf-8")
            auxiliary = set(mx.sym.load_json(cut.text).list_auxiliary_states())
            arrays = {f"{'aux' if n in auxiliary else 'arg'}:{n}": value_of(self._model.params[n]) for n in cut.weights}
            (mx.npx.save if self._model.is_np else mx.nd.save)(str(self._place(cut, "0000.params")), arrays)
            self._place(cut, "signature.json").write_text(json.dumps(self._signature(cut), indent=1), encoding="utf-8")
            self._place(cut, "command.txt").write_text(self._command(cut) + "\n", encoding="utf-8")
        except OSError as error:
            raise ExportError(
                f"{VARIABLE} is set, but nothing can be written to {self._directory}: {error}. Choose another work_dir."
            ) from error

    def after(self, cut: CutRegion, payloads: tuple[Payload, ...], failure: Exception | None, seconds: float) -> None:
        """Keep the programs, or the reason why there are none."""
        if self._directory is None:
            return
        lines = [f"gluon_neuron {__version__}: {cut.name}, {len(cut.region.nodes)} operators, {seconds:.3f} s"]
        counts: Counter[str] = Counter()
        for payload in payloads:
            number = "any" if "free" in payload.program else counts[payload.target]
            counts[payload.target] += 1
            path = self._place(cut, f"{payload.target}-{number}.program")
            path.write_bytes(payload.data)
            lines.append(f"{payload.engine} {payload.engine_version}: {len(payload.data)} bytes in {path.name}")
        lines.append(f"failed: {failure}" if failure is not None else "compiled")
        self._place(cut, "compile.log").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _place(self, cut: CutRegion, ending: str) -> Path:
        assert self._directory is not None
        return self._directory / f".{cut.name}-{ending}"

    def _signature(self, cut: CutRegion) -> dict[str, Any]:
        # A region's inputs are not the model's, by whose names axes are chosen.
        free = bool(self._options.dynamic)
        chosen = {**asdict(self._options), "target": self._target, "dynamic": free}
        for name in ("exclude_nodes", "exclude_operators", "include_nodes", "work_dir", "batch_sizes", "shapes"):
            del chosen[name]
        return {
            # For each static shape. What a region reads need not have the batch in front: the size alone would not do.
            "inputs": [_inputs(cut, number) for number in range(len(cut.jobs))],
            "outputs": list(cut.outputs),
            "reads": list(cut.data),
            "options": chosen,
            "gluon_neuron": __version__,
        }

    def _command(self, cut: CutRegion) -> str:
        return shlex.join(["gluon-neuron", "compile-kept", f".{cut.name}"])


def _inputs(cut: CutRegion, number: int) -> dict[str, Any]:
    job = cut.jobs[number]
    specs = {n.name: n.out for n in job.graph.variables}
    data = [n for n, role in job.roles.items() if role == "data"]
    return {n: {"shape": list(specs[n].shape), "dtype": specs[n].dtype} for n in data}
