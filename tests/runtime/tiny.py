"""Small regions made by hand: a symbol, its artifact from OpenVINO's Python API, and the node that runs it."""

import json
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

import mxnet as mx
import numpy as np

from gluon_neuron.artifact import container
from gluon_neuron.dialect.in_openvino.importing import import_openvino
from gluon_neuron.graph.identity import graph_hash

# The plain import reports itself over the network, also in a process that a test starts.
openvino = import_openvino()
ov = openvino.opset13

OPERATOR = "_neuron_subgraph_op"
FLAGS = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")
"""The dtypes that can cross the boundary, by MXNet's number."""


@dataclass
class Region:
    """`build` makes OpenVINO's outputs from the inputs' nodes by name; inputs with a value in `weights` are weights."""

    symbol: mx.sym.Symbol
    data: dict[str, tuple[tuple[int, ...], str]]
    weights: dict[str, np.ndarray]
    build: object
    options: dict = field(default_factory=dict)

    @property
    def names(self):
        return self.symbol.list_inputs()

    def specs(self, data=None):
        given = {**self.data, **(data or {})}
        return {n: given[n] if n in given else (self.weights[n].shape, self.weights[n].dtype.name) for n in self.names}

    def payload(self, data=None):
        """The program for other data shapes than the region's own, if given."""
        specs = self.specs(data)
        nodes = {n: ov.parameter(list(shape), _element(dtype), name=n) for n, (shape, dtype) in specs.items()}
        outputs = [ov.result(o) for o in self.build(nodes)]
        model = openvino.Model(outputs, [nodes[n] for n in self.names], "tiny")
        xml, program, literals = _without_weights(model, self.names, set(self.weights))
        start = len(xml) + -len(xml) % 64
        program |= {
            "xml": [0, len(xml)],
            "literals": [start, len(literals)],
            "config": {"INFERENCE_PRECISION_HINT": "f32"},
        }
        program["data"] = [i for i, n in enumerate(self.names) if n not in self.weights]
        inputs = [
            {"name": n, "shape": list(s), "dtype": t, "role": "weight" if n in self.weights else "data"}
            for n, (s, t) in specs.items()
        ]
        results = [{"name": f"o{i}", "shape": list(o.shape), "dtype": _dtype(o)} for i, o in enumerate(model.outputs)]
        signature = {"inputs": inputs, "outputs": results}
        return container.Payload(
            "cpu", "openvino", openvino.__version__, signature, program, xml + bytes(start - len(xml)) + literals
        )

    def artifact(self, *others):
        """The container, with programs for the region's own data shapes and for each of `others`."""
        return pack(self, [self.payload(o) for o in ({}, *others)])


def pack(region, payloads):
    """The container of these payloads of the region."""
    return container.pack(container.Artifact(region_hash(region), region.options, tuple(payloads), "0.1.0"))


def region_hash(region):
    """By which the library knows the region's graph."""
    return graph_hash(json.loads(region.symbol.tojson()))


def node(region, artifact, name="region0"):
    """The symbol of a graph with this one node; its variables are the region's, and `<name>_neuronbin`."""
    return chain([(region, artifact, name, {})])


def chain(steps):
    """The symbol of several nodes: each step is (region, artifact, name, {input: (earlier step, output)})."""
    nodes, place = [], {}

    def variable(name, attrs):
        if name not in place:
            place[name] = len(nodes)
            nodes.append({"op": "null", "name": name, "inputs": [], "attrs": attrs})
        return [place[name], 0, 0]

    for k, (region, artifact, name, feeds) in enumerate(steps):
        flags = {n: {"__dtype__": str(FLAGS.index(t))} for n, (_, t) in region.specs().items()}
        edges = [[place[feeds[n][0]], feeds[n][1], 0] if n in feeds else variable(n, flags[n]) for n in region.names]
        edges.append(variable(f"{name}_neuronbin", {"__shape__": f"({len(artifact)},)", "__dtype__": "3"}))
        place[k] = len(nodes)
        attrs = {"__ext_extra_inputs__": "1", "__node_name__": name}
        subgraph = json.loads(region.symbol.tojson())
        nodes.append({"op": OPERATOR, "name": name, "inputs": edges, "attrs": attrs, "subgraphs": [subgraph]})
    outputs = len(steps[-1][0].symbol.list_outputs())
    heads = [[len(nodes) - 1, i, 0] for i in range(outputs)]
    arguments = [i for i, n in enumerate(nodes) if n["op"] == "null"]
    return mx.sym.load_json(json.dumps({"nodes": nodes, "arg_nodes": arguments, "heads": heads}))


def blob(artifact):
    """The artifact as an array."""
    return mx.nd.array(np.frombuffer(artifact, np.uint8), dtype="uint8")


def bind(symbol, values):
    """An executor on arrays by name; auxiliary states are found among them."""
    auxiliary = set(symbol.list_auxiliary_states())
    args = {n: values[n] for n in symbol.list_arguments()}
    return symbol.bind(mx.cpu(), args, grad_req="null", aux_states={n: values[n] for n in auxiliary})


def arrays(region, artifact, name="region0", seed=0):
    """Random data, the region's weights and the artifact, as MXNet arrays by name."""
    rng = np.random.default_rng(seed)
    values = {n: mx.nd.array(rng.normal(size=s), dtype=t) for n, (s, t) in region.data.items()}
    values |= {n: mx.nd.array(w, dtype=w.dtype) for n, w in region.weights.items()}
    values[f"{name}_neuronbin"] = blob(artifact)
    return values


def dense(batch=2, inputs=5, units=3, seed=0, prefix="", normalized=True):
    """A fully connected layer with BatchNorm, whose statistics are auxiliary states; large: over 64 KB of weights."""
    rng = np.random.default_rng(seed)
    names = {k: prefix + k for k in ("data", "weight", "bias", "gamma", "beta", "mean", "var")}
    v = {k: mx.sym.var(n) for k, n in names.items()}
    out = mx.sym.FullyConnected(v["data"], v["weight"], v["bias"], num_hidden=units, name=prefix + "fc")
    if normalized:
        bn = (v["gamma"], v["beta"], v["mean"], v["var"])
        out = mx.sym.BatchNorm(out, *bn, eps=1e-3, fix_gamma=False, use_global_stats=True, name=prefix + "bn")
    weights = {"weight": rng.normal(size=(units, inputs)), "bias": rng.normal(size=units)}
    if normalized:
        weights |= {k: rng.normal(size=units) for k in ("gamma", "beta", "mean")} | {"var": rng.uniform(1, 2, units)}

    def build(p):
        product = ov.matmul(p[names["data"]], p[names["weight"]], False, True)
        out = ov.add(product, p[names["bias"]])
        if normalized:
            scale = ov.divide(p[names["gamma"]], ov.sqrt(ov.add(p[names["var"]], np.float32(1e-3))))
            out = ov.add(ov.multiply(ov.subtract(out, p[names["mean"]]), scale), p[names["beta"]])
        return [out]

    data = {names["data"]: ((batch, inputs), "float32")}
    return Region(out, data, {names[k]: w.astype("float32") for k, w in weights.items()}, build)


def parameters(region, artifact, name="region0"):
    """Gluon parameters with the region's weights and the artifact."""
    found = mx.gluon.ParameterDict("")
    for n, value in arrays(region, artifact, name).items():
        if n not in region.data:
            fixed = n in region.symbol.list_auxiliary_states() or n.endswith("_neuronbin")
            kept = {"shape": value.shape, "dtype": value.dtype, "grad_req": "null" if fixed else "write"}
            found._params[n] = mx.gluon.Parameter(n, init=mx.init.Normal(0.5), **kept)
            found._params[n].initialize(mx.init.Constant(value), ctx=mx.cpu())
    return found


def block(symbol, params, mode):
    """A SymbolBlock on these very parameters, hybridized with `mode` (not at all for None)."""
    made = mx.gluon.SymbolBlock(symbol, [mx.sym.var("data", dtype="float32")], params=params)
    if mode is not None:
        made.hybridize(**mode)
    return made


MODES = {
    "plain": None,
    "dynamic": {},
    "static_alloc": {"static_alloc": True},
    "static": {"static_alloc": True, "static_shape": True},
}


def mirror(spec, outputs=1):
    """Hands its input through, as one output or as several equal ones."""
    data = mx.sym.var("data")
    out = [mx.sym.identity(data, name=f"same{i}") for i in range(outputs)]
    return Region(mx.sym.Group(out) if outputs > 1 else out[0], {"data": spec}, {}, lambda p: [p["data"]] * outputs)


def reference(region):
    """MXNet's own result for the region's symbol and these arrays."""

    def run(values):
        return [o.asnumpy() for o in bind(region.symbol, values).forward()]

    return run


def _element(dtype):
    return {"bool": openvino.Type.boolean}.get(dtype) or openvino.Type(np.dtype(dtype))


def _dtype(output):
    return "bool" if output.element_type == openvino.Type.boolean else output.element_type.to_dtype().name


def _without_weights(model, names, weights):
    """The IR's text with constants for the weights, where offsets stand in it, and the bytes of the other constants."""
    with tempfile.TemporaryDirectory() as folder:
        xml, literals = Path(folder, "m.xml"), Path(folder, "m.bin")
        openvino.serialize(model, str(xml), str(literals))
        tree, raw = ET.parse(xml), literals.read_bytes()
    uses, own, marker = {}, [], 10**19
    for layer in tree.iter("layer"):
        data = layer.find("data")
        if layer.get("type") == "Const":
            own.append((int(data.get("offset")), int(data.get("size")), marker))
        elif layer.get("name") in weights:
            layer.set("type", "Const")
            extents = [int(e) for e in data.get("shape").split(",") if e.strip()]
            kinds = {"f32": 4, "f16": 2, "i32": 4, "f64": 8, "i64": 8, "u8": 1, "i8": 1, "boolean": 1}
            size = int(np.prod(extents, dtype=np.int64)) * kinds[data.get("element_type")]
            data.set("size", str(size))
            uses[layer.get("name")] = marker
        else:
            continue
        data.set("offset", f"{marker:020d}")
        marker += 1
    text = ET.tostring(tree.getroot())
    where = lambda mark: [text.index(b'offset="%020d"' % mark) + len('offset="')]  # noqa: E731
    positions = [[i, where(uses[n]) if n in uses else []] for i, n in enumerate(names) if n in weights]
    return text, {"weights": positions, "literal_positions": [[o, s, where(m)] for o, s, m in own]}, raw


RUN = """
    import mxnet as mx, numpy as np
    from gluon_neuron.engine import native_library
    from gluon_neuron.runtime import registration
    from tests.runtime import tiny
    registration.register()
    region = tiny.dense()
    artifact = region.artifact()
    values = tiny.arrays(region, artifact)

    def run():
        return tiny.bind(tiny.node(region, artifact), values).forward()[0].asnumpy()

    def message():
        try:
            run()
        except mx.MXNetError as error:
            return str(error)
        raise AssertionError("it ran")
"""
"""The beginning of a program for another process: `run` runs a region, `message` gives the error that it ends with."""
