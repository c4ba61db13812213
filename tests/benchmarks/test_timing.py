"""The statistics behind the benchmarks' tables."""

from __future__ import annotations

import time

import pytest

from benchmarks.timing import differences, in_turns, latency, percentile, ratios


def test_percentiles():
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([0, 10], 0.9) == pytest.approx(9)
    assert percentile([5], 0.99) == 5


def test_latency_and_throughput():
    found = latency([[0.1, 0.2], [0.3]], 8)
    assert found["p50"] == 0.2
    assert found["throughput"] == pytest.approx(40)
    assert found["p90"] <= found["p99"] <= 0.3


def test_ratios_are_taken_round_by_round():
    theirs, ours = [[2.0], [4.0], [9.0]], [[1.0], [2.0], [3.0]]
    assert ratios(theirs, ours)["median"] == 2
    assert differences(theirs, ours)["median"] == 2


def test_contenders_take_turns():
    order: list[str] = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    taken = in_turns(calls, 0.0, least=3)
    assert [len(turns) for turns in taken.values()] == [3, 3]
    assert len(taken["a"][0]) == 5
    assert order.count("a") == order.count("b")
    assert "ab" in "".join(order[4:]) or "ba" in "".join(order[4:])


def test_times_are_measured():
    taken = in_turns({"sleep": lambda: time.sleep(0.002)}, 0.0, least=1)
    assert min(taken["sleep"][0]) >= 0.002
