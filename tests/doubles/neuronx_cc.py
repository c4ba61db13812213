"""Double of neuronx-cc: the published command line, XLA's verifier and the published rules, and a NEFF."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.doubles import neff, xla
from tests.doubles.command_line import Failure, Parser, existing, main

PROGRAM = "neuronx-cc"
VERSION = "2.19.8089.0+8ab9f450"
TARGETS = ("inf2", "trn1", "trn1n", "trn2")
DOWNCASTS = {"dot", "scatter", "all_reduce", "reduce_scatter", "pow"}
OPERATORS = frozenset(
    (
        *("abs", "add", "and", "batch-norm-inference", "bitcast-convert", "broadcast", "call", "ceil", "clamp"),
        *("compare", "concatenate", "constant", "convert", "convolution", "copy", "cosine", "custom-call", "divide"),
        *("dot", "dynamic-slice", "dynamic-update-slice", "erf", "exponential", "exponential-minus-one", "floor"),
        *("gather", "get-tuple-element", "iota", "log", "log-plus-one", "logistic", "map", "maximum", "minimum"),
        *("multiply", "negate", "not", "or", "pad", "parameter", "power", "reduce", "reduce-window", "remainder"),
        *("reshape", "reverse", "round-nearest-afz", "round-nearest-even", "rsqrt", "scatter", "select", "sign"),
        *("sine", "slice", "sort", "sqrt", "subtract", "tan", "tanh", "topk", "transpose", "tuple", "while", "xor"),
    )
)
VERBOSE = ("info", "warning", "error", "critical", "debug")
_NUMPY = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "s32": "int32", "u8": "uint8", "pred": "bool"}
_NUMPY |= {"s8": "int8", "u32": "uint32", "s64": "int64", "f64": "float64"}


def parser() -> Parser:
    """The published command line."""
    top = Parser(prog=PROGRAM)
    top.add_argument(
        "--version", action="version", version=f"NeuronX Compiler version {VERSION}\n\nPython version 3.10"
    )
    commands = top.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list-operators")
    listing.add_argument("--framework", required=True, choices=("XLA",))
    one = commands.add_parser("compile")
    one.add_argument("model_files", nargs="+")
    one.add_argument("--framework", required=True, choices=("XLA",))
    one.add_argument("--target", required=True, choices=TARGETS)
    one.add_argument("--model-type", default="generic", choices=("generic", "transformer", "unet-inference"))
    one.add_argument("--auto-cast", default="none", choices=("none", "matmult", "all"))
    one.add_argument("--auto-cast-type", default="bf16", choices=("bf16", "fp16", "tf32", "fp8_e4m3"))
    one.add_argument("--native-int64", default="default", choices=("default", "enabled", "disabled"))
    one.add_argument("--implicit-integer-downcast", default="default", type=_downcast)
    one.add_argument("--distribution-strategy", choices=("llm-training",))
    one.add_argument("--logical-nc-config", "--lnc", "-lnc", type=int, choices=(1, 2))
    one.add_argument("--optlevel", "-O", type=int, default=2, choices=(1, 2, 3))
    for flag in (
        "mixed-precision-accumulation",
        "saturate-infinity",
        "fast-context-switch",
        "fast-loading-neuron-binaries",
    ):
        one.add_argument(f"--enable-{flag}", action="store_true")
    one.add_argument("--pipeline", nargs="+", choices=("compile", "SaveTemps"))
    one.add_argument("--logfile", default="log-neuron-cc.txt")
    one.add_argument("--output", default="file.neff")
    one.add_argument("--verbose", default="warning", type=_verbose)
    one.set_defaults(compile=compile_module)
    return top


def compile_module(given: Any) -> None:
    """Check the module and write the result; raises Failure."""
    if given.logical_nc_config and given.target != "trn2":
        raise Failure(f"[NCC_EARG001] Logical NeuronCore configuration is not supported on {given.target}")
    if given.native_int64 != "default" and given.target != "trn2":
        raise Failure(f"[NCC_EARG001] --native-int64 is not supported on {given.target}")
    if len(given.model_files) != 1:
        raise Failure("Framework XLA takes exactly one HLO file")
    data = existing(given.model_files[0]).read_bytes()
    Path(given.logfile).write_text(f"{PROGRAM} {VERSION}\n", encoding="utf-8")
    made = checked(data, given.target)
    Path(given.output).write_bytes(neff.pack(made, given.output))


def checked(data: bytes, target: str) -> neff.Neff:
    """The program of a module that XLA and the published rules accept; raises Failure."""
    from gluon_neuron.errors import HloError
    from gluon_neuron.hlo.check import check
    from gluon_neuron.hlo.module import read

    try:
        module = read(data)
        inputs, outputs = module.tensors()
    except HloError as error:
        raise Failure(f"[NCC_EVRF064] Not an HLO module: {error}") from error
    # XLA ends the process on some damaged modules, so our own reader goes first.
    _verify(data)
    found = check(module, "trn1" if target == "trn1n" else target)
    if found:
        raise Failure("\n".join(f"[NCC_{v.code}] {v.opcode} {v.instruction}: {v.text}" for v in found))
    root = module.entry.root.shape
    results = root.parts if root.type == "tuple" else (root,)
    info = {
        "framework": "XLA",
        "target": target,
        "inputs": [_tensor(n, p.shape) for n, p in zip(inputs, module.entry.parameters, strict=True)],
        "outputs": [_tensor(n, s) for n, s in zip(outputs, results, strict=True)],
    }
    return neff.Neff(1, info, {"hlo.pb": data})


def operators() -> list[str]:
    """XLA's operators but for those that are published as refused."""
    return sorted(OPERATORS)


def _verify(data: bytes) -> None:
    try:
        xla.compiled(data)
    except (RuntimeError, ValueError) as error:  # XLA's own is a RuntimeError
        raise Failure(f"[NCC_EVRF064] {str(error).splitlines()[0]}") from error


def _tensor(name: str, shape: Any) -> dict[str, Any]:
    return {"name": name, "shape": list(shape.dims), "dtype": _NUMPY[shape.type]}


def _downcast(text: str) -> str:
    if text not in ("default", "all", "none") and not set(text.split(",")) <= DOWNCASTS:
        raise ValueError(text)
    return text


def _verbose(text: str) -> str:
    # Frameworks pass levels of Python's logging.
    if text.lower() not in VERBOSE and not text.isdigit():
        raise ValueError(text)
    return text


if __name__ == "__main__":
    sys.exit(main(PROGRAM, parser(), operators))
