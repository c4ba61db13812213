"""Regions small enough to be lowered many times in one test, as far as a target's `prepare` takes them."""

from __future__ import annotations

import mxnet as mx
import numpy as np

from gluon_neuron.compiler.cut_region import CutRegion, cut_out
from gluon_neuron.frontend.infer import annotate
from gluon_neuron.frontend.symbol import from_symbol
from gluon_neuron.lowering.cost import worth_a_region
from gluon_neuron.options import CompileOptions
from gluon_neuron.partition.partition import partition
from gluon_neuron.targets.base import Target
from gluon_neuron.targets.refusals import refusals
from gluon_neuron.targets.registry import get_target


def dense(hidden=3, flatten=True):
    """A dense layer's symbol."""
    return mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=hidden, flatten=flatten, name="fc")


def weights(hidden=3, width=4, value=1.0):
    """The dense layer's parameters."""
    return {"fc_weight": mx.nd.full((hidden, width), value), "fc_bias": mx.nd.zeros(hidden)}


def cut(options: CompileOptions, symbol=None, args=None, shape=(2, 4), dtype="float32") -> tuple[CutRegion, Target]:
    """The only region of a symbol, and the target that the options name."""
    symbol, args = symbol if symbol is not None else dense(), weights() if args is None else args
    model = from_symbol(symbol, args, {}, {"data": mx.nd.zeros(shape, dtype=dtype)})
    graph = annotate(model.symbol.tojson(), model.all_specs(), model.is_np)
    target = get_target(options.target)
    (region,) = partition(graph, model.inputs, refusals(target, graph), worth_a_region, options).regions
    return cut_out(0, region, [graph], model, options), target


def refusal(target: str, symbol, op: str, *shapes, dtypes=()):
    """Why the first node of operator `op` cannot run on a target, as (category, sentence), or None."""
    names = [n for n in symbol.list_inputs() if n.startswith("data")]
    kinds = [*dtypes, *["float32"] * (len(names) - len(dtypes))]
    samples = {n: mx.nd.zeros(s, dtype=np.dtype(k)) for n, s, k in zip(names, shapes, kinds, strict=True)}
    model = from_symbol(symbol, {}, {}, samples)
    graph = annotate(model.symbol.tojson(), model.all_specs(), model.is_np)
    ask = refusals(get_target(target), graph)
    return ask(next(n for n in graph.operators if n.op == op))
