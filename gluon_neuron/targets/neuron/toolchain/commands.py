"""The command lines of the two Neuron compilers, with every precision stated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ....graph.spec import Spec
from ....options import CompileOptions
from .words import CASTS, CORES, OLD_CASTS, groups, without

NEFF = "file.neff"

_FP32_CAST = {
    ("matmult", "bf16"): "fp32-cast-matmult-bf16",
    ("matmult", "fp16"): "fp32-cast-matmult-fp16",
    ("all", "bf16"): "fp32-cast-all",
    ("all", "fp16"): "fp32-cast-all-fp16",
}


def neuronx_cc(hlo: str, target: str, options: CompileOptions) -> list[str]:
    """`neuronx-cc compile` of an HLO module for one family of instances."""
    cast = ["--auto-cast", options.auto_cast, "--auto-cast-type", options.auto_cast_type]
    # A region runs on one core of these chips, and the older compiler's words for a cast are said by `cast`.
    rest = without(options.compiler_flags, (*CASTS, *CORES, *_OURS))
    return ["neuronx-cc", "compile", hlo, "--framework", "XLA", "--target", target, "--output", NEFF, *cast, *rest]


def neuron_cc(
    files: Sequence[str], inputs: Mapping[str, Spec], outputs: Sequence[str], options: CompileOptions
) -> list[str]:
    """`neuron-cc compile` of an MXNet checkpoint."""
    config = {"inputs": {n: [list(s.shape), s.dtype] for n, s in inputs.items()}, "outputs": list(outputs)}
    old = [word for name, group in groups(options.compiler_flags) if name in OLD_CASTS for word in group]
    # Fast relayout moves float32 through the matrix multiplier, so it goes with a cast of everything only.
    relayout = "fast-relayout" if options.auto_cast == "all" else "no-fast-relayout"
    cast = old or ["--fast-math", _FP32_CAST[options.auto_cast, options.auto_cast_type], relayout]
    rest = without(options.compiler_flags, (*CASTS, *CORES, *_OURS))
    return [
        *("neuron-cc", "compile", *files, "--framework", "MXNET"),
        *("--io-config", json.dumps(config, separators=(",", ":")), "--output", NEFF),
        *("--neuroncore-pipeline-cores", str(options.pipeline_cores), *cast, *rest),
    ]


_OURS = ("--framework", "--target", "--output", "--io-config")
"""What a caller's words cannot change: what is compiled, for what, and where the result goes."""
