"""The ways in which a compiled graph is used; each compares with what MXNet computes, operator by operator."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from hypothesis import strategies as st

import gluon_neuron
from gluon_neuron.errors import InputError, OptionError
from tests.agreement import agree

from .graph import DrawnGraph, Step
from .operators import drawn_graph

RTOL, ATOL = 1e-3, 1e-4
_AMPLIFIED = 30
"""How many times as far as MXNet's own results move when its inputs do in their last digits, others may be off."""

Draw = Callable[[Any], Any]


class Computed(mx.gluon.Parameter):
    """A parameter whose data() makes a new array each time."""

    scale = 1.0

    def data(self, ctx: Any = None) -> Any:
        """The array times the scale."""
        return super().data(ctx) * self.scale


def compile_(graph: DrawnGraph, net: Any = None, **options: Any) -> Any:
    """The graph compiled, with every operator forced into a region that can be in one."""
    net = net or graph.block()
    given = {name: mx.nd.array(graph.inputs[name]) for name in graph.read()}
    names = sorted({s.name for s in graph.steps if isinstance(s, Step)} & _nodes(net))
    return gluon_neuron.compile(net, given, include_nodes=names, **options)


def _nodes(net: Any) -> set[str]:
    symbol = net._get_graph(*[mx.nd.zeros((1,))] * len(net._cached_graph[0]))[1] if net._cached_graph else net
    return {name.rsplit("_output", 1)[0] for name in symbol.get_internals().list_outputs()}


def expected(graph: DrawnGraph, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[Any]:
    """Of each output its values, and how far others may be off."""
    random = np.random.default_rng(0)

    def moved(values: Mapping[str, Any]) -> dict[str, Any]:
        factors = {n: 1 + 1e-6 * random.uniform(-1, 1, np.shape(v)).astype("float32") for n, v in values.items()}
        return {n: mx.nd.array(v if n in graph.exact else v * factors[n]) for n, v in values.items()}

    values = [{n: mx.nd.array(v) for n, v in given.items()} for given in (inputs, parameters)]
    found = graph.run(*values)
    others = graph.run(moved(inputs), moved(parameters))
    return [(a.asnumpy(), _AMPLIFIED * np.abs(a.asnumpy() - b.asnumpy())) for a, b in zip(found, others, strict=True)]


def check(found: Any, wanted: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Assert that the outputs are those expected."""
    flat = found if isinstance(found, list | tuple) else [found]
    assert len(flat) == len(wanted)
    for one, (value, slack) in zip(flat, wanted, strict=True):
        array = one.asnumpy()
        assert array.shape == value.shape and array.dtype == value.dtype
        off = np.abs(array - value)
        allowed = ATOL + RTOL * np.abs(value) + slack
        if not (off <= allowed).all():
            agree(array, value, RTOL, ATOL)  # says where


def _changed(values: Mapping[str, np.ndarray], exact: set[str], seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        n: v if n in exact else (v * random.uniform(0.5, 1.5, v.shape)).astype("float32") for n, v in values.items()
    }


def _arrays(graph: DrawnGraph, inputs: Mapping[str, np.ndarray]) -> list[Any]:
    return [mx.nd.array(inputs[name]) for name in graph.read()]


def called_again(graph: DrawnGraph, draw: Draw) -> Any:
    """Other inputs, and weights that are changed in place and set anew between calls."""
    compiled = compile_(graph)
    check(compiled(*_arrays(graph, graph.inputs)), expected(graph, graph.inputs, graph.parameters))
    inputs = _changed(graph.inputs, graph.exact, 1)
    check(compiled(*_arrays(graph, inputs)), expected(graph, inputs, graph.parameters))
    weights = _changed(graph.parameters, graph.exact, 2)
    for i, (name, parameter) in enumerate(compiled.collect_params().items()):
        if name in weights and i % 2:
            parameter.data()[:] = mx.nd.array(weights[name])
        elif name in weights:
            parameter.set_data(mx.nd.array(weights[name]))
    for given in (inputs, graph.inputs):
        check(compiled(*_arrays(graph, given)), expected(graph, given, weights))
    return compiled


def computed_parameters(graph: DrawnGraph, draw: Draw) -> Any:
    """Parameters whose data() computes."""
    net = graph.block()
    computed = {n: p for n, p in net.collect_params().items() if n not in graph.exact and p.grad_req != "null"}
    for parameter in computed.values():
        parameter.__class__ = Computed
    compiled = compile_(graph, net)
    for scale in (1.0, 0.5, 1.5):
        for parameter in computed.values():
            parameter.scale = scale
        weights = {n: v * np.float32(scale) if n in computed else v for n, v in graph.parameters.items()}
        check(compiled(*_arrays(graph, graph.inputs)), expected(graph, graph.inputs, weights))
    return compiled


def files(graph: DrawnGraph, draw: Draw) -> Any:
    """Files of a net that lies on one or on two contexts, read by both ways."""
    compiled = compile_(graph)
    wanted = expected(graph, graph.inputs, graph.parameters)
    given = _arrays(graph, graph.inputs)
    with tempfile.TemporaryDirectory() as folder:
        if draw(st.booleans()):
            compiled.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
            check(compiled(*given), wanted)
        path = str(Path(folder, "net"))
        compiled.export(path)
        loaded = gluon_neuron.load(path)
        imported = mx.gluon.SymbolBlock.imports(f"{path}-symbol.json", graph.read(), f"{path}-0000.params")
        check(loaded(*given), wanted)
        check(imported(*given), wanted)
        weights = str(Path(folder, "weights.params"))
        compiled.save_parameters(weights)
        contexts = [p.list_ctx() for p in compiled.collect_params().values()]
        compiled.load_parameters(weights, ctx=contexts[0] if contexts else mx.cpu())
        check(compiled(*given), wanted)
    again = gluon_neuron.compile(loaded, tuple(given))
    check(again(*given), wanted)
    return compiled


def joined(graph: DrawnGraph, draw: Draw) -> Any:
    """Two compiled symbols in one."""
    other = drawn_graph(draw, "y")
    if not other.read():
        other = graph
    both = [compile_(g) for g in (graph, other)]
    values: dict[str, Any] = {}
    wanted = []
    for one, compiled in zip((graph, other), both, strict=True):
        values |= {n: p.data() for n, p in compiled.collect_params().items()}
        values |= {n: mx.nd.array(one.inputs[n]) for n in one.read()}
        wanted += expected(one, one.inputs, one.parameters)
    group = mx.sym.Group([compiled.symbol for compiled in both])
    names = group.list_auxiliary_states()
    aux = {n: values[n] for n in names}
    args = {n: values[n] for n in group.list_arguments()}
    check(group.bind(mx.cpu(), args, aux_states=aux, grad_req="null").forward(), wanted)
    return both[0]


def any_batch(graph: DrawnGraph, draw: Draw) -> Any:
    """Batches of other sizes, where it is proved that samples stay apart."""
    try:
        compiled = compile_(graph, dynamic_batch=True)
    except OptionError as refused:
        assert len(str(refused)) > 50
        return None
    random = np.random.default_rng(3)
    for size in (3, 1, 2, 7):
        inputs = {n: random.normal(size=(size, *v.shape[1:])).astype("float32") for n, v in graph.inputs.items()}
        try:
            wanted = expected(graph, inputs, graph.parameters)
        except mx.base.MXNetError:
            continue
        try:
            found = compiled(*_arrays(graph, inputs))
        except InputError:
            # Its samples lie along other axes.
            assert size != 3
            continue
        check(found, wanted)
    return compiled


USES: dict[str, Callable[[DrawnGraph, Draw], Any]] = {
    f.__name__: f for f in (called_again, computed_parameters, files, joined, any_batch)
}
