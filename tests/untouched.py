"""What a block is made of, so that a test can tell whether something changed it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def blocks_of(net: Any) -> list[Any]:
    """The block, its children, theirs and so on; one that is held twice is there twice."""
    found = [net]
    for block in found:
        found += block._children.values()
    return found


def state(net: Any) -> dict[Any, Any]:
    """The identity of every attribute of every block, and of every Parameter's symbol."""
    held = {(i, n): v for i, b in enumerate(blocks_of(net)) for n, v in vars(b).items()}
    held |= {(p.name, "var"): p._var for p in net.collect_params().values()}
    held |= {(i, n, "order"): tuple(v.items()) for (i, n), v in list(held.items()) if isinstance(v, dict)}
    return held


def same(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> None:
    """Assert that two states are one."""
    assert one.keys() == other.keys()
    for name in one:
        assert one[name] is other[name] or one[name] == other[name], name
