"""What option buckets names: which axes have one extent, why padding them is harmless, and how results are cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import NoReturn

from ..errors import InputError, OptionError
from ..frontend.infer import Inference
from ..frontend.model import ExportedModel
from ..graph.batch import OutputAxis
from ..graph.branches import has_branches, unbranch
from ..graph.buckets import BucketAxis, Buckets, CutAxis, Shapes, by_size, shapes_at
from ..graph.spec import Spec
from ..options import CompileOptions
from ..targets.cpu.separable_graph import SamplesMeet
from .batch_axes import outputs_along
from .input_names import named_axes

MOST = 64
"""So many buckets may follow from the combinations of extents."""

Place = tuple[str, int]
"""An input's name, and one of its axes."""


class _Unproved(Exception):
    """It is not proved that padding is harmless, or not known where outputs are to be cut; the message says why."""


def bucket_axes(model: ExportedModel, options: CompileOptions) -> Buckets | None:
    """What is padded in calls of the model, and to what; None without option buckets.

    Raises OptionError where option buckets or padding names what the model does not have, gives too many programs, or
    padding is neither proved nor declared to be harmless; with the operator that stands in the way.
    """
    if not options.buckets:
        if options.padding:
            raise OptionError("Option padding says how the axes of option buckets are padded, and there are none.")
        return None
    return _BucketAxes(model, options).found


class _BucketAxes:
    def __init__(self, model: ExportedModel, options: CompileOptions) -> None:
        self._model = model
        self._strict = options.strict
        self._asked = {p: tuple(e) for p, e in named_axes(model, options.buckets or {}, "buckets").items()}
        self._declared = named_axes(model, options.padding or {}, "padding")
        for name, axis in self._declared:
            if (name, axis) not in self._asked:
                raise OptionError(f"Option padding names axis {axis} of {name!r}, which is no axis of option buckets.")
            _check_value(model, name, self._declared[name, axis])
        text = model.symbol.tojson(remove_amp_cast=False)
        self._text = unbranch(text) if has_branches(text) else text
        self._inference = Inference(self._text, model.is_np)
        self._sample: Shapes = tuple(model.specs[n].shape for n in model.inputs)

    @cached_property
    def found(self) -> Buckets:
        groups = self._groups()
        axes = [self._axis(group, ()) for group in groups]
        sizes = [*product(*(a.extents for a in axes)), tuple(self._extent(group) for group in groups)]
        if len(set(sizes)) > MOST:
            counts = " times ".join(str(len(a.extents)) for a in axes)
            raise OptionError(
                f"Option buckets gives {counts} programs, and {MOST} is the most. Name fewer extents, or axes that "
                "have one extent with the same buckets."
            )
        ladder = by_size(axes, self._sample, sizes)
        for size in ladder:
            if self._outputs(axes, size) is None:
                self._refuse(axes, size)
        corners = dict.fromkeys((*_corners(axes), sizes[-1]))
        for k, group in enumerate(groups):
            axes[k] = self._axis(group, self._cuts(axes, k, group, list(corners)))
        self._check(axes, ladder)
        return Buckets(tuple(axes), ladder, self._strict)

    def _refuse(self, axes: Sequence[BucketAxis], size: Sequence[int]) -> NoReturn:
        shapes = shapes_at(axes, self._sample, size)
        given = {n: Spec(s, self._model.specs[n].dtype) for n, s in zip(self._model.inputs, shapes, strict=True)}
        what = f"Option buckets has a bucket for {self._shown(axes, size)}"
        try:
            self._inference.annotate({**self._model.all_specs(), **given})
        except InputError as error:
            if shapes == self._sample:
                raise
            raise InputError(f"{what}. Name all axes that change together. {error}") from error
        raise OptionError(
            f"{what}, and for it MXNet infers other weights than there are, or knows some shapes only once it has "
            "computed, so that no results can be cut."
        )

    def _axis(self, group: Sequence[Place], cuts: Sequence[CutAxis]) -> BucketAxis:
        places = tuple((self._model.inputs.index(name), axis) for name, axis in group)
        declared = [p for p in group if p in self._declared]
        if declared and len(declared) < len(group):
            lacking = next(p for p in group if p not in self._declared)
            raise OptionError(
                f"Option padding names {_place(declared[0])}, which has one extent with {_place(lacking)}: name both."
            )
        values = tuple(self._declared[p] for p in group) if declared else None
        return BucketAxis(places, self._asked[group[0]], tuple(cuts), values)

    def _extent(self, group: Sequence[Place]) -> int:
        name, axis = group[0]
        return self._model.specs[name].shape[axis]

    def _groups(self) -> list[list[Place]]:
        """The places that have one extent, in the order in which they were named."""
        alike: dict[tuple[int, tuple[int, ...]], list[Place]] = {}
        for place, extents in self._asked.items():
            alike.setdefault((self._extent([place]), extents), []).append(place)
        found: list[list[Place]] = []
        for (_, extents), places in alike.items():
            apart = [p for p in places if len(places) > 1 and self._goes_alone(p, extents)]
            found += [[p] for p in apart]
            if len(apart) < len(places):
                found.append([p for p in places if p not in apart])
        return sorted(found, key=lambda group: list(self._asked).index(group[0]))

    def _goes_alone(self, place: Place, extents: Sequence[int]) -> bool:
        """Whether MXNet lets the place have another extent than those that could be one with it."""
        large = {p: max(e) for p, e in self._asked.items()}
        # An extent of 1 would be broadcast.
        others = [e for e in extents if 1 < e < max(extents)] + [max(extents) + 1]
        return any(self._graph({**large, place: e}) is not None for e in others)

    def _graph(self, extents: Mapping[Place, int]) -> Shapes | None:
        """The shapes of the outputs for these extents of the inputs; None where MXNet takes none such."""
        shapes = {n: list(s) for n, s in zip(self._model.inputs, self._sample, strict=True)}
        for (name, axis), extent in extents.items():
            shapes[name][axis] = extent
        given = {n: tuple(s) for n, s in shapes.items()}
        graph = self._inference.at_shapes(self._model.all_specs(), given)
        if graph is None:
            return None
        specs = [graph.nodes[h.node].outs[h.output] for h in graph.heads]
        return tuple(s.shape for s in specs if s is not None)

    def _outputs(self, axes: Sequence[BucketAxis], size: Sequence[int]) -> Shapes | None:
        return self._graph(
            {(self._model.inputs[at], k): n for a, n in zip(axes, size, strict=True) for at, k in a.places}
        )

    def _cuts(
        self, axes: Sequence[BucketAxis], k: int, group: Sequence[Place], corners: Sequence[tuple[int, ...]]
    ) -> list[CutAxis]:
        """Which axes of the outputs follow an extent, where padding it is harmless; raises OptionError."""
        try:
            if axes[k].values is not None:
                return self._cuts_by_inference(axes, k, corners)
            every = [self._proved(axes, k, corner) for corner in corners]
            if any(cuts != every[0] for cuts in every):
                raise _Unproved("what follows it in the outputs is otherwise for other extents of the other axes")
            return every[0]
        except _Unproved as why:
            shown = " and ".join(_place(p) for p in group)
            if axes[k].values is not None:
                raise OptionError(f"Option buckets pads {shown}, and results cannot be cut: {why}.") from why
            said: dict[str, str] = {}
            for name, axis in group:
                said[name] = said[name] + f", {axis}: 0" if name in said else f"{axis}: 0"
            example = ", ".join(f"{name!r}: {{{axes_}}}" for name, axes_ in said.items())
            raise OptionError(
                f"Option buckets pads {shown}, and it is not proved that what is added has no influence on the rest: "
                f"{why}. If the model itself ignores what lies behind the end, as a valid length that it is given can "
                f"make it do, declare that with the values to pad with, padding={{{example}}}, and compare by verify. "
                "Otherwise compile for the exact shapes with shapes=[...]."
            ) from why

    def _proved(self, axes: Sequence[BucketAxis], k: int, corner: Sequence[int]) -> list[CutAxis]:
        along: list[int | None] = [None] * len(self._model.inputs)
        for at, axis in axes[k].places:
            if along[at] is not None:
                raise _Unproved(f"two axes of {self._model.inputs[at]!r} have one extent, of which nothing is proved")
            along[at] = axis
        shapes = dict(zip(self._model.inputs, shapes_at(axes, self._sample, corner), strict=True))
        try:
            found = outputs_along(self._model, self._text, along, shapes, max(axes[k].extents), in_order=True)
        except SamplesMeet as why:
            # Which are what lies along a batch.
            raise _Unproved(str(why).replace("samples", "positions")) from why
        except InputError as why:
            raise _Unproved(f"it is looked at with extents that MXNet does not take. {why}".rstrip(".")) from why
        return [CutAxis(i, o.axis, o.rows) for i, o in enumerate(found) if isinstance(o, OutputAxis)]

    def _cuts_by_inference(
        self, axes: Sequence[BucketAxis], k: int, corners: Sequence[tuple[int, ...]]
    ) -> list[CutAxis]:
        every: list[list[CutAxis]] = []
        for corner in corners:
            known = dict(self._for_extents(axes, k, corner))
            if len(known) < 2:
                raise _Unproved("MXNet takes too few extents of it to tell how the outputs follow")
            every.append(_step_by_step(known))
        if any(cuts != every[0] for cuts in every):
            raise _Unproved("what follows it in the outputs is otherwise for other extents of the other axes")
        return every[0]

    def _for_extents(self, axes: Sequence[BucketAxis], k: int, corner: Sequence[int]) -> Iterator[tuple[int, Shapes]]:
        extents = axes[k].extents
        top = extents[-1]
        for n in sorted({*extents, *range(max(1, top - 3), top + 1), max(1, top // 2)}):
            found = self._outputs(axes, [n if i == k else e for i, e in enumerate(corner)])
            if found is not None:
                yield n, found

    def _check(self, axes: Sequence[BucketAxis], ladder: Sequence[tuple[int, ...]]) -> None:
        """Raise OptionError where cut results would not have the shapes that MXNet infers for the call itself."""
        buckets = Buckets(tuple(axes), tuple(ladder))
        for size in dict.fromkeys((ladder[0], ladder[len(ladder) // 2], ladder[-1])):
            for less in (1, 2):
                extents = [max(1, n - less) for n in size]
                whole, wanted = self._outputs(axes, size), self._outputs(axes, extents)
                if whole is None or wanted is None or buckets.cut(whole, extents) == wanted:
                    continue
                raise OptionError(
                    f"Option buckets pads {self._shown(axes, extents)} to {self._shown(axes, size)}, and results "
                    f"cannot be cut: the outputs have the shapes {list(wanted)} for the former and {list(whole)} for "
                    "the latter, in which no axis follows one extent alone. Compile with shapes=[...]."
                )

    def _shown(self, axes: Sequence[BucketAxis], size: Sequence[int]) -> str:
        shapes = shapes_at(axes, self._sample, size)
        return ", ".join(f"{n} {s}" for n, s in zip(self._model.inputs, shapes, strict=True))


def _step_by_step(known: Mapping[int, Shapes]) -> list[CutAxis]:
    """The axes of outputs that follow an extent, where the outputs' shapes are `known` for some extents."""
    points = list(known)
    high = points[-1]
    if len({tuple(map(len, shapes)) for shapes in known.values()}) > 1:
        raise _Unproved("outputs have other numbers of axes for other extents")
    found = []
    for i, shape in enumerate(known[high]):
        for axis, n in enumerate(shape):
            if all(known[p][i][axis] == n for p in points):
                continue
            offset = n - high
            # With more steps than the input has, it is not known which of them come from what was padded.
            if offset > 0 or any(known[p][i][axis] != p + offset for p in points):
                seen = ", ".join(f"{known[p][i][axis]} for {p}" for p in points)
                raise _Unproved(f"axis {axis} of output {i} does not follow it step by step, its extent is {seen}")
            found.append(CutAxis(i, axis, 1, offset))
    return found


def _corners(axes: Sequence[BucketAxis]) -> list[tuple[int, ...]]:
    """The least and the largest extents of all."""
    return [tuple(a.extents[0] for a in axes), tuple(a.extents[-1] for a in axes)]


def _place(place: Place) -> str:
    name, axis = place
    return f"axis {axis} of {name!r}"


def _check_value(model: ExportedModel, name: str, value: float) -> None:
    dtype = model.specs[name].dtype
    if "float" not in dtype and value != int(value):
        raise OptionError(f"Option padding pads {name!r}, which is {dtype}, with {value}; it holds whole numbers.")
