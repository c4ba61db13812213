"""Calls a net of the corpus as its user would, with its shadow beside it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import Block

import gluon_neuron
from tests.nets import front
from tests.untouched import blocks_of

from .corpus import RANDOM, Net
from .hook import Shadow, all_of, unchanged


@contextmanager
def front_end(name: str) -> Iterator[None]:
    """What a script does that chooses one of MXNet's front ends, until the end."""
    if name == "np":
        mx.npx.set_np()
    try:
        yield
    finally:
        mx.npx.reset_np()


def run(net: Net) -> list[Any]:
    """Everything that was compiled; raises AssertionError for whatever differs."""
    RANDOM.seed(zlib.crc32(net.name.encode()))
    block = net.make()
    held = blocks(block)
    for one in held:
        one.initialize(mx.init.Normal(net.spread))
    if net.error is not None:
        refused(net, block)
        return []
    with Shadow(net.rtol, net.atol) as shadow:
        block(*net.inputs(net.sizes[0]))
        for one in held:
            randomize(one, net.spread)
        for size in net.sizes:
            block(*net.inputs(size))
        for one in held:
            one.hybridize()
        block(*net.inputs(net.sizes[0]))
    assert shadow.compiled, "no HybridBlock was called"
    made = list(shadow.compiled.values())
    regions = sum(len(m.report.regions) for m in made)
    assert bool(regions) == net.compiled, "\n".join(str(m.report) for m in made)
    outside = {o.op for m in made for o in m.report.outside if o.category != "small"}
    assert outside == set(net.stays), "\n".join(str(m.report) for m in made)
    return made


def blocks(block: Any) -> list[Any]:
    """The block, or those that a script calls."""
    return [block] if isinstance(block, Block) else list(block.blocks)


def refused(net: Net, block: Any) -> None:
    """Assert that compile says what the net is known for, and leaves the block as it was."""
    kind, message = net.error
    given = net.inputs(net.sizes[0])
    for _ in range(2):
        before = all_of(block) if isinstance(block, mx.gluon.HybridBlock) else None
        with pytest.raises(kind, match=message):
            gluon_neuron.compile(block, given)
        if before is not None:
            unchanged(block, before)
        if net.runs:
            block(*given)  # as it is, MXNet runs it


def randomize(block: Any, spread: float) -> None:
    """Give all parameters random values, the statistics of batch norms away from 0 and 1."""
    for name, param in block.collect_params().items():
        if param._data is None or isinstance(param, mx.gluon.Constant):
            continue
        if name.endswith(("running_var", "gamma")):
            values = RANDOM.uniform(0.5, 1.5, param.shape)
        else:
            values = RANDOM.normal(0, spread, param.shape)
        param.set_data(front(mx.nd.array(values.astype(np.dtype(param.dtype)))))


def kinds(block: Any) -> set[type]:
    """The classes of the block and of all that it holds."""
    return {type(b) for one in blocks(block) for b in blocks_of(one)}
