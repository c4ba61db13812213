"""What MXNet gives for a model, where its memory does not decide the result, and with how much of a rounding error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import mxnet as mx
import numpy as np

from .agreement import flat


def expected(net: Any, given: Sequence[mx.nd.NDArray]) -> list[np.ndarray]:
    """The outputs of a net that is not hybridized."""
    with defined_regions():
        return flat(net(*given))


@contextmanager
def defined_regions() -> Iterator[None]:
    """Lets ROIAlign give zeros for regions of no image, as on MXNet's GPUs, in calls of nets and in traces of them.

    On a CPU MXNet does not write those numbers, so that they are what the memory held before; instead, for region n of
    no image, it writes a zero to the n-th number of its whole result, while other threads write there too. GluonCV's
    feature pyramids add up levels of which each has such regions.
    """
    with ExitStack() as patches:
        for front in (mx.nd, mx.sym):
            defined = _with_zeros(front, front.contrib.ROIAlign)
            patches.enter_context(mock.patch.object(front.contrib, "ROIAlign", defined))
        yield


def _with_zeros(front: Any, align: Callable[..., Any]) -> Callable[..., Any]:
    def defined(data: Any, rois: Any, *args: Any, **kwargs: Any) -> Any:
        image, corners = (front.slice_axis(rois, axis=1, begin=b, end=e) for b, e in ((0, 1), (1, 5)))
        pooled = align(data, front.concat(front.maximum(image, 0), corners, dim=1), *args, **kwargs)
        images = front.broadcast_like(front.reshape(image, (-1, 1, 1, 1)), pooled)
        return front.where(images > -1, pooled, front.zeros_like(pooled))

    return defined


def rounding(net: Any, given: Sequence[mx.nd.NDArray], results: Sequence[Sequence[np.ndarray]]) -> list[float] | None:
    """How far each of several results is from what MXNet computes in float64: the largest max|a-b| / max|b|.

    None when MXNet cannot run the net so. The net's parameters are float32 again afterwards, with the same values.
    """
    try:
        net.cast("float64")
        exact = expected(net, [a.astype("float64") for a in given])
    except mx.base.MXNetError:
        return None
    finally:
        net.cast("float32")
    return [max(map(_distance, found, exact)) for found in results]


def _distance(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.abs(found - exact).max() / (np.abs(exact).max() or 1.0))
