"""Double of neuron-cc with framework MXNET: the published command line, MXNet's own reading of the files, a NEFF."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.doubles import neff
from tests.doubles.command_line import Failure, Parser, existing, main

PROGRAM = "neuron-cc"
VERSION = "1.24.0.0+d58fa6134"
FAST_MATH = ("all", "none", "fast-relayout", "no-fast-relayout", "fp32-cast-all", "fp32-cast-all-fp16")
FAST_MATH += ("fp32-cast-matmult", "fp32-cast-matmult-bf16", "fp32-cast-matmult-fp16")
FP32_CAST = ("all", "matmult", "matmult-fp16", "matmult-bf16", "all-fp16")
VERBOSE = ("DEBUG", "INFO", "WARN", "ERROR")
DTYPES = ("float32", "float16", "bfloat16", "int32")
CORES = 16


def parser() -> Parser:
    """The published command line."""
    top = Parser(prog=PROGRAM)
    top.add_argument("--version", action="version", version=f"Neuron Compiler version {VERSION}\n\nPython version: 3.8")
    commands = top.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list-operators")
    listing.add_argument("--framework", required=True, choices=("TENSORFLOW", "MXNET", "XLA"))
    one = commands.add_parser("compile")
    one.add_argument("files", nargs="+")
    one.add_argument("--framework", required=True, choices=("TENSORFLOW", "MXNET", "XLA"))
    one.add_argument("--io-config", required=True)
    one.add_argument("--neuroncore-pipeline-cores", type=int, default=1)
    for flag in ("saturate-infinity", "fast-loading-neuron-binaries", "fast-context-switch"):
        one.add_argument(f"--enable-{flag}", action="store_true")
    one.add_argument("--fp32-cast", choices=FP32_CAST)
    one.add_argument("--fast-math", nargs="+", choices=FAST_MATH, default=["all"])
    one.add_argument("--pipeline", nargs="+", choices=("compile", "SaveTemps"))
    one.add_argument("--output", default="out.neff")
    one.add_argument("--verbose", default="WARN", type=_verbose)
    one.set_defaults(compile=compile_checkpoint)
    return top


def compile_checkpoint(given: Any) -> None:
    """Check the files and write the result; raises Failure."""
    if given.framework != "MXNET":
        raise Failure(f"This double compiles for framework MXNET, not {given.framework}")
    _check_math(given.fast_math)
    if not 1 <= given.neuroncore_pipeline_cores <= CORES:
        raise Failure(f"--neuroncore-pipeline-cores must be 1 to {CORES}, not {given.neuroncore_pipeline_cores}")
    files = [existing(name) for name in given.files]
    symbols = [f for f in files if f.suffix == ".json"]
    params = [f for f in files if f.suffix == ".params"]
    if len(symbols) != 1 or len(params) != 1 or len(files) != 2:
        raise Failure("Framework MXNET takes one .json and one .params file")
    text, data = symbols[0].read_text(encoding="utf-8"), params[0].read_bytes()
    inputs, outputs = _config(given.io_config)
    info = {"framework": "MXNET", "target": "inf1", **_infer(text, params[0], inputs, outputs)}
    made = neff.Neff(given.neuroncore_pipeline_cores, info, {"symbol.json": text.encode(), "params": data}, 1)
    Path(given.output).write_bytes(neff.pack(made, given.output))


def operators() -> list[str]:
    """The published list."""
    from gluon_neuron.targets.neuron.inf1_operators import OPERATORS

    return sorted(OPERATORS)


def _infer(text: str, params: Path, inputs: dict[str, Any], outputs: list[str] | None) -> dict[str, Any]:
    import mxnet as mx
    import numpy as np

    raw = json.loads(text)
    known = set(operators())
    refused = sorted({n["op"] for n in raw["nodes"] if n["op"] != "null"} - known)
    if refused:
        raise Failure(f"Operators not supported: {', '.join(refused)}")
    symbol = mx.sym.load_json(text)
    loaded = mx.nd.load(str(params)) or {}  # MXNet reads a file without arrays as an empty list
    arrays = {name.partition(":")[2]: array for name, array in loaded.items()}
    for kind, names in (("arg", symbol.list_arguments()), ("aux", symbol.list_auxiliary_states())):
        given = {n.partition(":")[2] for n in loaded if n.startswith(f"{kind}:")}
        if not given <= set(names):
            raise Failure(f"The parameters {sorted(given - set(names))} are not in the symbol")
    missing = set(symbol.list_inputs()) - set(arrays) - set(inputs)
    if missing or set(inputs) & set(arrays):
        raise Failure(f"--io-config error: {sorted(missing) or sorted(set(inputs) & set(arrays))}")
    shapes = {n: tuple(shape) for n, (shape, _) in inputs.items()} | {n: a.shape for n, a in arrays.items()}
    types = {n: dtype for n, (_, dtype) in inputs.items()} | {n: a.dtype for n, a in arrays.items()}
    out_shapes = symbol.infer_shape(**shapes)[1]
    out_types = symbol.infer_type(**types)[1]
    names = symbol.list_outputs()
    if outputs is not None and outputs != names:
        raise Failure(f"--io-config error: the symbol's outputs are {names}, not {outputs}")
    results = [
        {"name": n, "shape": list(s), "dtype": np.dtype(t).name}
        for n, s, t in zip(names, out_shapes, out_types, strict=True)
    ]
    sources = [{"name": n, "shape": list(s), "dtype": t} for n, (s, t) in inputs.items()]
    wrong = [x for x in (*sources, *results) if x["dtype"] not in DTYPES]
    if wrong:
        raise Failure(f"{wrong[0]['dtype']} input and output tensors are not supported: {wrong[0]['name']}")
    return {"inputs": sources, "outputs": results}


def _config(text: str) -> tuple[dict[str, Any], list[str] | None]:
    if not text.lstrip().startswith("{"):
        text = existing(text).read_text(encoding="utf-8")
    try:
        raw = json.loads(text)
        inputs = {n: ([int(d) for d in shape], str(dtype)) for n, (shape, dtype) in raw["inputs"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"--io-config error: {error}") from error
    if not inputs:
        raise Failure("--io-config error: there are no inputs")
    return inputs, raw.get("outputs")


def _check_math(given: list[str]) -> None:
    casts = [v for v in given if v.startswith("fp32-cast")]
    for exclusive in (("all", "none"), ("fast-relayout", "no-fast-relayout")):
        if set(exclusive) <= set(given):
            raise Failure(f"--fast-math: {exclusive[0]} and {exclusive[1]} are mutually exclusive")
    if len(casts) > 1:
        raise Failure(f"--fast-math: {' and '.join(casts)} are mutually exclusive")


def _verbose(text: str) -> str:
    if text.upper() not in VERBOSE and not text.isdigit():
        raise ValueError(text)
    return text


if __name__ == "__main__":
    sys.exit(main(PROGRAM, parser(), operators))
