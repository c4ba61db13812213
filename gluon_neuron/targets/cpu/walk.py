"""Walks the nodes of an OpenVINO program in order, and tells which of them depend on data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Any


def walk(nodes: Iterable[Any], data: Set[str], varying: set[str]) -> Iterator[tuple[Any, list[bool]]]:
    """Each node with a flag for each of its inputs: whether it depends on the parameters called as one of `data`.

    `nodes` come after those that they read. `varying` collects the names of the nodes that depend on data; who makes
    another node depend on them on the way adds its name.
    """
    for node in nodes:
        inputs = [value.get_node().get_name() in varying for value in node.input_values()]
        if any(inputs) or is_data(node, data):
            varying.add(node.get_name())
        yield node, inputs


def is_data(node: Any, data: Set[str]) -> bool:
    """Whether the node is a parameter called as one of `data`."""
    return node.get_type_name() == "Parameter" and not data.isdisjoint(node.output(0).get_names())


def ordered(outputs: Iterable[Any]) -> Iterator[Any]:
    """The nodes that outputs depend on, each after those that it reads."""
    todo = [(output.get_node(), False) for output in outputs]
    seen: set[str] = set()
    while todo:
        node, inputs_seen = todo.pop()
        if inputs_seen:
            yield node
        elif node.get_name() not in seen:
            seen.add(node.get_name())
            todo.append((node, True))
            todo += [(value.get_node(), False) for value in node.input_values()]
