"""What an operator costs follows from its shapes and the facts at its rule, those of users' rules too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gluon_neuron.graph.attrs import Attrs
from gluon_neuron.graph.graph import Node
from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.cost import WORTH_FLOPS, flops, heavy, worth_a_region
from gluon_neuron.lowering.registry import rule, rules

from .harness import node_of

OWN = "Custom:cost_test"


def of(op: str, shapes: list[tuple[int, ...]], attrs: dict[str, Any]) -> Node:
    return node_of(op, [Spec(s, "float32") for s in shapes], attrs)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (("FullyConnected", [(5, 7), (3, 7), (3,)], {"num_hidden": 3}), 2 * 5 * 3 * 7),
        (("dot", [(7, 5), (7, 3)], {"transpose_a": True}), 2 * 5 * 3 * 7),
        (
            ("Convolution", [(2, 4, 9, 9), (6, 2, 3, 3), (6,)], {"kernel": "(3, 3)", "num_filter": 6, "num_group": 2}),
            2 * (2 * 6 * 7 * 7) * (2 * 3 * 3),
        ),
        (
            ("Deconvolution", [(2, 4, 5, 5), (4, 6, 3, 3)], {"kernel": "(3, 3)", "num_filter": 6}),
            2 * (2 * 4 * 5 * 5) * (6 * 3 * 3),
        ),
        (("broadcast_add", [(5, 1), (1, 7)], {}), 35),
        (("sum", [(5, 7)], {}), 35),
        (("transpose", [(5, 7)], {}), 0),
    ],
    ids=lambda v: v[0] if isinstance(v, tuple) else None,
)
def test_flops(node: Any, expected: int) -> None:
    assert flops(of(*node)) == expected
    assert heavy(of(*node)) == (node[0] in ("FullyConnected", "dot", "Convolution", "Deconvolution"))


def test_a_region_is_worth_its_work() -> None:
    small, large = of("exp", [(WORTH_FLOPS // 2 - 1,)], {}), of("exp", [(WORTH_FLOPS // 2,)], {})
    assert not worth_a_region([small, large]) and worth_a_region([large, large])
    assert worth_a_region([of("dot", [(1, 1), (1, 1)], {})])


@pytest.fixture
def own() -> Iterator[Node]:
    out = Spec((2, 6, 4), "float32")
    ins = (Spec((2, 3, 4), "float32"), Spec((6, 3, 1), "float32"))
    yield Node(2, "Custom", "n", Attrs({"op_type": "cost_test"}), (), ins, {0: out}, {}, ())
    rules().pop(OWN, None)  # type: ignore[attr-defined]


def test_users_rules_give_facts(own: Node) -> None:
    assert flops(own) == 48 and not heavy(own)
    rule(OWN, heavy=True, kernel=1)(lambda xp, n, x, w: x)
    assert flops(own) == 2 * 48 * 3 and heavy(own)


def test_users_rules_may_only_move(own: Node) -> None:
    rule(OWN, moves=True)(lambda xp, n, x, w: x)
    assert flops(own) == 0 and not heavy(own)
