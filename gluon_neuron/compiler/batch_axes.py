"""Finds the axes along which a model's samples lie, and proves that they stay apart: what dynamic_batch stands on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from ..errors import InputError, OptionError
from ..frontend.infer import annotate
from ..frontend.model import ExportedModel
from ..graph.batch import BatchAxes, OutputAxis
from ..graph.branches import has_branches, unbranch
from ..graph.graph import Graph
from ..graph.spec import Spec
from ..targets.cpu.separable_graph import SamplesMeet, sample_axes, several_samples

_logger = logging.getLogger(__name__)

_MOST = 12
"""So many choices of axes are looked at."""


def batch_axes(model: ExportedModel) -> BatchAxes:
    """The axes of the samples in the model's inputs and outputs; raises OptionError where samples may meet.

    The first axis of all inputs is tried first, then others of the first two, then that some inputs are for all samples
    alike. What is proved is right for whatever it is used, so the first choice that can be proved is taken.
    """
    text = model.symbol.tojson(remove_amp_cast=False)
    text = unbranch(text) if has_branches(text) else text
    why, doubtful = "", False
    for axes in islice(_choices([model.specs[n].shape for n in model.inputs]), _MOST):
        try:
            found = _proved(model, text, axes)
        except (SamplesMeet, InputError) as error:
            why = why or str(error)
            doubtful = doubtful or isinstance(error, SamplesMeet)
            continue
        if why:
            lie = ", ".join(f"axis {a} of {n!r}" for n, a in zip(model.inputs, axes, strict=True) if a is not None)
            level = logging.WARNING if doubtful else logging.INFO
            _logger.log(
                level, "dynamic_batch: samples are taken to lie along %s, and not along the first axes: %s", lie, why
            )
        return found
    raise OptionError(
        "Option dynamic_batch runs a model on parts of a batch, and it is not proved that their results, joined, are "
        f"those of the whole. {why or 'No input has an axis that could be its batch'}. Compile without dynamic_batch: "
        "other batch sizes then are compiled when they are first met, or beforehand with batch_sizes=[...] or "
        "shapes=[...]."
    )


def _choices(shapes: Sequence[Sequence[int]]) -> Iterator[tuple[int | None, ...]]:
    """For each input an axis or None, so that all that have one hold the same number of samples; most likely first."""
    found = product(*([a for a in (0, 1) if a < len(shape)] + [None] for shape in shapes))
    consistent = [
        axes
        for axes in islice(found, 3**8)
        if len({s[a] for s, a in zip(shapes, axes, strict=True) if a is not None}) == 1
    ]
    yield from sorted(consistent, key=lambda axes: (axes.count(None), sum(a or 0 for a in axes)))


def _proved(model: ExportedModel, text: str, axes: Sequence[int | None]) -> BatchAxes:
    outputs = outputs_along(model, text, axes, {})
    sizes = (model.specs[n].shape[a] for n, a in zip(model.inputs, axes, strict=True) if a is not None)
    return BatchAxes(tuple(axes), tuple(outputs), next(sizes))


def outputs_along(
    model: ExportedModel,
    text: str,
    axes: Sequence[int | None],
    others: Mapping[str, Sequence[int]],
    most: int | None = None,
    in_order: bool = False,
) -> list[OutputAxis | None]:
    """Where samples lie in the outputs, if they lie along these axes of the inputs, one for each or None.

    What is proved is so for any number of samples, or for any up to `most`, where MXNet takes no more. `others` are
    shapes of inputs that are otherwise than the sample's. With `in_order`, samples may depend on those before them.
    Raises SamplesMeet where it is not proved, and InputError where MXNet takes no such shapes.
    """

    def for_samples(count: int) -> Graph:
        specs = model.all_specs()
        for name, axis in zip(model.inputs, axes, strict=True):
            shape = list(others.get(name, specs[name].shape))
            if axis is not None:
                shape[axis] = count
            specs[name] = Spec(tuple(shape), specs[name].dtype)
        return annotate(text, specs, model.is_np)

    one = for_samples(1)
    several = several_samples(one)
    try:
        batch = for_samples(several)
    except InputError:
        if most is None or not 3 <= most < several:
            raise
        several = next(n for n in range(most, 2, -1) if all(n % k for k in range(2, n)))
        batch = for_samples(several)
    found = sample_axes(batch, one, several, in_order)
    outputs = []
    for head, axis in zip(one.heads, found, strict=True):
        spec = one.nodes[head.node].outs[head.output]
        assert spec is not None
        outputs.append(None if axis is None else OutputAxis(axis, spec.shape[axis]))
    return outputs
