"""The CPU target: regions become OpenVINO programs whose weights are bound when the program is loaded."""

from __future__ import annotations

import logging
from typing import Any

from ...artifact.container import Payload
from ...dialect.in_openvino.importing import import_openvino
from ...dialect.in_openvino.namespace import OpenVINONamespace
from ...errors import CompileError, EngineError
from ...graph.graph import Graph, Node
from ...lowering.lower import lower
from ...lowering.registry import rule_of
from ...options import CompileOptions
from ...refusal import Category, Refusal
from ..base import Program, RegionJob, signature
from ..rule_refusal import rule_refusal
from .batch_parts import batch_parts_that_pay
from .ir import prepare_model, serialize
from .separable import NotSeparable, prove
from .slower import slower

_logger = logging.getLogger(__name__)

CASTS = ("bf16",)
"""What the CPU engine can cast to."""


class CpuTarget:
    """Compiles for the CPU through OpenVINO."""

    name = "cpu"
    engine = "openvino"
    folds = True

    def refusal(self, node: Node) -> Refusal | None:
        """Why OpenVINO's CPU plugin cannot run the node, would silently give wrong numbers, or is slower than MXNet."""
        found = rule_refusal(self, node)
        if found is not None:
            return found
        for inner in (n for body in node.bodies for n in body.operators):
            if any(s is not None and s.dtype == "int64" for s in inner.ins):
                return Refusal(Category.TARGET, f"in its body, {inner}: the CPU engine computes int64 as int32")
        rule = rule_of(node)
        assert rule is not None
        for i, spec in enumerate((*node.ins, *node.outs.values())):
            assert spec is not None
            if spec.dtype == "bfloat16":
                sentence = (
                    "MXNet hands compiled regions no bfloat16; compile the float32 model with auto_cast='matmult'"
                )
                return Refusal(Category.TARGET, sentence)
            if spec.dtype == "int64" and i != rule.positions:
                return Refusal(Category.TARGET, "the CPU engine computes int64 as int32")
            if spec.dtype == "float64":
                return Refusal(Category.TARGET, "the CPU engine computes float64 as float32")
            if spec.dtype in ("int8", "uint8") and not (rule.moves or (rule.widens and i < len(node.ins))):
                return Refusal(Category.TARGET, f"the CPU engine saturates {spec.dtype} where MXNet wraps")
            if spec.dtype == "int32" and not rule.exact_int32:
                sentence = "the CPU engine computes it for int32 as float32, which is exact to 2**24 only"
                return Refusal(Category.TARGET, sentence)
        if node.op in ("Cast", "cast") and node.out.dtype in ("int8", "uint8"):
            return Refusal(Category.TARGET, f"the CPU engine saturates {node.out.dtype} where MXNet wraps")
        return slower(node)

    def ready(self) -> None:
        """Nothing is needed before the first region."""

    def prepare(self, job: RegionJob) -> Program:
        """The region as an OpenVINO IR; raises as `compile` does."""
        return Program(self.compile(job))

    def compile(self, job: RegionJob) -> Payload:
        """The region as an OpenVINO IR; raises CompileError when it cannot be built, EngineError without OpenVINO."""
        try:
            openvino = import_openvino()
        except ImportError as error:
            raise EngineError(
                f"OpenVINO cannot be imported ({error}); the CPU target needs it: pip install openvino"
            ) from error
        options = job.options
        cast = cast_here(options)
        xp, outputs = lowered(job.graph)
        batch_parts, found = _in_batch_parts(job, xp, outputs)
        prepared = prepare_model(*found, job, cast)
        data, program = serialize(prepared, job)
        if batch_parts > 1:
            program["parts"] = batch_parts
        return Payload(
            target=self.name,
            engine=self.engine,
            engine_version=openvino.__version__.split("-")[0],
            signature=signature(job, prepared.roles),
            program={**program, "config": engine_config(options, cast)},
            data=data,
        )


def engine_config(options: CompileOptions, cast: str) -> dict[str, str]:
    """The engine's settings for a program in which `cast` may be computed in bfloat16."""
    config = {"INFERENCE_PRECISION_HINT": "f32" if cast == "none" else "bf16"}
    if options.num_threads:
        config["INFERENCE_NUM_THREADS"] = str(options.num_threads)
    return config


def cast_here(options: CompileOptions) -> str:
    """What the CPU's program casts to bfloat16; raises CompileError for a cast that was asked of the CPU in vain."""
    if options.auto_cast != "none" and options.auto_cast_type not in CASTS:
        if options.target in ("auto", "cpu"):
            raise CompileError(
                f"The CPU engine cannot cast to {options.auto_cast_type}; it offers auto_cast_type='bf16'."
            )
        return "none"
    return options.auto_cast


def lowered(graph: Graph, any_shape: bool = False) -> tuple[Any, list[Any]]:
    """The namespace with its parameters, and the graph's outputs in it; raises CompileError."""
    xp = OpenVINONamespace(any_shape, halves=True)
    return xp, lower(graph, xp)


def _in_batch_parts(job: RegionJob, xp: Any, outputs: list[Any]) -> tuple[int, tuple[Any, list[Any]]]:
    """Into how many parts the batch is split, and the program for one; where there is only one, what was given."""
    whole = 1, (xp, outputs)
    shapes = [xp.parameters[n].output(0).get_shape() for n in job.data]
    lengths = {shape[0] if len(shape) else 1 for shape in shapes}
    if job.for_batch_part is None or len(lengths) != 1 or any(o.known for o in outputs):
        return whole
    batch_parts = batch_parts_that_pay([o.v for o in outputs], set(job.data), lengths.pop())
    graph = job.for_batch_part(batch_parts) if batch_parts > 1 else None
    if graph is None:
        return whole
    try:
        part = lowered(graph)
        prove([o.v for o in outputs], [o.v for o in part[1]], batch_parts)
    except (CompileError, NotSeparable) as why:
        _logger.debug("%s runs its batch as one: %s", job.name, why)
        return whole
    return batch_parts, part
