"""Tries on the sample what option padding declares, and says where the sample's own results show that it is not so."""

from __future__ import annotations

import logging

import mxnet as mx
import numpy as np

from ..block import NeuronHybridBlock
from ..engine import native_library
from ..errors import OptionError
from ..frontend.model import ExportedModel
from ..graph.buckets import BucketAxis
from ..options import CompileOptions
from ..runtime.asked import plain

_EXACT, _CAST = 1e-3, 5e-2
"""How much of an output's range a padded sample's results may be off, in float32 and where types are cast."""

_logger = logging.getLogger(__name__)


def try_declared(block: NeuronHybridBlock, model: ExportedModel, options: CompileOptions) -> None:
    """Run the sample in the next larger bucket too; where results differ, warn, or raise OptionError with strict=True.

    Nothing is tried where no bucket is larger than the sample along an axis that is declared.
    """
    buckets, bucketed = block._metadata.buckets, block._bucketed
    if buckets is None or bucketed is None or model.sample is None:
        return
    declared = [k for k, axis in enumerate(buckets.axes) if axis.values is not None]
    specs = block._metadata.specs
    own = buckets.extents(specs, specs)
    larger = (
        size
        for size in buckets.sizes
        if own and all(n <= m for n, m in zip(own, size, strict=True)) and any(size[k] > own[k] for k in declared)
    )
    size = next(larger, None)
    if own is None or size is None:
        return
    held = next(iter(block.collect_params().values()), None)
    arrays = [a if held is None else a.as_in_context(held.list_ctx()[0]) for a in model.sample]
    before = native_library.stats()["fallbacks"]
    try:
        with native_library.cpu_allowed():
            wanted = [plain(a).asnumpy() for a in block._run_whole(arrays)]
            shapes = tuple(a.shape for a in wanted)
            found = [a.asnumpy() for a in bucketed.run_in(size, block._run_whole, arrays, shapes)]
    except mx.base.MXNetError as error:
        _logger.info("what option padding declares could not be tried on the sample: %s", error)
        return
    if native_library.stats()["fallbacks"] != before:
        block._sessions.clear()  # the first call of the user's is to say that there is no chip
    limit = _EXACT if options.auto_cast == "none" else _CAST
    off = [(_off(a, b), i) for i, (a, b) in enumerate(zip(found, wanted, strict=True))]
    most, output = max(off, default=(0.0, 0))
    if most <= limit:
        return
    padded = " and ".join(
        f"{_places(model, buckets.axes[k])} from {own[k]} to {size[k]}" for k in declared if size[k] > own[k]
    )
    said = (
        f"Option padding declares that padding does no harm, and padding {padded} changes the results of the sample "
        f"itself: output {output} is off by {most:.2g} of its range. Unless the sample is not what the model is meant "
        "for (a valid length of 0, or beyond the sample's end), such padding gives wrong results: leave the axis out "
        "of option buckets."
    )
    if options.strict:
        raise OptionError(said)
    _logger.warning("%s", said)


def _places(model: ExportedModel, axis: BucketAxis) -> str:
    return " and ".join(f"axis {k} of {model.inputs[at]!r}" for at, k in axis.places)


def _off(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference as a share of the range; what is not finite in what is wanted does not count."""
    if not wanted.size:
        return 0.0
    a, b = found.astype("float64"), wanted.astype("float64")
    counts = np.isfinite(b)
    if not counts.any():
        return 0.0
    difference = np.abs(np.where(counts, a - b, 0))
    largest = float(np.abs(b[counts]).max())
    return float(np.nan_to_num(difference, nan=np.inf).max()) / (largest or 1.0)
