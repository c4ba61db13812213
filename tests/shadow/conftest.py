"""Lets the garbage collector look at what the nets leave alone, not at all that was imported: a sixth of the time."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def frozen() -> Iterator[None]:
    """What is there before the first net stays out of collections."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.collect()
