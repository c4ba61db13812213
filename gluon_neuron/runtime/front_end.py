"""Chooses MXNet's front end for a while, whichever the program has chosen for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import mxnet as mx


@contextmanager
def front_end(is_np: bool) -> Iterator[None]:
    """Inside, new arrays and the shapes of symbols are those of mx.np, or those of mx.nd."""
    with shape_rules(is_np), mx.util.np_array(is_np):
        yield


@contextmanager
def shape_rules(is_np: bool) -> Iterator[None]:
    """Inside, shapes are those of mx.np, where 0 is a length, or those of mx.nd, where it is an unknown one."""
    with ExitStack() as stack:
        if not is_np:
            stack.enter_context(mx.util.np_array(False))  # MXNet does not let go of mx.np's shapes before its arrays
        stack.enter_context(mx.util.np_shape(is_np))
        yield
