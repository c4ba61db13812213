"""Lowers a whole graph: every node through its rule, every result compared with MXNet's shape and dtype at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import CompileError, DialectError
from ..graph.graph import Entry, Graph, Node
from ..graph.spec import Spec
from .registry import Rule, rule_of


def lower(graph: Graph, xp: Any, leaves: Mapping[str, Any] | None = None) -> list[Any]:
    """The graph's outputs as arrays of the namespace `xp`.

    Each variable is the array of its name among `leaves`, or without them `xp.parameter(name, shape, dtype)`.

    Every node must have passed `registry.refusal`. Raises CompileError, with the node, when a rule fails or its result
    is not what MXNet infers: both are defects of the rule.
    """
    values: dict[Entry, Any] = {}
    for node in graph.nodes:
        if node.is_variable:
            given = xp.parameter(node.name, node.out.shape, node.out.dtype) if leaves is None else leaves[node.name]
            values[Entry(node.id, 0)] = given
            continue
        for index, result in lower_node(node, xp, [values[e] for e in node.inputs]).items():
            values[Entry(node.id, index)] = result
    return [values[h] for h in graph.heads]


def lower_node(node: Node, xp: Any, inputs: list[Any]) -> dict[int, Any]:
    """The outputs of one node that are read, by their numbers. Raises as `lower` does."""
    with xp.scope(node.name):
        results = _apply(node, xp, inputs)
    for index, expected in node.outs.items():
        if index >= len(results):
            raise CompileError(f"{node}: its rule gave {len(results)} outputs, but output {index} is read.")
        _check(node, index, expected, results[index])
    return {index: results[index] for index in node.outs}


def _apply(node: Node, xp: Any, inputs: list[Any]) -> tuple[Any, ...]:
    try:
        result = _rule(node).build(xp, node, *inputs)
    except DialectError as error:
        raise CompileError(f"{node}: its lowering rule failed: {error}") from error
    except Exception as error:
        shapes = ", ".join(str(s) for s in node.ins)
        raise CompileError(
            f"{node}: its lowering rule failed on inputs {shapes} with {type(error).__name__}: {error}"
        ) from error
    return result if isinstance(result, tuple) else (result,)


def _rule(node: Node) -> Rule:
    found = rule_of(node)
    if found is None:
        raise CompileError(f"{node}: there is no lowering rule for it.")
    return found


def _check(node: Node, index: int, expected: Spec | None, found: Any) -> None:
    if expected is None or tuple(found.shape) != expected.shape or found.dtype != expected.dtype:
        raise CompileError(
            f"{node}: its rule made output {index} {found.dtype}{list(found.shape)}, but MXNet infers {expected}."
        )
