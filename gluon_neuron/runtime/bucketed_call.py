"""BucketedCall: runs a call in the smallest bucket that holds it, padded behind its end, and cuts the results."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mxnet as mx

from ..errors import InputError
from ..graph.buckets import Buckets, Shapes
from ..graph.spec import Spec, dtype_name
from .along_axis import cut, padded
from .asked import plain
from .front_end import shape_rules

Arrays = Sequence[mx.nd.NDArray]

MOST_SHAPES = 4096
"""So many shapes of calls are remembered."""

_logger = logging.getLogger(__name__)


class BucketedCall:
    """The buckets of a model: of its symbol, for the inputs of these names, compiled for these specs."""

    def __init__(
        self,
        buckets: Buckets,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        compiled: Sequence[Spec],
        params: Mapping[str, Any],
        is_np: bool,
    ) -> None:
        self._buckets = buckets
        self._symbol = symbol
        self._inputs = tuple(inputs)
        self._compiled = tuple(compiled)
        self._params = params
        self._is_np = is_np
        self._known: OrderedDict[Shapes, tuple[tuple[int, ...], Shapes] | None] = OrderedDict()
        self._warned = False

    def __call__(self, run: Callable[[Arrays], Arrays], arrays: Arrays) -> list[mx.nd.NDArray] | None:
        """The outputs, as arrays of mx.nd, by `run` with padded arrays; None where no bucket holds the call."""
        given = [Spec(tuple(a.shape), dtype_name(a.dtype)) for a in arrays]
        extents = self._buckets.extents(self._compiled, given)
        found = None if extents is None else self._bucket(tuple(s.shape for s in given), extents)
        if found is None:
            return None
        return self.run_in(found[0], run, arrays, found[1])

    def run_in(
        self, size: Sequence[int], run: Callable[[Arrays], Arrays], arrays: Arrays, outputs: Shapes
    ) -> list[mx.nd.NDArray]:
        """The outputs, as arrays of mx.nd, by `run` with arrays padded to a bucket, and cut to the shapes `outputs`."""
        whole = [plain(a) for a in arrays]  # the functions are those of mx.nd, whichever front end is in use
        for extent, axis in zip(size, self._buckets.axes, strict=True):
            for j, (at, place) in enumerate(axis.places):
                value = None if axis.values is None else axis.values[j]
                whole[at] = padded(whole[at], place, extent, value)
        results = [plain(a) for a in run(whole)]
        return [_cut_to(result, shape) for result, shape in zip(results, outputs, strict=True)]

    def beyond(self, arrays: Arrays) -> None:
        """Say, once, that no bucket holds a call. Raises InputError with strict=True, at every call."""
        given = ", ".join(
            f"{n!r} {Spec(tuple(a.shape), dtype_name(a.dtype))}" for n, a in zip(self._inputs, arrays, strict=True)
        )
        axes = "; ".join(
            f"{' and '.join(f'axis {k} of {self._inputs[at]!r}' for at, k in axis.places)}: "
            f"{', '.join(map(str, axis.extents))}"
            for axis in self._buckets.axes
        )
        sample = ", ".join(f"{n!r} {s}" for n, s in zip(self._inputs, self._compiled, strict=True))
        said = f"No bucket holds a call with {given}. Compiled were the buckets {axes}; and the sample, {sample}."
        if self._buckets.strict:
            raise InputError(f"{said} Name larger ones in option buckets, or cut the input; strict forbids other ways.")
        if not self._warned:
            self._warned = True
            _logger.warning(
                "%s It runs as a model without buckets does: by the CPU's program for any shape, or by MXNet. This is "
                "shown once; strict=True makes it an error.",
                said,
            )

    def _bucket(self, shapes: Shapes, extents: tuple[int, ...]) -> tuple[tuple[int, ...], Shapes] | None:
        """The extents of the bucket and the shapes of the outputs; None where none holds the call."""
        if shapes in self._known:
            return self._known[shapes]
        size = self._buckets.smallest(extents)
        found = None
        if size is not None:
            sample = tuple(s.shape for s in self._compiled)
            whole = self._outputs(self._buckets.shapes(sample, size))
            wanted = self._outputs(shapes)
            # What MXNet itself does not take, or gives another shape than is known here, is not for a bucket.
            if whole is not None and wanted is not None and self._buckets.cut(whole, extents) == wanted:
                found = size, wanted
        self._known[shapes] = found
        if len(self._known) > MOST_SHAPES:
            self._known.popitem(last=False)
        return found

    def _outputs(self, shapes: Shapes) -> Shapes | None:
        """What MXNet infers of the outputs' shapes; None where it takes no such inputs."""
        names = {*self._symbol.list_inputs()}
        known = {n: tuple(p.shape) for n, p in self._params.items() if n in names}
        known |= {n: s for n, s in zip(self._inputs, shapes, strict=True) if n in names}
        try:
            with shape_rules(self._is_np):
                found = self._symbol.infer_shape(**known)[1]
        except Exception:  # MXNet raises just that for arrays of more than 2^31 elements
            return None
        return None if found is None else tuple(map(tuple, found))


def _cut_to(array: mx.nd.NDArray, shape: Sequence[int]) -> mx.nd.NDArray:
    for axis, (there, wanted) in enumerate(zip(array.shape, shape, strict=True)):
        if there != wanted:
            array = cut(array, axis, 0, wanted)
    return array
