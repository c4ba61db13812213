"""`gluon-neuron inspect`: what a compiled model's files hold: inputs, shapes, programs, identity. It needs no MXNet."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..artifact.arrays_file import StoredArray, read_stored, stored_arrays
from ..artifact.container import Artifact, unpack
from ..errors import ArtifactError, GraphError
from ..graph.graph import VARIABLE, symbol_json
from ..graph.model_files import find
from ..graph.subgraph import ARTIFACT_SUFFIX
from ..stitch import kept_options
from ..stitch.input_spec import input_specs
from ..stitch.metadata import Metadata, find_in_text, is_edited
from .answer import Answer
from .ending import DONE, FOUND

Found = dict[str, Any]


def inspect_model(given: str | os.PathLike[str], epoch: int | None = None) -> Answer:
    """What is in the files of `PREFIX-symbol.json` and `PREFIX-0000.params`; `given` is either of them, or
    the prefix.

    The status is 1 where programs are damaged or missing.

    Raises FileNotFoundError, GraphError for a symbol that cannot be read, InputError for parameters that cannot be.
    """
    symbol_path, params_path = find(given, epoch)
    try:
        text = symbol_path.read_text(encoding="utf-8")
        symbol_json(text)
        edited, metadata, expected = is_edited(text), find_in_text(text), _expected(text)
    except GraphError as error:
        raise GraphError(f"{symbol_path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise GraphError(
            f"{symbol_path} is not the JSON of a symbol that gluon_neuron or MXNet has written: {error!r}. Name a file "
            "that was exported."
        ) from error
    arrays = stored_arrays(params_path)
    artifacts = {a.name.partition(":")[2]: _artifact(params_path, a) for a in arrays if _is_artifact(a)}
    artifacts |= {n: {"missing": True} for n in expected if n not in artifacts}
    weights = sum(a.size for a in arrays if not _is_artifact(a))
    found: Found = {
        "symbol": str(symbol_path),
        "params": str(params_path),
        "compiled": metadata is not None,
        "edited": metadata is None and edited,
        "weights_bytes": weights,
        **(_model(metadata) if metadata else {}),
        "artifacts": artifacts,
    }
    broken = any("missing" in a or "damaged" in a for a in artifacts.values())
    return Answer(_page(found, metadata), found, FOUND if broken else DONE)


def _is_artifact(array: StoredArray) -> bool:
    return array.name.endswith(ARTIFACT_SUFFIX) and array.dtype == "uint8"


def _expected(text: str) -> list[str]:
    """The artifacts that a symbol's compiled nodes read."""
    names = (n.get("name") for n in json.loads(text)["nodes"] if n.get("op") == VARIABLE)
    return [n for n in names if isinstance(n, str) and n.endswith(ARTIFACT_SUFFIX)]


def _model(metadata: Metadata) -> Found:
    report = metadata.report
    return {
        "inputs": {s.name: s.to_dict() for s in input_specs(metadata)},
        "options": None if metadata.options is None else kept_options.to_json(metadata.options),
        "classes": metadata.classes,
        "preprocessing": metadata.preprocessing.to_json() if metadata.preprocessing else None,
        "front_end": "mx.np" if metadata.is_np else "mx.nd",
        "batch_sizes": metadata.batch_sizes,
        "dynamic_batch": metadata.dynamic_batch,
        "static_shapes": [dict(zip(metadata.inputs, shapes, strict=True)) for shapes in metadata.static_shapes],
        "dynamic_dimensions": {r.name: [asdict(d) for d in r.dynamic_dimensions] for r in report.regions},
        "buckets": [asdict(b) for b in report.buckets],
        "report": report.to_dict(),
    }


def _artifact(path: Path, array: StoredArray) -> Found:
    try:
        artifact = unpack(read_stored(path, array))
    except ArtifactError as error:
        return {"bytes": array.size, "damaged": str(error)}
    return {
        "bytes": array.size,
        "gluon_neuron": artifact.gluon_neuron,
        "graph": artifact.graph,
        "options": dict(artifact.options),
        "programs": _programs(artifact),
    }


def _programs(artifact: Artifact) -> list[Found]:
    return [
        {
            "target": p.target,
            "engine": p.engine,
            "engine_version": p.engine_version,
            "bytes": len(p.data),
            "any_shape": "free" in p.program,
            "inputs": p.signature.get("inputs", []),
            "outputs": p.signature.get("outputs", []),
        }
        for p in artifact.payloads
    ]


def _page(found: Found, metadata: Metadata | None) -> str:
    lines = [f"{found['symbol']}, {found['params']}: {found['weights_bytes'] / 2**20:.1f} MiB of weights."]
    if metadata is None:
        said = "was edited after it was compiled, so what was known of it is not so any more" if found["edited"] else ""
        lines.append(f"This model {said or 'was not compiled by this package'}.")
    else:
        inputs = ", ".join(map(str, input_specs(metadata)))
        lines += [f"Inputs, {found['front_end']}: {inputs or 'none'}.", *_meaning(found), "", str(metadata.report)]
    for name, artifact in found["artifacts"].items():
        lines += ["", *_about(name, artifact)]
    return "\n".join(lines)


def _meaning(found: Found) -> list[str]:
    """What is kept of the options, the classes and the images."""
    lines = []
    if found["options"]:
        lines.append(f"Options: {', '.join(f'{n}={v!r}' for n, v in found['options'].items())}.")
    if found["classes"]:
        named = found["classes"]
        more = f" and {len(named) - 5} more" if len(named) > 5 else ""
        lines.append(f"Classes: {', '.join(named[:5])}{more}.")
    if found["preprocessing"]:
        lines.append(f"Images: {', '.join(f'{n} {v}' for n, v in found['preprocessing'].items() if v is not None)}.")
    return lines


def _about(name: str, artifact: Mapping[str, Any]) -> list[str]:
    if "missing" in artifact:
        return [f"{name}: missing, the parameters are not those that were exported with this symbol."]
    size = f"{artifact['bytes'] / 2**20:.2f} MiB"
    if "damaged" in artifact:
        return [f"{name}, {size}: {artifact['damaged']}"]
    lines = [f"{name}, {size}, by gluon_neuron {artifact['gluon_neuron']}, of graph {artifact['graph']}:"]
    for program in artifact["programs"]:
        shapes = "any shape" if program["any_shape"] else _shapes(program["inputs"])
        engine = f"{program['engine']} {program['engine_version']}".strip()
        lines.append(f"  {program['target']}, {engine}, {program['bytes'] / 1024:.1f} KiB: {shapes}")
    return lines


def _shapes(inputs: list[Mapping[str, Any]]) -> str:
    # Of a region that reads hundreds of weights, the first will do.
    shown = [f"{i.get('name')} {tuple(i.get('shape', ()))}" for i in inputs[:4]]
    return ", ".join(shown) + (f" and {len(inputs) - 4} more" if len(inputs) > 4 else "")
