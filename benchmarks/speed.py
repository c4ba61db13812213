"""Measures every model and batch size: latencies in turns, what a call costs beyond the engine, memory, load time."""

from __future__ import annotations

import gc
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from gluon_neuron.model_zoo.catalog import image_size_of
from gluon_neuron.tools.installed import versions

from . import contenders
from .bare import bare_region
from .contenders import BARE, HYBRID, ONEDNN, OURS
from .footprint import KINDS, footprint
from .timing import differences, in_turns, latency, ratios

_SMALL = ("small", (1, 3, 64, 64))


def measure_all(
    models: Sequence[str], batches: Sequence[int], seconds: float, threads: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Everything that was measured, as JSON-compatible values; times are in seconds, memory in MiB."""
    mx.random.seed(0)
    cases = []
    with tempfile.TemporaryDirectory(prefix="gluon_neuron-bench-") as folder:
        for model in models:
            for batch in batches:
                say(f"{model}, batch {batch}")
                cases.append(_case(model, (batch, 3, *image_size_of(model)), seconds, Path(folder)))
        say("what a call costs by itself")
        overheads = [_overhead(*_SMALL, seconds, Path(folder), {})]
        inlined = models[0]
        overheads.append(
            _overhead(inlined, (1, 3, *image_size_of(inlined)), seconds, Path(folder), {"inline_weights": True})
        )
    return {"machine": _machine(threads), "cases": cases, "overheads": overheads}


def _machine(threads: int) -> dict[str, Any]:
    found = versions()
    return {
        "processor": found["processor"] or platform.machine(),
        "cores": int(found["cores"]),
        "threads": threads,
        **{name: metadata.version(name) for name in ("mxnet", "openvino")},
        "gluon_neuron": found["gluon_neuron"],
    }


def _case(model: str, shape: tuple[int, ...], seconds: float, folder: Path) -> dict[str, Any]:
    picture = mx.nd.array(np.random.default_rng(0).uniform(-1, 1, shape))
    weights, exported = str(folder / "weights.params"), str(folder / "exported")
    original = contenders.network(model, picture)
    original.save_parameters(weights)
    reference = contenders.wait(original(picture))
    start = time.perf_counter()
    compiled = contenders.ours(model, picture, weights)
    compile_seconds = time.perf_counter() - start
    agreement = _difference(contenders.wait(compiled(picture)), reference)
    del original
    # Before there are other contenders: it is a matter of tenths of a millisecond, and their threads linger.
    overhead = _above_engine(compiled, picture, 2 * seconds)
    calls = {
        HYBRID: contenders.hybrid(model, picture, weights),
        ONEDNN: contenders.onednn(model, picture, weights),
        OURS: partial(_call, compiled, picture),
    }
    taken = in_turns(calls, seconds)
    compiled.export(exported)
    report = compiled.report
    case = {
        "model": model,
        "batch": shape[0],
        "parameters": len(compiled.collect_params().keys()),
        "regions": len(report.regions),
        "outside": len(report.outside),
        "compile": compile_seconds,
        "difference": agreement,
        "rounds": len(taken[OURS]),
        "latency": {name: latency(values, shape[0]) for name, values in taken.items()},
        "ratio": {name: ratios(taken[name], taken[OURS]) for name in (HYBRID, ONEDNN)},
        "overhead": overhead,
    }
    del compiled, calls
    gc.collect()
    case["memory"] = {kind: footprint(kind, model, shape, weights, exported) for kind in KINDS}
    return case


def _overhead(
    model: str, shape: tuple[int, ...], seconds: float, folder: Path, options: dict[str, Any]
) -> dict[str, Any]:
    picture = mx.nd.array(np.random.default_rng(0).uniform(-1, 1, shape))
    weights = str(folder / "weights.params")
    contenders.network(model, picture).save_parameters(weights)
    compiled = contenders.ours(model, picture, weights, **options)
    found = _above_engine(compiled, picture, seconds)
    return {"model": model, "options": options, "parameters": len(compiled.collect_params().keys()), "overhead": found}


def _above_engine(compiled: Any, picture: mx.nd.NDArray, seconds: float) -> dict[str, Any] | None:
    """What a call costs beyond the same program in bare OpenVINO; None where the model is more than one region."""
    bare = bare_region(compiled, picture.asnumpy())
    if bare is None or compiled.report.outside:
        return None
    taken = in_turns({BARE: bare, OURS: partial(_call, compiled, picture)}, seconds, least=10)
    return {**differences(taken[OURS], taken[BARE]), BARE: latency(taken[BARE], picture.shape[0])}


def _call(net: Any, picture: mx.nd.NDArray) -> Any:
    return contenders.wait(net(picture))


def _difference(found: Any, reference: Any) -> float:
    """The largest difference of any output, as a share of the range of that output."""
    pairs = zip(_flat(found), _flat(reference), strict=True)
    return max(float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)) for a, b in pairs)


def _flat(nested: Any) -> list[np.ndarray]:
    if isinstance(nested, list | tuple):
        return [array for item in nested for array in _flat(item)]
    return [nested.asnumpy()]
