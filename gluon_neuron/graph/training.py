"""Says which operators give other results in training than in inference."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_Attrs = Mapping[str, str]


def _drops(attrs: _Attrs, default: str) -> bool:
    return float(attrs.get("p", default)) > 0 and attrs.get("mode", "training") != "always"


def _uses_statistics_of_batch(attrs: _Attrs) -> bool:
    return attrs.get("use_global_stats", "False") not in ("True", "true", "1")


_DIFFERS: Mapping[str, Callable[[_Attrs], bool]] = {
    "BatchNorm": _uses_statistics_of_batch,
    "BatchNorm_v1": _uses_statistics_of_batch,
    "CuDNNBatchNorm": _uses_statistics_of_batch,
    "_contrib_BatchNormWithReLU": _uses_statistics_of_batch,
    "_contrib_SyncBatchNorm": _uses_statistics_of_batch,
    "Dropout": lambda attrs: _drops(attrs, "0.5"),
    "RNN": lambda attrs: float(attrs.get("p", "0")) > 0,
    "LeakyReLU": lambda attrs: attrs.get("act_type") == "rrelu",
    "Custom": lambda attrs: True,  # it is told whether it trains
}


def differs_in_training(text: str) -> str | None:
    """The first operator of a symbol's JSON, bodies and compiled regions included, whose results differ in training."""
    for node in _nodes(json.loads(text)):
        differs = _DIFFERS.get(node["op"])
        if differs is not None and differs(node.get("attrs", {})):
            return f"{node['op']} {node['name']!r}"
    return None


def _nodes(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for node in raw["nodes"]:
        yield node
        for body in node.get("subgraphs", ()):
            yield from _nodes(body)
