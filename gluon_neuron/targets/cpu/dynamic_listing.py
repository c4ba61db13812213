"""Lists the nodes of a region's programs for several shapes side by side, and what differs between them.

The programs must have the same operators with the same attributes, which read one another in the same way. What may
differ are extents, constants, and the bounds of a Clamp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dialect.in_openvino.builder import DTYPES
from .dynamic_axes import seen_step
from .dynamic_forms import Extent, Extents, Form, Number, form_of
from .walk import ordered


class NotDynamic(Exception):
    """The programs for several shapes are not one program; the message says where, and begins in lower case."""


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
_MOST_CONSTANT = 1 << 23
"""Elements of a constant that is looked at."""

_LEAST_DIFFERENT = 3
"""A rounded extent has to be met with so many values, so that it is not taken for another that is rounded otherwise."""


def listing(model: Any) -> list[Listed]:
    """The nodes of a model, each after those that it reads."""
    numbers: dict[str, int] = {}
    found: list[Listed] = []
    parameters = [p for p in model.get_parameters() if p.output(0).get_names()]
    for node in ordered([*(p.output(0) for p in parameters), *(r.output(0) for r in model.get_results())]):
        numbers[node.get_name()] = len(found)
        kind = node.get_type_name()
        inputs = tuple((numbers[v.get_node().get_name()], v.get_index()) for v in node.input_values())
        attributes = {} if kind in _WITH_SHAPE else node.get_attributes()
        value = np.asarray(node.data) if kind == "Constant" else None
        if value is not None and value.size > _MOST_CONSTANT:
            raise NotDynamic(f"{node.get_friendly_name()!r} has {value.size} elements at a shape that was looked at")
        shapes = tuple(tuple(v.get_shape()) for v in node.outputs())
        found.append(Listed(node, kind, attributes, inputs, shapes, value))
    return found


@dataclass(frozen=True)
class Differences:
    """What has to be computed: by (node, input) the form of a constant, and by (node, attribute) a bound."""

    constants: Mapping[tuple[int, int], Form]
    bounds: Mapping[tuple[int, str], Number]


def differences(listings: Sequence[Sequence[Listed]], final: bool = False) -> Differences:
    """What differs between programs, and how it follows from extents; raises NotDynamic where it does not.

    The `final` time, extents must also have been met often enough to be told apart.
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
            _meet(i, node, listings, extents, final)
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


def _meet(i: int, node: Listed, listings: Sequence[Sequence[Listed]], extents: Extents, final: bool) -> None:
    """Note the extents of a node's results, and see to it that rounded ones are told apart."""
    for output in range(len(node.shapes)):
        for axis, values in enumerate(zip(*(found[i].shapes[output] for found in listings), strict=True)):
            if len(set(values)) == 1 or values in extents.known:
                continue
            if final and not extents.follows(values):
                product = extents.number(values)
                if product is None and (seen_step(values) != 1 or len(set(values)) < _LEAST_DIFFERENT):
                    seen = ", ".join(map(str, values))
                    raise NotDynamic(f"{node.name} has too few different extents ({seen}) at the shapes looked at")
            extents.add(values, Extent(i, output, axis))
