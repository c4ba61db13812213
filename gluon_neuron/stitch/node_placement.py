"""What a compiled node says about where it shall run: the NeuronCore, and whether the CPU may stand in."""

from __future__ import annotations

from collections.abc import Sequence

from ..artifact.container import Payload
from ..errors import CompileError
from ..graph.subgraph import CORE, STRICT
from ..options import CompileOptions


def placing(payloads: Sequence[Payload], options: CompileOptions) -> dict[str, str]:
    """The attributes; raises CompileError when a program takes more cores than the option names."""
    needed = max((p.program.get("cores", 1) for p in payloads), default=1)
    if needed > len(options.cores) > 1:
        raise CompileError(
            f"The region takes {needed} NeuronCores, and option cores names {len(options.cores)}. Name as many, or "
            "only the first."
        )
    core = {CORE: str(options.cores[0])} if options.cores else {}
    return core | ({STRICT: "1"} if options.strict and any(p.engine == "nrt" for p in payloads) else {})
