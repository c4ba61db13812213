"""What Gluon does with numbers and must not do with an artifact, whoever made its Parameter.

`mxnet_patches` puts these functions in the place of MXNet's; each gets the function that it replaces first. Plain
`SymbolBlock.imports` makes a plain Parameter of an artifact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mxnet as mx
import numpy as np

from ..graph.subgraph import ARTIFACT_SUFFIX
from .mxnet_private import first_copy


def reduce(original: Callable[..., Any], param: mx.gluon.Parameter) -> mx.nd.NDArray:
    """`Parameter._reduce`, which saving and moving go through: the mean of all contexts, whose sum would wrap."""
    return first_copy(param) if _is_artifact(param) else original(param)


def cast(original: Callable[..., Any], param: mx.gluon.Parameter, dtype: Any) -> None:
    """`Parameter.cast`: an artifact's bytes are not numbers."""
    original(param, np.uint8 if _is_artifact(param) else dtype)


def _is_artifact(param: mx.gluon.Parameter) -> bool:
    return bool(param.name.endswith(ARTIFACT_SUFFIX)) and np.dtype(param.dtype) == np.uint8
