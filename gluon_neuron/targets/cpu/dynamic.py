"""Derives one program for all shapes of a region's data from its programs for some of them, and checks it.

The region is lowered at several shapes (`dynamic_axes` says which), the programs are listed side by side
(`dynamic_listing`), and what differs is computed from extents at each call (`dynamic_forms`, `dynamic_rewrite`). Then
results are compared with those of static programs for shapes of which it was not derived (`dynamic_check`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...artifact.container import Payload
from ...dialect.in_openvino.importing import import_openvino
from ...errors import CompileError
from ...graph.graph import Graph
from ...lowering.known import known_from_shapes
from ...refusal import Category
from ..base import RegionJob, signature
from ..refusals import refusals
from .bf16_products import marks_of_new
from .dynamic_axes import (
    Chosen,
    FreeExtent,
    Place,
    Shapes,
    at,
    far,
    free_extents,
    held_out,
    highest,
    lowest,
    near,
    others,
    steps,
    with_all_remainders,
)
from .dynamic_check import Checker
from .dynamic_listing import Axis, Differences, Listed, NotDynamic, TooFewExtents, differences, listing
from .dynamic_rewrite import make_dynamic
from .ir import PreparedModel, prepare_model, serialize
from .target import CpuTarget, cast_here, engine_config, lowered
from .walk import walk

ENGINE = "openvino-dynamic"
"""What a payload names as its engine; readers that do not know it leave it out."""

_LEAST_OTHERS = 3
"""An extent is free only if MXNet takes so many others of those that are tried."""

_LARGEST_KNOWN = 1 << 22
"""Elements of a table that follows from shapes, which is computed while a region is lowered."""

_KEPT_SHAPES = 32
"""OpenVINO keeps the kernels that it has made, for so many shapes at least: those that came last. For others they are
made again as at first, which takes longer than a small net's call; those of attention have most of a megabyte each."""

_HEAVY = frozenset(
    (
        "MatMul",
        "Convolution",
        "ConvolutionBackpropData",
        "GroupConvolution",
        "LSTMSequence",
        "GRUSequence",
        "RNNSequence",
    )
)

_MOST_SETTLED, _MOST_STEPS = 6, 4
"""So many axes of which few values are seen are looked at further, if they have no more values than that and one."""

Extents = tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """The region's program for one shape."""

    extents: Extents
    prepared: PreparedModel
    nodes: list[Listed]


def dynamic_payload(job: RegionJob) -> tuple[Payload, Mapping[tuple[Place, str], str]]:
    """The region's program for other shapes than the compiled ones, and why ranges end before what was asked for: by
    place and end, "low" or "high". Raises NotDynamic with the reason for none.
    """
    if job.options.dynamic is False:
        raise NotDynamic("the option dynamic=False says so")
    if job.values:
        raise NotDynamic("its weights are baked in, and would be kept a second time")
    if job.for_shapes is None or job.weight is None:
        raise NotDynamic("it is only known at one shape")
    if not job.data:
        raise NotDynamic("it reads no data")
    family = _Family(job)
    free = family.ranges()
    family.look_at_remainders(free)
    base, prepared = family.samples[0], family.samples[0].prepared
    checks = family.held_out(free)
    found = family.differences(free, checks)
    places = [p for e in free for p in e.places]
    parameters = {n: prepared.nodes[n] for n in prepared.data}
    cast = cast_here(job.options)
    if cast != "none":
        _same_marks([*family.samples, *checks], found, cast)
    kernels = _kernels(base.nodes, set(prepared.data))
    before = {n.get_friendly_name() for n in prepared.model.get_ordered_ops()}
    make_dynamic(prepared.model, base.nodes, found, parameters, places)
    if cast != "none":
        prepared = replace(prepared, float32=prepared.float32 | marks_of_new(prepared.model, before))
    config = engine_config(job.options, cast) | {"CPU_RUNTIME_CACHE_CAPACITY": str(_KEPT_SHAPES * kernels)}
    checker = Checker(job.weight, config)
    if not checker.can():
        raise NotDynamic("the process is forked, so that it cannot be checked here")
    checker.check(prepared.model, [s.prepared.model for s in checks], prepared.data, prepared.float32)
    data, written = serialize(prepared, job)
    index = {n: i for i, n in enumerate(job.inputs)}
    ranges = [
        {"axes": [[index[n], axis] for n, axis in e.places], "low": e.low, "high": e.high, "step": e.step} for e in free
    ]
    payload = Payload(
        target=CpuTarget.name,
        engine=ENGINE,
        engine_version=import_openvino().__version__.split("-")[0],
        signature=signature(job, prepared.roles),
        program={**written, "config": config, "free": ranges},
        data=data,
    )
    return payload, family.ended


def _kernels(nodes: Sequence[Listed], data: Set[str]) -> int:
    """How many kernels of one kind a shape takes at most: layers that are alike share theirs, and products with weights
    are another kind than those of data."""
    alike: dict[tuple[str, int], set[tuple[Any, ...]]] = {}
    for node, (_, moving) in zip(nodes, walk([n.node for n in nodes], data, set()), strict=True):
        if node.kind in _HEAVY:
            read = tuple(nodes[i].shapes[output] for i, output in node.inputs)
            kernel = read, node.shapes, str(sorted(node.attributes.items()))
            alike.setdefault((node.kind, sum(moving)), set()).add(kernel)
    return max(map(len, alike.values()), default=1)


def _same_marks(samples: Sequence[Sample], found: Differences, cast: str) -> None:
    """Raise NotDynamic where programs do not agree about what stays in float32, or a node that says so would go."""
    if any(s.prepared.float32 != samples[0].prepared.float32 for s in samples):
        raise NotDynamic(f"with auto_cast={cast!r}, other operators are in float32 at other shapes")
    for i, _ in found.bounds:
        node = samples[0].nodes[i]
        if cast == "matmult" or node.node.get_friendly_name() in samples[0].prepared.float32:
            raise NotDynamic(f"with auto_cast={cast!r}, {node.name} cannot have other bounds at other shapes")


class _Family:
    """The programs of one region at several shapes, the first of which is to become the dynamic one."""

    def __init__(self, job: RegionJob) -> None:
        self._job = job
        specs = {n.name: n.out for n in job.graph.variables}
        self._shapes = {n: specs[n].shape for n in job.data}
        self._graphs: dict[tuple[tuple[int, ...], ...], Graph | None] = {}
        self._why = ""
        self.ended: dict[tuple[Place, str], str] = {}
        self._free = free_extents(self._shapes, self._fits, job.dynamic_axes)
        self._choices = self._others()
        if not self._free:
            raise NotDynamic(_none(self._shapes, job.dynamic_axes))
        self.samples = self._first()

    def ranges(self) -> list[FreeExtent]:
        """The free extents with the ranges in which the program was looked at; `samples` has what was seen there."""
        free = self._with_compiled()
        free = self._end(free, highest, "high")
        return self._end(free, lowest, "low")

    def look_at_remainders(self, free: Sequence[FreeExtent]) -> None:
        """Add programs from all over the ranges; that all are one is seen when they are compared."""
        looks = [with_all_remainders(e) for e in free]
        for turn in range(max(map(len, looks))):
            sample = self._sample(tuple(extents[turn % len(extents)] for extents in looks))
            if sample is not None:
                self.samples.append(sample)

    def held_out(self, free: Sequence[FreeExtent]) -> list[Sample]:
        """Programs to check on: one for extents that are odd, one for the least of the first."""
        found: list[Sample] = []
        choices = [[n for n in held_out(e) if n not in self._seen(k)] for k, e in enumerate(free)]
        if not any(choices):
            choices = [list(held_out(e)) for e in free]  # of so short a range every extent was looked at
        for turn in range(max(map(len, choices), default=0)):
            extents = [c[min(turn, len(c) - 1)] if c else e.compiled for c, e in zip(choices, free, strict=True)]
            if found and free[0].low < extents[0]:
                extents[0] = free[0].low
            sample = self._sample(tuple(extents))
            if sample is None:
                continue
            differences([s.nodes for s in (*self.samples, *found, sample)])
            found.append(sample)
            if len(found) == 2:
                break
        if not found:
            raise NotDynamic("there is no shape to check it on")
        return found

    def differences(self, free: Sequence[FreeExtent], checks: Sequence[Sample]) -> Differences:
        """What differs between all programs. Where few values of an extent were seen, it is looked at further away,
        and then to both sides of each value's end: what is the same there is the same everywhere in the range."""
        settled: set[Axis] = set()
        for look in (self._look_further, *[self._look_at_steps] * _MOST_SETTLED):
            try:
                return differences([s.nodes for s in (*self.samples, *checks)], True, settled)
            except TooFewExtents as why:
                look(free, why)
                if look == self._look_at_steps:
                    settled.add(why.axis)
        return differences([s.nodes for s in (*self.samples, *checks)], True, settled)

    def _look_further(self, free: Sequence[FreeExtent], why: TooFewExtents) -> None:
        choices = [list(far(e)) for e in free]
        for turn in range(max(map(len, choices))):
            extents = [c[(turn + k) % len(c)] if c else free[k].low for k, c in enumerate(choices)]
            self._takes(self._sample(tuple(extents)))

    def _look_at_steps(self, free: Sequence[FreeExtent], why: TooFewExtents) -> None:
        """Add programs for extents on both sides of each that changes the axis; raise `why` where it is not to be."""
        name, output, axis = why.axis
        middle = self.samples[0].extents

        def extent(n: int, k: int) -> int | None:
            graph = self._graph(at(self._shapes, self._free, (*middle[:k], n, *middle[k + 1 :])))
            spec = next((o.outs.get(output) for o in graph.operators if o.name == name), None) if graph else None
            return spec.shape[axis] if spec is not None and axis < len(spec.shape) else None

        moving = [k for k, e in enumerate(free) if extent(e.low, k) != extent(e.high, k)]
        ends = steps(partial(extent, k=moving[0]), free[moving[0]], _MOST_STEPS) if len(moving) == 1 else None
        if not ends:
            raise why
        for n in ends:
            for side in (n - free[moving[0]].step, n):
                refused = self._takes(self._sample((*middle[: moving[0]], side, *middle[moving[0] + 1 :])))
                if refused:
                    raise NotDynamic(refused)

    def _seen(self, k: int) -> set[int]:
        return {s.extents[k] for s in self.samples}

    def _others(self) -> list[list[int]]:
        """Other extents that MXNet takes; what takes too few of them is not free."""
        choices = [list(others(e)) for e in self._free]
        ends = [[c[min(turn, len(c) - 1)] for c in choices] for turn in (0, 3)] if all(choices) else [[]]
        if all(ends) and all(self._fits(at(self._shapes, self._free, end)) for end in ends):
            return choices
        for e, c in zip(self._free, choices, strict=True):
            c[:] = [n for n in c if self._fits(at(self._shapes, [e], [n]))]
            if len(c) < _LEAST_OTHERS and self._job.dynamic_axes is not None:
                c += [n for n in near(e) if n not in c and self._fits(at(self._shapes, [e], [n]))]
        kept = [k for k, c in enumerate(choices) if len(c) >= _LEAST_OTHERS]
        self._free = [self._free[k] for k in kept]
        return [choices[k] for k in kept]

    def _first(self) -> list[Sample]:
        """Each extent changed alone and all together, apart from what was compiled, which may be a special case."""
        choices = self._choices
        middle = tuple(c[0] for c in choices)
        wanted = [middle]
        wanted += [(*middle[:k], c[1], *middle[k + 1 :]) for k, c in enumerate(choices)]
        wanted += [tuple(c[min(turn, len(c) - 1)] for c in choices) for turn in (2,)]
        samples = [s for s in map(self._sample, dict.fromkeys(wanted)) if s is not None]
        if len(samples) < 2 or samples[0].extents != middle:
            raise NotDynamic(self._why or "MXNet infers no shapes for several of the extents that may change")
        differences([s.nodes for s in samples])
        return samples

    def _with_compiled(self) -> list[FreeExtent]:
        """The free extents; without 1 where the program for what was compiled is a special case for it."""
        compiled = self._sample(tuple(e.compiled for e in self._free))
        why = self._takes(compiled)
        if not why:
            return self._free
        if all(e.compiled > 1 for e in self._free):
            raise NotDynamic(why)
        # It may as well be for the other extents.
        several = self._sample(tuple(max(2, e.compiled) for e in self._free))
        why = self._takes(several) if several is not None else ""
        if why:
            raise NotDynamic(why)
        return [replace(e, low=max(2, e.low)) if e.compiled == 1 else e for e in self._free]

    def _takes(self, sample: Sample | None) -> str:
        """Add a program to the samples, or say why it is not one with them."""
        if sample is None:
            return self._why or "MXNet infers no shapes for it"
        try:
            differences([s.nodes for s in (*self.samples, sample)])
        except NotDynamic as why:
            return str(why)
        self.samples.append(sample)
        return ""

    def _end(
        self, free: list[FreeExtent], choices: Callable[[FreeExtent], Iterable[int]], end: str
    ) -> list[FreeExtent]:
        """The free extents with one end of their ranges at what was looked at, all together or each by itself."""
        whole = tuple(next(iter(choices(e)), e.compiled) for e in free)
        if not self._takes(self._sample(whole)):
            return [_ending(e, end, n) for e, n in zip(free, whole, strict=True)]
        found = []
        for k, extent in enumerate(free):
            middle = self.samples[0].extents
            tried = list(choices(extent))
            if end == "low":
                tried.insert(1, self._least(free, k, extent))
            for n in tried:
                why = self._takes(self._sample((*middle[:k], n, *middle[k + 1 :])))
                if not why:
                    break
                for place in extent.places:
                    self.ended.setdefault((place, end), why)
            else:
                seen = [n for n in self._seen(k) if extent.low <= n <= extent.high]
                if not seen:
                    raise NotDynamic(f"it takes another form for extents from {extent.low} to {extent.high}")
                n = (max if end == "high" else min)(seen)
            found.append(_ending(extent, end, n))
        return found

    def _least(self, free: Sequence[FreeExtent], k: int, extent: FreeExtent) -> int:
        """The least extent that MXNet takes, if it takes all larger ones."""
        middle = list(self.samples[0].extents)
        low, high = 0, (extent.compiled - extent.asked_low) // extent.step  # in steps
        while low < high:
            half = (low + high) // 2
            middle[k] = extent.asked_low + half * extent.step
            if self._fits(at(self._shapes, free, middle)):
                high = half
            else:
                low = half + 1
        return extent.asked_low + low * extent.step

    def _fits(self, shapes: Shapes) -> bool:
        return self._graph(shapes) is not None

    def _graph(self, shapes: Shapes) -> Graph | None:
        key = tuple(shapes[n] for n in self._shapes)
        if key not in self._graphs:
            assert self._job.for_shapes is not None
            self._graphs[key] = self._job.for_shapes(shapes)
        return self._graphs[key]

    def _sample(self, extents: Extents) -> Sample | None:
        """The program for these extents; None, and `_why`, where there is none."""
        shapes = at(self._shapes, self._free, extents)
        graph = self._graph(shapes)
        if graph is None:
            self._why = f"MXNet infers no shapes for data of shape {_shown(shapes)}"
            return None
        known = known_from_shapes(graph)
        if any(s is not None and s.size > _LARGEST_KNOWN for i in known for s in graph.nodes[i].outs.values()):
            self._why = f"for data of shape {_shown(shapes)}, a table that follows from shapes would be too large"
            return None
        refusal = refusals(CpuTarget(), graph)
        for node in graph.operators:
            why = refusal(node)
            if why is not None and why.category is not Category.SLOWER:
                self._why = f"for data of shape {_shown(shapes)}, {node} is not compiled: {why.sentence}"
                return None
        try:
            xp, outputs = lowered(graph, True)
            prepared = prepare_model(xp, outputs, replace(self._job, graph=graph), cast_here(self._job.options), True)
            return Sample(extents, prepared, listing(prepared.model, set(prepared.data)))
        except (CompileError, NotDynamic) as error:
            self._why = f"for data of shape {_shown(shapes)}, {error}"
            return None


def _ending(extent: FreeExtent, end: str, n: int) -> FreeExtent:
    return replace(extent, low=n) if end == "low" else replace(extent, high=n)


def _none(shapes: Shapes, chosen: Chosen | None) -> str:
    """Why nothing may change."""
    if chosen is None:
        return "no extent of its data may change alone"
    named = [(name, axis) for name, axes in chosen.items() for axis in axes]
    extents = {shapes[name][axis] for name, axis in named}
    every = [(name, axis) for name, shape in shapes.items() for axis, n in enumerate(shape) if n in extents]
    alike = _places([p for p in every if p not in named])
    more = f"; {alike} has the same extent in the sample, and axes that change together are all to be named"
    return f"MXNet takes no other extent, or too few, of {_places(named)} alone{more if alike else ''}"


def _places(places: Sequence[Place]) -> str:
    shown = ", ".join(f"axis {axis} of {name}" for name, axis in places[:4])
    return shown + (f" and {len(places) - 4} more" if len(places) > 4 else "")


def _shown(shapes: Shapes) -> str:
    return ", ".join(f"{n} {s}" for n, s in shapes.items())
