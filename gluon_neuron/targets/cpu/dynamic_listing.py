"""Lists the nodes of a region's programs for several shapes side by side, and what differs between them.

The programs must have the same operators with the same attributes, which read one another in the same way. What may
differ are extents, constants, and the bounds of a Clamp.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dialect.functions.resample import MOST_ELEMENTS
from ...dialect.in_openvino.builder import DTYPES
from .dynamic_axes import seen_step
from .dynamic_forms import Form, form_of
from .dynamic_numbers import Extent, Extents, Number
from .walk import is_data, ordered


class NotDynamic(Exception):
    """The programs for several shapes are not one program; the message says where, and begins in lower case."""


Axis = tuple[str, int, int]
"""A node's name, one of its outputs, and an axis of that."""


class TooFewExtents(NotDynamic):
    """The extent of an axis may be rounded in one way or another: it has been met with too few values to tell."""

    def __init__(self, axis: Axis, why: str) -> None:
        super().__init__(why)
        self.axis = axis


@dataclass(frozen=True)
class Listed:
    """A node: what it reads as (number of the node, its output), its outputs' shapes, and a constant's value."""

    node: Any
    kind: str
    attributes: Mapping[str, Any]
    inputs: tuple[tuple[int, int], ...]
    shapes: tuple[tuple[int, ...], ...]
    value: np.ndarray | None

    @property
    def name(self) -> str:
        """The name in messages: that of MXNet's node that it came from."""
        return f"{str(self.node.get_friendly_name()).split('/')[0]!r} ({self.kind})"


_WITH_SHAPE = ("Parameter", "Constant")
_BOUNDS = {"Clamp": ("min", "max")}
_OF_ITS_INPUTS = ("Concat",)
"""Operators whose extents are sums of their inputs', so that there is no rounding of their own."""

_LEAST_DIFFERENT = 3
"""A rounded extent has to be met with so many values, so that it is not taken for another that is rounded otherwise."""


def listing(model: Any, data: Set[str]) -> list[Listed]:
    """The nodes of a model, each after those that it reads; `data` are the names of parameters that are no weights."""
    numbers: dict[str, int] = {}
    found: list[Listed] = []
    parameters = [p for p in model.get_parameters() if p.output(0).get_names()]
    results = (r.output(0) for r in model.get_results())
    for node in _fixed_late(ordered([*(p.output(0) for p in parameters), *results]), data):
        numbers[node.get_name()] = len(found)
        kind = node.get_type_name()
        inputs = tuple((numbers[v.get_node().get_name()], v.get_index()) for v in node.input_values())
        attributes = {} if kind in _WITH_SHAPE else node.get_attributes()
        value = np.asarray(node.data) if kind == "Constant" else None
        if value is not None and value.size > MOST_ELEMENTS:
            raise NotDynamic(f"{node.get_friendly_name()!r} has {value.size} elements at a shape that was looked at")
        shapes = tuple(tuple(v.get_shape()) for v in node.outputs())
        found.append(Listed(node, kind, attributes, inputs, shapes, value))
    return found


def _fixed_late(nodes: Iterable[Any], data: Set[str]) -> Iterator[Any]:
    """The nodes, those that read only constants and weights right before what reads them and data.

    What they are told of extents may then be those of all that comes before: anchors follow from a map that a later
    layer gives.
    """
    fixed: set[str] = set()
    given: set[str] = set()
    late: list[Any] = []
    for node in nodes:
        sources = [v.get_node() for v in node.input_values()]
        if node.get_type_name() == "Parameter":
            given.add(node.get_name())
            fixed |= set() if is_data(node, data) else {node.get_name()}
        elif all(v.get_name() in fixed for v in sources):
            fixed.add(node.get_name())
            late.append(node)
            continue
        for one in ordered(v.output(0) for v in sources if v.get_name() in fixed):
            if one.get_name() not in given:
                given.add(one.get_name())
                yield one
        yield node
    yield from (node for node in late if node.get_name() not in given)


@dataclass(frozen=True)
class Differences:
    """What has to be computed: by (node, input) the form of a constant, and by (node, attribute) a bound."""

    constants: Mapping[tuple[int, int], Form]
    bounds: Mapping[tuple[int, str], Number]


def differences(
    listings: Sequence[Sequence[Listed]], final: bool = False, settled: Set[Axis] = frozenset()
) -> Differences:
    """What differs between programs, and how it follows from extents; raises NotDynamic where it does not.

    The `final` time, extents must also have been met often enough to be told apart; `settled` are those that are.
    """
    first = listings[0]
    for other in listings[1:]:
        _same_structure(first, other)
    extents = Extents()
    for i, node in enumerate(first):
        if node.kind == "Parameter":
            for axis, values in enumerate(zip(*(found[i].shapes[0] for found in listings), strict=True)):
                extents.add(values, Extent(i, 0, axis))
    constants: dict[tuple[int, int], Form] = {}
    bounds: dict[tuple[int, str], Number] = {}
    for i, node in enumerate(first):
        for k, (source, _) in enumerate(node.inputs):
            arrays = [found[source].value for found in listings]
            if arrays[0] is None or _equal(arrays):
                continue
            dtype = DTYPES[first[source].node.output(0).get_element_type().get_type_name()]
            form = form_of([a for a in arrays if a is not None], dtype, extents, node.kind == "Reshape" and k == 1)
            if isinstance(form, str):
                raise NotDynamic(f"in {node.name}, {form}")
            constants[i, k] = form
        for key in _BOUNDS.get(node.kind, ()):
            limits = [found[i].attributes[key] for found in listings]
            if len(set(limits)) > 1:
                bounds[i, key] = _bound(node, limits, extents)
        if node.kind not in _WITH_SHAPE:
            _meet(i, node, listings, extents, settled if final else None)
    return Differences(constants, bounds)


def _equal(arrays: Sequence[np.ndarray | None]) -> bool:
    first = arrays[0]
    assert first is not None
    return all(
        a is first or (a.shape == first.shape and a.tobytes() == first.tobytes()) for a in arrays if a is not None
    )


def _bound(node: Listed, values: Sequence[float], extents: Extents) -> Number:
    whole = all(v == int(v) and abs(v) < 2**24 for v in values)
    found = extents.number(tuple(int(v) for v in values)) if whole else None
    if found is None:
        raise NotDynamic(f"in {node.name}, a bound follows from no extent")
    return found


def _same_structure(one: Sequence[Listed], other: Sequence[Listed]) -> None:
    for a, b in zip(one, other, strict=False):
        if a.kind != b.kind or a.inputs != b.inputs:
            raise NotDynamic(f"{a.name} takes another form at other shapes")
        if a.attributes != b.attributes:
            free = _BOUNDS.get(a.kind, ())
            for key, value in a.attributes.items():
                if key not in free and b.attributes.get(key) != value:
                    raise NotDynamic(f"{a.name} has another attribute, {key}, at other shapes")
        if [len(s) for s in a.shapes] != [len(s) for s in b.shapes]:
            raise NotDynamic(f"{a.name} has other axes at other shapes")
    if len(one) != len(other):
        raise NotDynamic(f"the program has {len(one)} operators at one shape and {len(other)} at another")


def _meet(
    i: int, node: Listed, listings: Sequence[Sequence[Listed]], extents: Extents, settled: Set[Axis] | None
) -> None:
    """Note the extents of results, and see to it that rounded ones are told apart, unless `settled` is None."""
    for output in range(len(node.shapes)):
        for axis, values in enumerate(zip(*(found[i].shapes[output] for found in listings), strict=True)):
            if len(set(values)) == 1 or values in extents.known:
                continue
            place = node.node.get_friendly_name(), output, axis
            if settled is not None and place not in settled and node.kind not in _OF_ITS_INPUTS:
                _told_apart(node, place, values, extents)
            extents.add(values, Extent(i, output, axis))


def _told_apart(node: Listed, place: Axis, values: tuple[int, ...], extents: Extents) -> None:
    if extents.follows(values) or extents.number(values) is not None:
        return
    if seen_step(values) != 1 or len(set(values)) < _LEAST_DIFFERENT:
        seen = ", ".join(map(str, values))
        raise TooFewExtents(place, f"{node.name} has too few different extents ({seen}) at the shapes looked at")
