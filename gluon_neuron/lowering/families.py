"""Imports every operator family so that its rules register themselves."""

from . import (  # noqa: F401
    activation,
    binary,
    convolution,
    creation,
    dense,
    detection,
    indexing,
    normalization,
    ordering,
    pooling,
    reduction,
    resize,
    scalar,
    sequence,
    shaping,
    slicing,
    unary,
)
