"""check_op: lowers one MXNet operator in each namespace and compares the outcome with MXNet's own."""

from __future__ import annotations

import functools
import importlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock

import mxnet as mx
import numpy as np

from gluon_neuron.graph.graph import Entry, Graph, Node
from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.registry import refusal, rules
from gluon_neuron.refusal import Refusal
from tests.agreement import agree
from tests.dialect.jax_runs import run_in_jax

# Error allowed relative to the largest finite value of the expected result.
TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-12}
# What OpenVINO's CPU computes in another type than asked (int64 as int32, float64 as float32) or saturates (8-bit):
# its target refuses these, so rules are compared in NumPy only.
NOT_ON_OPENVINO = frozenset(("int8", "uint8", "int64", "float64"))
NODE = "node"
# Codes for which neuronx-cc refuses what the rule of an operator makes; the targets leave it to MXNet.
REFUSED_BY_NEURON: dict[str, tuple[str, ...]] = {}
# One case of each rule runs in jax, unless this variable is 1: then all do.
EVERY_CASE_IN_JAX = "EVERY_CASE_IN_JAX"


def symbol_of(op: str, count: int, attrs: Mapping[str, Any], outputs: Sequence[int] = (0,)) -> mx.sym.Symbol:
    """A symbol of one operator with `count` inputs x0, x1, ... whose heads are `outputs`."""
    nodes: list[dict[str, Any]] = [{"op": "null", "name": f"x{i}", "inputs": []} for i in range(count)]
    texts = {key: str(value) for key, value in attrs.items()}
    nodes.append({"op": op, "name": NODE, "attrs": texts, "inputs": [[i, 0, 0] for i in range(count)]})
    heads = [[count, i, 0] for i in outputs]
    version = {"mxnet_version": ["int", 10901]}
    graph = {"nodes": nodes, "arg_nodes": list(range(count)), "heads": heads, "attrs": version}
    return mx.sym.load_json(json.dumps(graph))


def _infer(symbol: mx.sym.Symbol, specs: Sequence[Spec]) -> list[Spec]:
    """The specs of a symbol's outputs by MXNet's own inference."""
    names = [f"x{i}" for i in range(len(specs))]
    shapes = symbol.infer_shape(**{n: s.shape for n, s in zip(names, specs)})[1]
    types = symbol.infer_type(**{n: s.dtype for n, s in zip(names, specs)})[1]
    return [Spec(tuple(s), np.dtype(t).name) for s, t in zip(shapes, types)]


def node_of(op: str, specs: Sequence[Spec], attrs: Mapping[str, Any], outputs: Sequence[int] = (0,)) -> Node:
    """The graph node of one operator, its specs filled in by MXNet."""
    symbol = symbol_of(op, len(specs), attrs, outputs)
    graph = Graph.from_json(symbol.tojson())
    position = {n.name: n.id for n in graph.nodes}
    with mx.util.np_shape(op.startswith("_np")):
        found = dict(zip(outputs, _infer(symbol, specs)))
        for index in set(graph.nodes[position[NODE]].outs) - set(found):
            found[index] = _infer(symbol_of(op, len(specs), attrs, (index,)), specs)[0]
    known: dict[Entry, Spec | None] = {Entry(position[NODE], k): spec for k, spec in found.items()}
    known |= {Entry(position[f"x{i}"], 0): spec for i, spec in enumerate(specs)}
    return graph.with_specs(known).nodes[position[NODE]]


def refusal_of(
    op: str, specs: Sequence[Spec | np.ndarray], attrs: Mapping[str, Any], outputs: Sequence[int] = (0,)
) -> Refusal | None:
    """`refusal` of a one-operator node, whose inputs are given as specs or arrays."""
    known = [s if isinstance(s, Spec) else Spec(s.shape, s.dtype.name) for s in specs]
    return refusal(node_of(op, known, attrs, outputs))


def mxnet_result(
    op: str, inputs: Sequence[np.ndarray], attrs: Mapping[str, Any], outputs: Sequence[int] = (0,)
) -> list[np.ndarray]:
    """What MXNet computes at inference; waits for it, so an error of MXNet is raised here and not at a later call."""
    # The plain operators, not what MXNet's executor would fuse.
    plain = mock.patch.dict(os.environ, {"MXNET_SUBGRAPH_BACKEND": "NONE"})
    with plain, mx.util.np_shape(op.startswith("_np")):
        symbol = symbol_of(op, len(inputs), attrs, outputs)
        values = {f"x{i}": mx.nd.array(v, dtype=v.dtype) for i, v in enumerate(inputs)}
        aux = {name: values.pop(name) for name in symbol.list_auxiliary_states()}
        executor = symbol.bind(mx.cpu(), values, aux_states=aux, grad_req="null")
        return [out.asnumpy() for out in executor.forward(is_train=False)]


def _lower(xp: Any, node: Node, arrays: Sequence[Any]) -> dict[int, Any]:
    """Build a node and check the shape and dtype of each output that is read."""
    result = rules()[node.op].build(xp, node, *arrays)
    outs = result if isinstance(result, tuple) else (result,)
    for index, spec in node.outs.items():
        assert spec is not None and index < len(outs), f"{node}: output {index} was not built"
        built = Spec(tuple(outs[index].shape), outs[index].dtype)
        assert built == spec, f"{node} in {type(xp).__name__}: output {index} is {built}, MXNet says {spec}"
    return dict(enumerate(outs))


def _in_numpy(node: Node, inputs: Sequence[np.ndarray], weights: Sequence[int]) -> dict[int, np.ndarray]:
    values = {f"x{i}": v for i, v in enumerate(inputs)}
    xp = importlib.import_module("gluon_neuron.dialect.in_numpy.namespace").NumpyNamespace(values)
    built = _lower(xp, node, [xp.parameter(name, v.shape, v.dtype.name) for name, v in values.items()])
    return {index: built[index].v for index in node.outs}


@functools.cache
def _core() -> Any:
    import openvino

    return openvino.Core()


def _in_openvino(node: Node, inputs: Sequence[np.ndarray], weights: Sequence[int]) -> dict[int, np.ndarray]:
    xp = importlib.import_module("gluon_neuron.dialect.in_openvino.namespace").OpenVINONamespace()
    arrays = [
        xp.constant(v, v.dtype.name) if i in weights else xp.parameter(f"x{i}", v.shape, v.dtype.name)
        for i, v in enumerate(inputs)
    ]
    built = _lower(xp, node, arrays)
    # A result that hangs on no input (zeros_like, shape_array) was folded already.
    open_ = {index: built[index] for index in node.outs if not built[index].known}
    values = {index: xp.known(built[index]) for index in node.outs if index not in open_}
    if open_:
        model = xp.model(list(open_.values()))
        config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        compiled = _core().compile_model(model, "CPU", config)
        named = {port.get_any_name() for port in model.inputs}
        fed = {f"x{i}": v for i, v in enumerate(inputs) if f"x{i}" in named}
        values |= dict(zip(open_, (np.array(v) for v in compiled(fed).values())))
    return values


def _in_jax(node: Node, inputs: Sequence[np.ndarray], weights: Sequence[int]) -> dict[int, np.ndarray]:
    given = {f"x{i}": v for i, v in enumerate(inputs) if i not in weights}
    refused = REFUSED_BY_NEURON.get(node.op, ())

    def build(xp: Any) -> list[Any]:
        arrays = [
            xp.constant(v, v.dtype.name) if i in weights else xp.parameter(f"x{i}", v.shape, v.dtype.name)
            for i, v in enumerate(inputs)
        ]
        return list(_lower(xp, node, arrays).values())

    values = run_in_jax(build, given, refused)
    return {index: values[index] for index in node.outs}


_RUN = {"numpy": _in_numpy, "openvino": _in_openvino, "jax": _in_jax}
_seen_in_jax: set[Any] = set()


def _left_out_of_jax(rule: Any) -> bool:
    """Whether a case is one too many for the quick suite: jax compiles each for tens of milliseconds.

    The first case of each rule runs; `tests/dialect` runs every function that rules call.
    """
    seen = rule in _seen_in_jax
    _seen_in_jax.add(rule)
    return seen and os.environ.get(EVERY_CASE_IN_JAX) != "1"


def run_rule(
    namespace: str, node: Node, inputs: Sequence[np.ndarray], weights: Sequence[int] = ()
) -> dict[int, np.ndarray]:
    """The outputs of a node's rule in "numpy", "openvino" or "jax", where the inputs at `weights` are constants."""
    return _RUN[namespace](node, inputs, weights)


def check_op(
    op_name: str,
    inputs: Sequence[np.ndarray],
    attrs: Mapping[str, Any] | None = None,
    namespaces: Sequence[str] = ("numpy", "openvino", "jax"),
    rtol: float = 0.0,
    atol: float | None = None,
    params_are_weights: bool | Sequence[int] = False,
    outputs: Sequence[int] = (0,),
) -> list[np.ndarray]:
    """Compare one operator's rule with MXNet in each namespace and return MXNet's results.

    `outputs` are the outputs that are read. `atol` defaults to a tolerance by dtype, times the largest finite value
    expected. `params_are_weights` makes inputs constants of the OpenVINO model, as bound weights are: those at the
    indices given, or all but the first when True. OpenVINO is left out for dtypes that its target refuses, jax
    after the first case of a rule.
    """
    attrs = attrs or {}
    node = node_of(op_name, [Spec(v.shape, v.dtype.name) for v in inputs], attrs, outputs)
    refused = refusal(node)
    assert refused is None, f"{node} is refused: {refused}"
    expected = dict(zip(outputs, mxnet_result(op_name, inputs, attrs, outputs)))
    dtypes = {s.dtype for s in (*node.ins, *node.outs.values()) if s is not None}
    weights = range(1, len(inputs)) if params_are_weights is True else params_are_weights or ()
    for namespace in namespaces:
        if namespace == "openvino" and dtypes & NOT_ON_OPENVINO:
            continue
        if namespace == "jax" and _left_out_of_jax(rules()[op_name].build):
            continue
        got = _RUN[namespace](node, inputs, weights)
        for index, want in expected.items():
            _compare(got[index], want, rtol, atol, f"{node} {dict(attrs)} output {index} in {namespace}")
    return list(expected.values())


def _compare(got: np.ndarray, want: np.ndarray, rtol: float, atol: float | None, where: str) -> None:
    """Compare one result; infinities and NaNs have to be at the same places."""
    if want.dtype.kind in "biu":
        agree(got, want, where=where)
        return
    finite = np.abs(want[np.isfinite(want)].astype(np.float64))
    allowed = TOLERANCE[want.dtype.name] * max(finite.max(initial=0.0), 1e-6) if atol is None else atol
    agree(got, want, rtol, allowed, where=where)


def random(*shape: int, dtype: str = "float32", seed: int = 0, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Repeatable values between `low` and `high`."""
    values = np.random.RandomState(seed + sum(shape)).uniform(low, high, shape)
    return values.astype(dtype)
