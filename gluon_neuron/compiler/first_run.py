"""Runs a compiled model once, to find now a program that the engine refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence

import mxnet as mx

from ..block import NeuronHybridBlock
from ..engine import native_library
from ..errors import CompileError, reason
from ..frontend.model import ExportedModel
from ..graph.graph import Graph
from ..graph.spec import Spec, mxnet_dtype
from ..options import CompileOptions
from ..report import Outside
from ..runtime.front_end import shape_rules
from .pack import CompiledRegion
from .regions import outside

_SPEAKER = re.compile(r"gluon_neuron: (?:artifact of )?node (\S+?):? ")
"""How the native operator begins an error, with the name of the node whose error it is."""


def first_run(
    block: NeuronHybridBlock,
    model: ExportedModel,
    compiled: Sequence[CompiledRegion],
    graph: Graph,
    options: CompileOptions,
) -> dict[int, Outside]:
    """Run the model once on zeros; returns the operators, by id, that then stay outside.

    Raises CompileError with strict=True, and BlockError where MXNet cannot run what stays in it.
    """
    if block._metadata.open_shapes:
        block._open_call(mx.current_context())
    if not compiled:
        return {}
    try:
        ctx = next(iter(block.collect_params().values())).list_ctx()[0]
        zeros = [_zeros(model.specs[n], ctx, model.is_np) for n in model.inputs]
        before = native_library.stats()["fallbacks"]
        with native_library.cpu_allowed():
            for out in block._run(zeros):
                out.wait_to_read()
        if native_library.stats()["fallbacks"] != before:
            block._sessions.clear()  # the first call of the user's is to say that there is no chip
        return {}
    except mx.base.MXNetError as error:
        text, is_open = str(error), block._metadata.open_shapes
        # What a region's own error begins with. Elsewhere in the text, a name may be that of any node of the model.
        named = _SPEAKER.search(text)
        for c in compiled:
            if (named is not None and named[1] == c.cut.name) or (len(compiled) == 1 and not is_open):
                why = reason(error)
                if options.strict:
                    raise CompileError(f"Region {c.cut.name} does not run: {why}") from error
                return outside(graph, dict.fromkeys(c.cut.region.nodes, why))
        if is_open:  # what MXNet makes of zeros, such as nothing at all, need not be what it makes of data
            return {}
        raise


def _zeros(spec: Spec, ctx: mx.Context, is_np: bool) -> mx.nd.NDArray:
    # An input that no operator reads may have any shape, such as one without elements, whatever the model's front end.
    with shape_rules(is_np or not spec.size or not spec.shape):
        if spec.dtype == "bfloat16":
            return mx.nd.zeros(spec.shape, ctx).astype(mxnet_dtype(spec.dtype))
        return mx.nd.zeros(spec.shape, ctx, dtype=spec.dtype)
