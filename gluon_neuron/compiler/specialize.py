"""Compiles a region for a signature that its artifact does not hold, when the native operator asks for it."""

from __future__ import annotations

import json
from functools import partial

from .._version import __version__
from ..artifact.container import Artifact, pack
from ..errors import CompileError
from ..frontend.infer import Inference
from ..graph.spec import Spec
from ..options import CompileOptions
from ..targets.base import DATA, WEIGHT, Program, RegionJob
from ..targets.cpu.target import CASTS
from ..targets.neuron.toolchain.process import Running
from ..targets.refusals import refusals
from ..targets.registry import get_target


def specialize(graph_json: str, request_json: str) -> bytes:
    """The artifact of the region `graph_json` for the signature of the request.

    The request gives "graph" (the region's hash), "target", "options" (as the artifact has them) and "inputs":
    name, shape, dtype and role of each. Raises CompileError, with the reason, when a node cannot be compiled for it.
    Called from MXNet's own thread: it must run no MXNet operator.
    """
    request = json.loads(request_json)
    given_options = dict(request["options"])
    np_shape = given_options.pop("np_shape")
    if given_options["auto_cast_type"] not in CASTS:
        given_options["auto_cast"] = "none"  # only an artifact for a chip says so, and it has a program in float32 too
    options = CompileOptions(target=request["target"], **given_options)
    inputs = request["inputs"]
    if options.inline_weights:
        given = ", ".join(f"{i['name']} {i['dtype']}{i['shape']}" for i in inputs)
        raise CompileError(
            f"The weights are baked into the program, so nothing can be compiled for {given} any more. Compile with "
            "shapes=[...], batch_sizes=[...] or without inline_weights."
        )
    target = get_target(options.target)
    specs = {i["name"]: Spec(tuple(i["shape"]), i["dtype"]) for i in inputs}
    inference = Inference(graph_json, np_shape)
    graph = inference.annotate(specs)
    refusal = refusals(target, graph)
    for node in graph.operators:
        why = refusal(node)
        if why is not None:
            raise CompileError(f"{node} cannot be compiled for these inputs: {why.sentence}.")
    roles = {i["name"]: DATA if i["role"] == DATA else WEIGHT for i in inputs}
    outputs = [f"output{i}" for i in range(len(graph.heads))]
    data = [n for n, role in roles.items() if role == DATA]
    for_batch_part = partial(inference.part, specs, data)
    names = [i["name"] for i in inputs]
    job = RegionJob(graph, names, roles, outputs, options, {}, for_batch_part=for_batch_part)
    made = target.prepare(job)
    payload = (made if isinstance(made, Program) else made(Running())).payload
    return pack(Artifact(request["graph"], request["options"], (payload,), __version__))
