"""What HLO tests share: a whole block as one compilation, and a serialized module run on XLA's CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mxnet as mx
import numpy as np

from gluon_neuron.frontend.export import export
from gluon_neuron.frontend.infer import annotate
from gluon_neuron.hlo.rewrite import rewrite
from gluon_neuron.options import CompileOptions
from gluon_neuron.targets.base import DATA, WEIGHT, RegionJob
from gluon_neuron.targets.neuron.hlo_program import build
from tests.agreement import agree
from tests.doubles import xla


def whole(net: mx.gluon.HybridBlock, sample: Any, inline: bool = False) -> tuple[RegionJob, dict[str, np.ndarray]]:
    """An initialized block as one region, and the values of all its variables for the sample."""
    arrays = list(sample) if isinstance(sample, tuple) else [sample]
    model = export(net, sample)
    graph = annotate(model.symbol.tojson(remove_amp_cast=False), model.all_specs(), model.is_np)
    values = {n: p.list_data()[0].asnumpy() for n, p in model.params.items()}
    values |= {n: a.asnumpy() for n, a in zip(model.inputs, arrays)}
    names = [n.name for n in graph.variables]
    baked = [n for n in names if n not in model.inputs] if inline else []
    shown = [n for n in names if n not in baked]
    outputs = [f"output{k}" for k in range(len(graph.heads))]
    roles = {n: DATA if n in model.inputs else WEIGHT for n in shown}
    raw = {n: np.ascontiguousarray(values[n]).tobytes() for n in baked}
    return RegionJob(graph, shown, roles, outputs, CompileOptions(), raw), values


def run_module(module: bytes, values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results of a serialized HLO module for one value per parameter."""
    return xla.loaded(module)([np.ascontiguousarray(v) for v in values])


def agrees(net: mx.gluon.HybridBlock, sample: Any, inline: bool = False, tolerance: float = 2e-5) -> bytes:
    """Compare a block's module on XLA's CPU with MXNet; the tolerance is relative to the largest value. Returns it
    as the compiler gets it."""
    job, values = whole(net, sample, inline)
    program = build(job)
    assert program.inputs == tuple(job.inputs) and program.outputs == tuple(job.outputs)
    found = run_module(program.module, [values[n] for n in program.inputs])
    expected = net(*sample) if isinstance(sample, tuple) else net(sample)
    wanted = [a.asnumpy() for a in (expected if isinstance(expected, list | tuple) else [expected])]
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted):
        assert one.shape == other.shape and one.dtype == other.dtype
        assert np.isfinite(other).all() and other.std() > 0
        agree(one, other, 0, tolerance * np.abs(other).max())
    return rewrite(program.module, program.inputs, program.outputs)
