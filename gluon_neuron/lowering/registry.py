"""The registry: which rule serves which MXNet operator, and the question whether it can serve a given node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import GraphError, RegistrationError
from ..graph.graph import Node
from ..refusal import Category, Refusal
from .unsupported import left_out

FLOATS = frozenset(("float16", "bfloat16", "float32", "float64"))
INTS = frozenset(("int8", "uint8", "int32", "int64"))
NUMBERS = FLOATS | INTS
ANY = NUMBERS | {"bool"}

CUSTOM = "Custom"
"""MXNet's operator for those that users write in Python."""

Refuse = Callable[[Node], str | None]


@dataclass(frozen=True)
class Rule:
    """How one MXNet operator is expressed in the array language, for which nodes, and what is known of it besides.

    `moves`: it moves, repeats or drops values and computes none, so it counts no floating-point operations, and 8-bit
    integers stay right where an engine cannot compute with them; `widens`: it makes floats of these before it computes.
    `heavy`: it is worth a compiled region of its own. `kernel`: which input is a convolution's kernel, of shape
    (outputs, inputs of a group, extents...). `source`: its values follow from shapes and attributes alone. `positions`:
    which input holds positions that are clipped, so that int64 has no more to say than 32 bits do. Of the CPU's engine:
    `slower` is from how many elements on MXNet is faster by more than a break of the region costs, and without
    `exact_int32` it computes int32 as float32.
    """

    op: str
    build: Callable[..., Any]
    refuse: Refuse | None
    dtypes: frozenset[str]
    notes: str
    family: str
    moves: bool = False
    heavy: bool = False
    kernel: int | None = None
    source: bool = False
    slower: int | None = None
    exact_int32: bool = True
    positions: int | None = None
    widens: bool = False


_RULES: dict[str, Rule] = {}


def rule(
    *names: str,
    refuse: Refuse | None = None,
    dtypes: frozenset[str] = FLOATS,
    notes: str = "",
    moves: bool = False,
    heavy: bool = False,
    kernel: int | None = None,
    source: bool = False,
    slower: int | None = None,
    exact_int32: bool = True,
    positions: int | None = None,
    widens: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register `build(xp, node, *inputs)` as the rule of the MXNet operators `names`; "Custom:TYPE" is one in Python.

    `xp` is a dialect namespace and each input a dialect `Array`; the result is an `Array`, or a tuple of them for the
    node's outputs. `refuse(node)` returns a sentence when the rule cannot serve the node, else None; it is asked before
    anything is built. `dtypes` are those allowed for every input and output. The rest are facts about the operator, as
    `Rule` has them. Raises RegistrationError for a name that has a rule already.
    """
    if not names:
        raise RegistrationError("rule() needs the name of at least one MXNet operator.")
    flags = {"moves": moves, "heavy": heavy, "source": source, "exact_int32": exact_int32, "widens": widens}
    for fact, value in flags.items():
        if not isinstance(value, bool):
            raise RegistrationError(f"rule() of {names[0]!r}: {fact} must be True or False, not {value!r}.")
    for fact, number in {"kernel": kernel, "slower": slower, "positions": positions}.items():
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise RegistrationError(f"rule() of {names[0]!r}: {fact} must be an integer from 0 on, not {number!r}.")

    def register(build: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            if name in _RULES:
                raise RegistrationError(f"Operator {name!r} has a rule already, in {_RULES[name].family}.")
        for name in names:
            about = (notes, build.__module__, moves, heavy, kernel, source, slower, exact_int32, positions, widens)
            _RULES[name] = Rule(name, build, refuse, dtypes, *about)
        return build

    return register


def rules() -> Mapping[str, Rule]:
    """All rules by operator name."""
    from . import families  # noqa: F401  registers the built-in rules on first use

    return _RULES


def rule_of(node: Node) -> Rule | None:
    """The rule that serves the node's operator; an operator in Python is known by its type, as "Custom:TYPE"."""
    name = f"{node.op}:{node.attrs.text('op_type')}" if node.op == CUSTOM else node.op
    return rules().get(name)


def refusal(node: Node) -> Refusal | None:
    """Why no rule can serve the node, or None when one can.

    Categories: "no rule" (or, where it is known why there is none, "not for inference", "cannot be compiled" or
    "not yet"), "shape", "dtype", "attribute".
    """
    found = rule_of(node)
    if found is None:
        known = left_out(node.op)
        if known is None:
            return Refusal(Category.NO_RULE, f"there is no lowering rule for {node.op}")
        return Refusal(known.kind, known.reason)
    specs = (*node.ins, *node.outs.values())
    for spec in specs:
        if spec is None:
            return Refusal(Category.SHAPE, "MXNet could not infer all of its shapes and dtypes")
    for spec in specs:
        assert spec is not None
        if spec.dtype not in found.dtypes:
            allowed = ", ".join(sorted(found.dtypes))
            return Refusal(Category.DTYPE, f"{node.op} is not compiled for {spec.dtype} (only {allowed})")
    if found.refuse is not None:
        try:
            sentence = found.refuse(node)
        except GraphError as error:
            sentence = str(error)
        if sentence:
            return Refusal(Category.ATTRIBUTE, sentence)
    if any(spec is not None and spec.size == 0 for spec in specs):
        return Refusal(Category.SHAPE, "an array without elements is left to MXNet")
    return None
