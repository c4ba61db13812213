"""Turns what was measured into the README's tables, and says which of the project's limits hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from .contenders import BARE, HYBRID, ONEDNN, OURS


def tables(results: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    machine = results["machine"]
    head = (
        f"{machine['processor']}, {machine['threads']} of {machine['cores']} cores for every contender; MXNet "
        f"{machine['mxnet']}, OpenVINO {machine['openvino']}, gluon_neuron {machine['gluon_neuron']}; "
        "random weights, float32."
    )
    parts = [
        head,
        "",
        _speed(results["cases"]),
        "",
        _costs(results["cases"], results["overheads"]),
        "",
        _limits(results),
    ]
    return "\n".join(parts)


def limits(results: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """The project's limits: what is asked, what was found, and whether it holds."""
    cases = results["cases"]
    ratios = [best_ratio(c) for c in cases]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    worst = min(zip(ratios, cases, strict=True), key=lambda pair: pair[0])
    found = [
        ("at least 1.2 times as fast as the better of MXNet's two, geometric mean", f"{mean:.2f}", mean >= 1.2),
        ("slower than neither on any", f"{worst[0]:.2f} ({_name(worst[1])})", worst[0] >= 1.0),
    ]
    found += _overhead_limit([*cases, *results["overheads"]])
    found += _memory_limit(cases)
    for case in cases:
        if case["model"] == "resnet50_v1":
            seconds = case["memory"]["loaded"]["seconds"]
            found.append((f"compiles in under 5 s: {_name(case)}", f"{case['compile']:.2f} s", case["compile"] < 5))
            found.append((f"loads in under 1 s: {_name(case)}", f"{seconds:.2f} s", seconds < 1))
    return found


def allowed_overhead(case: Mapping[str, Any]) -> float:
    """Seconds that a call may take above bare OpenVINO: 3%, or what MXNet needs to handle the parameters.

    That is 0.1 ms for up to 20 parameters or inlined ones, 0.35 ms for 300, and in proportion for more.
    """
    milliseconds = 0.1
    if not case.get("options", {}).get("inline_weights"):
        milliseconds += 0.25 * max(0, case["parameters"] - 20) / 280
    return float(max(1e-3 * milliseconds, 0.03 * case["overhead"][BARE]["p50"]))


def _overhead_limit(cases: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, bool]]:
    measured = [c for c in cases if c["overhead"] is not None]
    if not measured:
        return []
    worst = max(measured, key=lambda c: c["overhead"]["median"] / allowed_overhead(c))
    above, allowed = worst["overhead"]["median"], allowed_overhead(worst)
    text = "a call above bare OpenVINO at most 3%, or 0.1 ms at 20 parameters and 0.35 ms at 300: the nearest to it"
    found = f"{1e3 * above:.2f} of {1e3 * allowed:.2f} ms ({_name(worst)})"
    return [(text, found, above <= allowed)]


def _memory_limit(cases: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, bool]]:
    peaks = []
    for case in cases:
        memory = case["memory"]
        for kind in ("compiled", "loaded"):
            peaks.append((memory[kind]["peak"] / memory["onednn"]["peak"], f"{_name(case)}, {kind}"))
    if not peaks:
        return []
    ratio, name = max(peaks)
    text = "peak memory at most 1.2 times that of MXNet oneDNN: the highest"
    return [(text, f"{ratio:.2f} ({name})", ratio <= 1.2)]


def best_ratio(case: Mapping[str, Any]) -> float:
    """How many times as long the better of MXNet's two takes; the median of the rounds."""
    return float(min(case["ratio"][name]["median"] for name in (HYBRID, ONEDNN)))


def _speed(cases: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for case in cases:
        ours = case["latency"][OURS]
        times = [1e3 * ours[p] for p in ("p50", "p90", "p99")]
        rows.append(
            (
                case["model"],
                case["batch"],
                *(f"{case['ratio'][n]['median']:.2f} ({_low_high(case['ratio'][n])})" for n in (HYBRID, ONEDNN)),
                " / ".join(f"{t:.1f}" for t in times),
                f"{ours['throughput']:.0f}",
                f"{case['difference']:.0e}",
            )
        )
    head = ("model", "batch", "MXNet hybridized", "MXNet oneDNN", "ms p50 / p90 / p99", "images/s", "difference")
    caption = (
        "How many times as long as ours a call of MXNet takes (10th to 90th percentile of the rounds), our own times, "
        "and the largest difference as a share of the output's range:\n\n"
    )
    return caption + tabulate(rows, head, tablefmt="github", disable_numparse=True)


def _low_high(value: Mapping[str, float]) -> str:
    return f"{value['low']:.2f}-{value['high']:.2f}"


def _costs(cases: Sequence[Mapping[str, Any]], overheads: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for case in cases:
        memory = case["memory"]
        rows.append(
            (
                case["model"],
                case["batch"],
                "" if case["overhead"] is None else _ms(case["overhead"]),
                *(f"{memory[kind]['peak']:.0f}" for kind in ("hybrid", "onednn", "compiled", "loaded")),
                f"{case['compile']:.2f}",
                f"{memory['loaded']['seconds']:.2f}",
            )
        )
    for case in overheads:
        if case["overhead"] is not None:
            rows.append((_kind(case), 1, _ms(case["overhead"]), *[""] * 6))
    head = (
        *("model", "batch", "above OpenVINO, ms", "MiB: MXNet", "MXNet oneDNN", "compiled here", "loaded from files"),
        *("compile, s", "load, s"),
    )
    caption = (
        "What a call costs beyond the same program in bare OpenVINO, peak memory of a whole process, and times to "
        "compile and load:\n\n"
    )
    return caption + tabulate(rows, head, tablefmt="github", disable_numparse=True)


def _limits(results: Mapping[str, Any]) -> str:
    rows = [(text, value, "holds" if holds else "DOES NOT HOLD") for text, value, holds in limits(results)]
    return tabulate(rows, ("limit", "found", ""), tablefmt="github", disable_numparse=True)


def _ms(value: Mapping[str, float]) -> str:
    return f"{1e3 * value['median']:.2f} ({1e3 * value['low']:.2f} to {1e3 * value['high']:.2f})"


def _name(case: Mapping[str, Any]) -> str:
    return f"{case['model']}, batch {case['batch']}" if "batch" in case else _kind(case)


def _kind(case: Mapping[str, Any]) -> str:
    kind = "weights inlined" if case["options"].get("inline_weights") else f"{case['parameters']} parameters"
    return f"{case['model']}, {kind}"
