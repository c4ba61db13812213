"""Programs for NeuronCores made by hand for small regions: a NEFF-shaped file with the HLO of a jax function."""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import mxnet as mx
import numpy as np

from gluon_neuron.artifact import container
from gluon_neuron.artifact.container import Payload
from gluon_neuron.graph.subgraph import CORE, STRICT
from tests.doubles import neff
from tests.runtime import tiny


def payload(region, function, target="inf2", cores=1, data=None):
    """The program of the region for a chip; `function` computes a list of jax arrays from arrays by input's name."""
    specs = region.specs(data)
    module, results = _hlo(function, specs)
    ports = [[_port(f"{kind}{i}", *s) for i, s in enumerate(of)] for kind, of in _both(specs.values(), results)]
    info = {"framework": "XLA", "target": target, "inputs": ports[0], "outputs": ports[1]}
    return _payload(region, specs, results, neff.Neff(cores, info, {"hlo.pb": module}), list(specs), {})


def payload_inf1(region, values, cores=1):
    """The program for inf1: the region's symbol, with the weights in `values` inside."""
    specs = region.specs()
    results = [(o.shape, np.dtype(o.dtype).name) for o in tiny.bind(region.symbol, values).forward()]
    ports = [[_port(n, *specs[n]) for n in region.data]]
    ports += [[_port(n, *s) for n, s in zip(region.symbol.list_outputs(), results, strict=True)]]
    info = {"framework": "MXNET", "target": "inf1", "inputs": ports[0], "outputs": ports[1]}
    with tempfile.NamedTemporaryFile() as file:
        mx.nd.save(file.name, {n: values[n] for n in region.weights})
        files = {"symbol.json": region.symbol.tojson().encode(), "params": file.read()}
    baked = {n: hashlib.sha256(values[n].asnumpy().tobytes()).hexdigest() for n in region.weights}
    return _payload(region, specs, results, neff.Neff(cores, info, files), list(region.data), baked)


def dense(x):
    """What `tiny.dense` computes, in jax."""
    import jax.numpy as jnp

    out = x["data"] @ x["weight"].T + x["bias"]
    return [(out - x["mean"]) * (x["gamma"] / jnp.sqrt(x["var"] + 1e-3)) + x["beta"]]


def artifact(region, *payloads):
    """The container with the program for the CPU, and these."""
    return tiny.pack(region, [region.payload(), *payloads])


def node(region, artifact, core=None, strict=False):
    """The symbol of a graph with this one node, which says where it is to run."""
    raw = json.loads(tiny.node(region, artifact).tojson())
    attrs = raw["nodes"][-1]["attrs"]
    attrs |= ({CORE: str(core)} if core is not None else {}) | ({STRICT: "1"} if strict else {})
    return mx.sym.load_json(json.dumps(raw))


def equip(prefix, function, target="inf2", cores=1):
    """Give the one region of an exported model a program for a chip too, as if it had been compiled for both."""
    symbol, params = Path(f"{prefix}-symbol.json"), Path(f"{prefix}-0000.params")
    raw, arrays = json.loads(symbol.read_text()), mx.nd.load(str(params))
    (name,) = (n for n in arrays if n.endswith("_neuronbin"))
    held = container.unpack(arrays[name].asnumpy().tobytes())
    signature = held.payloads[0].signature
    specs = {i["name"]: (tuple(i["shape"]), i["dtype"]) for i in signature["inputs"]}
    module, results = _hlo(function, specs)
    ports = [[_port(f"{kind}{i}", *s) for i, s in enumerate(of)] for kind, of in _both(specs.values(), results)]
    content = neff.Neff(
        cores, {"framework": "XLA", "target": target, "inputs": ports[0], "outputs": ports[1]}, {"hlo.pb": module}
    )
    program = {"format": "neff", "compiler": "neuronx-cc", "cores": cores}
    for kind, tensors in zip(("inputs", "outputs"), ports, strict=True):
        known = [p["name"] for p in signature[kind]]
        program[kind] = [{"name": n, "tensor": t["name"]} for n, t in zip(known, tensors, strict=True)]
    made = Payload(target, "nrt", "2.0", signature, program, neff.pack(content))
    data = container.pack(replace(held, payloads=(*held.payloads, made)))
    for node in raw["nodes"]:
        if name.endswith(f":{node['name']}"):
            node["attrs"]["__shape__"] = f"({len(data)},)"
    symbol.write_text(json.dumps(raw))
    mx.nd.save(str(params), {**arrays, name: tiny.blob(data)})


def _both(inputs, outputs):
    return ("input", inputs), ("output", outputs)


def _hlo(function, specs):
    import jax

    names = list(specs)
    arguments = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in specs.values()]
    made = jax.jit(lambda *a: function(dict(zip(names, a, strict=True))), keep_unused=True).lower(*arguments)
    results = [(o.shape, np.dtype(o.dtype).name) for o in made.out_info]
    return made.compiler_ir(dialect="hlo").as_serialized_hlo_module_proto(), results


def _port(name, shape, dtype):
    return {"name": name, "shape": list(shape), "dtype": dtype}


def _payload(region, specs, results, content, fed, baked):
    inputs = [_port(n, *s) | {"role": "weight" if n in region.weights else "data"} for n, s in specs.items()]
    outputs = [_port(f"o{i}", *s) for i, s in enumerate(results)]
    names = {
        "inputs": zip(fed, content.info["inputs"], strict=True),
        "outputs": zip((o["name"] for o in outputs), content.info["outputs"], strict=True),
    }
    program = {"format": "neff", "compiler": "neuronx-cc", "cores": content.cores, "baked": baked}
    program |= {kind: [{"name": n, "tensor": t["name"]} for n, t in pairs] for kind, pairs in names.items()}
    signature = {"inputs": inputs, "outputs": outputs}
    return Payload(content.info["target"], "nrt", "2.0", signature, program, neff.pack(content))
