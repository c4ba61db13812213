"""Gives the memory of a model back before the next one is built."""

import gc
from collections.abc import Iterator

import mxnet as mx
import pytest


@pytest.fixture(autouse=True)
def memory_back() -> Iterator[None]:
    """Blocks hang in reference cycles: without this, several models would be held at once."""
    yield
    gc.collect()
    mx.nd.waitall()
