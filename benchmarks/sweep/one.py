"""Walks one model: builds it, runs it in MXNet, compiles it, compares; the result is a record of plain values."""

from __future__ import annotations

import gc
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import mxnet as mx

import gluon_neuron
from gluon_neuron.frontend.export import export

from .agreement import compare, flat, steps
from .inputs import build, rule_of, sample, shapes
from .reference import defined_regions, expected, rounding
from .weights import measure_batch_norms, randomize, spread


def walk(package: str, name: str) -> dict[str, Any]:
    """What becomes of a model.

    `stage` says how far it came: "build" and "run" where MXNet cannot do that, "hybridize" where neither MXNet nor this
    compiler can make a graph of it, "weights" where no random ones could be given to it, "compile" where it is only the
    compiler that fails, and "done".
    """
    rule = rule_of(package, name)
    record: dict[str, Any] = {
        "package": package,
        "name": name,
        "kind": rule.kind,
        "batch": rule.batch,
        "stage": "build",
        "seconds": {},
    }
    try:
        _walk(record)
    except Exception as error:
        record["error"] = _first_line(error)
        record["trace"] = traceback.format_exc()[-2000:]
    finally:
        gc.collect()
    return record


def _walk(record: dict[str, Any]) -> None:
    package, name = record["package"], record["name"]
    clock = _Clock(record["seconds"])
    with clock("build"):
        net = build(package, name)
        net.initialize(mx.init.Zero(), force_reinit=True)
        sizes = shapes(package, name, net)
        record["inputs"] = [list(s) for s in sizes]
    record["stage"] = "run"
    given = sample(name, sizes, record["batch"])
    with clock("MXNet"):
        record["stage"] = "compile" if _hybridizes(net, given) else "hybridize"
    with defined_regions():
        model = export(net, given)
    stage, record["stage"] = record["stage"], "weights"
    with clock("weights"):
        randomize(model)
        several = 2 if record["kind"] == "classification" else record["batch"]
        measure_batch_norms(model, sample(name, sizes, several, seed=1))
        spread(net, model, given, rule_of(package, name).spread)
        mx.nd.waitall()
    with clock("MXNet"):
        wanted = expected(net, given)
    record["stage"] = stage
    with clock("compile"):
        compiled = gluon_neuron.compile(net, given)
    found = flat(compiled(*given))
    detection = record["kind"] == "detection"
    record.update(_of_report(compiled.report), **compare(found, wanted, detection))
    if record["kind"] == "quantized" and not record["agrees"]:
        record["steps"] = steps(record)
        record["agrees"] = record["steps"] > 0
    if not record["agrees"]:
        record["repeatable"] = compare(expected(net, given), wanted, detection)["agrees"]
        if detection and record["repeatable"]:
            record.update(_before_suppression(net, given))
        errors = (
            [] if detection else _rounding(net, compiled, [sample(name, sizes, record["batch"], s) for s in range(4)])
        )
        if errors:
            record["rounding"] = dict(zip(("compiled", "MXNet"), errors))
            record["agrees"] = errors[0] <= 2 * errors[1] < 1e-3
    record["stage"] = "done"


def _rounding(net: Any, compiled: Any, samples: Sequence[Sequence[mx.nd.NDArray]]) -> list[float]:
    """How far the compiled model and MXNet's are from float64, on average, as one input favours one or the other."""
    found = [rounding(net, given, [flat(compiled(*given)), expected(net, given)]) for given in samples]
    return [] if None in found else [sum(errors) / len(samples) for errors in zip(*found)]


def _before_suppression(net: Any, given: Sequence[mx.nd.NDArray]) -> dict[str, Any]:
    """Whether a detector of GluonCV's agrees, number by number, before it drops the boxes that overlap better ones.

    Of nearly equal neighbours that one stays which is better in the last digits, and decides what else does.
    """
    threshold = getattr(net, "nms_thresh", 0)
    if not 0 < threshold < 1:
        return {}
    net.nms_thresh = 0  # its way to say: none
    try:
        wanted = expected(net, given)
        compared = compare(flat(gluon_neuron.compile(net, given)(*given)), wanted, detection=False)
    finally:
        net.nms_thresh = threshold
    return {"agrees": compared["agrees"], "candidates": wanted[0].shape[1] if compared["agrees"] else 0}


def _hybridizes(net: Any, given: Sequence[mx.nd.NDArray]) -> bool:
    """Whether MXNet itself can make a graph of the net; raises what MXNet does when it cannot run it at all."""
    try:
        net.hybridize()
        flat(net(*given))
        return True
    except Exception:
        net.hybridize(False)
        flat(net(*given))
        return False
    finally:
        net.hybridize(False)


def _of_report(report: gluon_neuron.Report) -> dict[str, Any]:
    reasons = Counter((o.op, o.category, o.sentence) for o in report.outside)
    return {
        "operators": report.operators,
        "compiled": report.compiled_operators,
        "flops": report.flops,
        "flops_share": report.flops_share,
        "regions": len(report.regions),
        "outside": [[op, category, why, count] for (op, category, why), count in reasons.items()],
    }


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # MXNet puts its trace before the message.
    told = next(
        (line for line in reversed(lines) if "Error:" in line or "Check failed" in line), lines[:1] and lines[0]
    )
    return f"{type(error).__name__}: {told or ''}"[:300]


class _Clock:
    """Adds up the wall time of each phase."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = round(self.seconds.get(phase, 0.0) + time.perf_counter() - start, 3)
