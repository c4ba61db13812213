"""The axes that option dynamic names: of a model's inputs, and what follows from them for what its regions read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from ..errors import InputError, OptionError
from ..frontend.infer import annotate
from ..frontend.model import ExportedModel
from ..graph.graph import Entry, Graph
from ..graph.spec import Spec
from ..options import CompileOptions
from ..shape_options import Range
from ..targets.cpu.dynamic_axes import LARGEST
from .input_names import named_axes

_DELTAS = (5, 2, 8, 32)
"""By how much the named axes are changed to see which others follow; of the first that MXNet takes."""


@dataclass(frozen=True)
class DynamicAxes:
    """By input of a model and axis, the range of each that may change; all others are as in the sample."""

    model: ExportedModel
    axes: Mapping[str, Mapping[int, Range]]

    def of(self, graph: Graph, entry: Entry) -> Mapping[int, Range]:
        """The axes that may change in what `entry` of the model's graph is, which has the sample's specs."""
        node = graph.nodes[entry.node]
        if node.is_variable:
            return self.axes.get(node.name, {})
        spec = node.outs[entry.output]
        shape = () if spec is None else spec.shape
        seen = [s for s in (_shape(g, entry) for g in self._graphs) if s is not None and len(s) == len(shape)]
        ends = [None if g is None else _shape(g, entry) for g in self._ends]
        found: dict[int, Range] = {}
        for axis, n in enumerate(shape):
            if all(s[axis] == n for s in seen):
                continue
            at = [s[axis] for s in ends if s is not None and len(s) == len(shape)]
            found[axis] = (max(1, min(*at, n)), max(*at, n)) if len(at) == 2 else None
        return found

    @cached_property
    def _graphs(self) -> list[Graph]:
        """The model's graph with its specs for other extents of these axes."""
        moved = (self._graph(partial(_moved, delta), True) for delta in _DELTAS)
        found = next((g for g in moved if g is not None), None)
        return [g for g in (found, *self._ends) if g is not None]

    @cached_property
    def _ends(self) -> tuple[Graph | None, Graph | None]:
        """The model's graph with all axes at the least and at the largest extent; None where MXNet takes none so."""
        if not self.axes or any(r is None for axes in self.axes.values() for r in axes.values()):
            return None, None

        def at(end: Callable[[int, int, int], int]) -> Graph | None:
            return self._graph(end, False) or self._graph(end, True)

        return at(lambda n, low, high: low), at(lambda n, low, high: high)

    def _graph(self, extent: Callable[[int, int, int], int], alike: bool) -> Graph | None:
        """The graph in which each axis has the extent for what it is in the sample, its least and its largest one.

        With `alike`, axes that have one extent in the sample have one here.
        """
        shapes = {name: list(self.model.specs[name].shape) for name in self.axes}
        places = [(name, axis, bounds) for name, axes in self.axes.items() for axis, bounds in axes.items()]
        limits = {(name, axis): _limits(shapes[name][axis], bounds) for name, axis, bounds in places}
        same: dict[int, list[tuple[int, int]]] = {}
        for (name, axis), limit in limits.items():
            same.setdefault(shapes[name][axis], []).append(limit)
        changed = {name: list(shape) for name, shape in shapes.items()}
        for (name, axis), (low, high) in limits.items():
            n = shapes[name][axis]
            if alike:
                low, high = max(a for a, _ in same[n]), min(b for _, b in same[n])
            changed[name][axis] = extent(n, low, high)
        given = {n: Spec(tuple(shape), self.model.specs[n].dtype) for n, shape in changed.items()}
        text = self.model.symbol.tojson(remove_amp_cast=False)
        try:
            return annotate(text, {**self.model.all_specs(), **given}, self.model.is_np)
        except InputError:
            return None


def dynamic_axes(model: ExportedModel, options: CompileOptions) -> DynamicAxes | None:
    """What option dynamic names; None where it names nothing, and every axis or none may change.

    Raises OptionError for inputs and axes that the model does not have, and for ranges without the sample's extent.
    """
    if isinstance(options.dynamic, bool):
        return None
    if isinstance(options.dynamic, str):
        return DynamicAxes(model, _batch(model))
    found: dict[str, dict[int, Range]] = {}
    for (name, axis), bounds in named_axes(model, options.dynamic, "dynamic").items():
        n = model.specs[name].shape[axis]
        if bounds is not None and not bounds[0] <= n <= bounds[1]:
            raise OptionError(
                f"Option dynamic gives axis {axis} of {name!r} from {bounds[0]} to {bounds[1]}, and the sample has "
                f"{n} there. Widen the range, or compile with a sample within it."
            )
        found.setdefault(name, {})[axis] = bounds
    # A range of one extent is the sample's.
    return DynamicAxes(
        model, {n: {a: r for a, r in axes.items() if r is None or r[0] < r[1]} for n, axes in found.items()}
    )


def _batch(model: ExportedModel) -> dict[str, dict[int, Range]]:
    shapes = {n: model.specs[n].shape for n in model.inputs}
    size = next((s[0] for s in shapes.values() if s), None)
    if size is None:
        raise OptionError("Option dynamic is 'batch', and no input of the model has an axis.")
    return {n: {0: None} for n, s in shapes.items() if s and s[0] == size}


def _limits(n: int, bounds: Range) -> tuple[int, int]:
    return bounds if bounds is not None else (1, max(LARGEST, 4 * n))


def _moved(delta: int, n: int, low: int, high: int) -> int:
    if n + delta <= high:
        return n + delta
    return n - delta if n - delta >= low else high if high > n else low


def _shape(graph: Graph, entry: Entry) -> tuple[int, ...] | None:
    spec = graph.nodes[entry.node].outs[entry.output]
    return None if spec is None else spec.shape
