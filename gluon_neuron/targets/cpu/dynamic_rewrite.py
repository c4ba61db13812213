"""Makes one dynamic program of a static one: what differs at other shapes is computed from extents at each call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...dialect.in_openvino.builder import DTYPES, Builder
from .dynamic_axes import Place
from .dynamic_listing import Differences, Listed, NotDynamic
from .dynamic_numbers import Extent, Number


def make_dynamic(
    model: Any,
    nodes: Sequence[Listed],
    found: Differences,
    parameters: Mapping[str, Any],
    free: Iterable[Place],
) -> None:
    """Rewrite `model`, of which `nodes` is the listing; raises NotDynamic where OpenVINO refuses what was made.

    The axes `free` of the parameters by those names take any extent then.
    """
    build = Builder()
    numbers = _Numbers(build, nodes)
    try:
        for (i, k), form in found.constants.items():
            with build.scope(f"{nodes[i].node.get_friendly_name()}/extents"):
                value = form.build(build, numbers.scalar)
            nodes[i].node.input(k).replace_source_output(value)
        for i in dict.fromkeys(i for i, _ in found.bounds):
            _replace_clamp(build, numbers, nodes[i].node, {k: n for (j, k), n in found.bounds.items() if j == i})
        for name in parameters:
            axes = {axis for place, axis in free if place == name}
            shape = [-1 if axis in axes else n for axis, n in enumerate(parameters[name].output(0).get_shape())]
            parameters[name].set_partial_shape(build.ov.PartialShape(shape))
        model.validate_nodes_and_infer_types()
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise NotDynamic(f"OpenVINO refuses the program made of it: {' '.join(lines[-2:])[:300]}") from error


def _replace_clamp(build: Builder, numbers: _Numbers, node: Any, bounds: Mapping[str, Number]) -> None:
    value = node.input_value(0)
    attributes, dtype = node.get_attributes(), DTYPES[value.get_element_type().get_type_name()]
    with build.scope(f"{node.get_friendly_name()}/bounds"):
        for key, limit in (("max", build.minimum), ("min", build.maximum)):
            number = bounds.get(key)
            if number is None:
                bound = build.const(attributes[key], dtype)
            else:
                bound = build.squeeze(numbers.scalar(number, dtype), build.const([0]))
            value = limit(value, bound).output(0)
    for reader in node.output(0).get_target_inputs():
        reader.replace_source_output(value)


class _Numbers:
    """Builds numbers from extents, each once."""

    def __init__(self, build: Builder, nodes: Sequence[Listed]) -> None:
        self._build = build
        self._nodes = nodes
        self._shapes: dict[tuple[int, int], Any] = {}
        self._made: dict[tuple[Number, str], Any] = {}

    def scalar(self, number: Number, dtype: str) -> Any:
        """An output of one element."""
        key = number, dtype
        if key not in self._made:
            self._made[key] = self._number(number, dtype)
        return self._made[key]

    def _number(self, number: Number, dtype: str) -> Any:
        build = self._build
        if not number.extents:
            return build.const([number.offset], dtype).output(0)
        value = self._extent(number.extents[0])
        for other in number.extents[1:]:
            value = build.multiply(value, self._extent(other)).output(0)
        if number.factor != 1:
            value = build.multiply(value, build.const([number.factor])).output(0)
        if number.offset:
            value = build.add(value, build.const([number.offset])).output(0)
        return value if dtype == "int32" else build.convert(value, build.type(dtype)).output(0)

    def _extent(self, extent: Extent) -> Any:
        key = extent.node, extent.output
        if key not in self._shapes:
            source = self._nodes[extent.node].node.output(extent.output)
            self._shapes[key] = self._build.shape_of(source, "i32")
        return self._build.gather(self._shapes[key], self._build.const([extent.axis]), self._build.const(0)).output(0)
