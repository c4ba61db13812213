"""What `gluon-neuron check-hlo` prints: what the Neuron compiler refuses in a module, and what the module costs."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from ..errors import HloError
from ..hlo.check import check
from ..hlo.module import read
from ..hlo.quality import Quality, quality
from .answer import Answer
from .ending import DONE, FOUND

_MOST_OPCODES = 8


def check_hlo(path: str | os.PathLike[str], target: str) -> Answer:
    """A page about the serialised HloModuleProto in a file, whose status says whether there are violations.

    Raises HloError where the file is not a module.
    """
    from tabulate import tabulate

    try:
        module = read(Path(path).read_bytes())
    except HloError as error:
        raise HloError(f"{path} is not a serialised HloModuleProto: {error}") from error
    found = check(module, target)
    page = [f"{path}: module {module.name}, checked for {target}", ""]
    # One line for what one node does several times.
    groups = Counter((v.code, v.node, v.opcode, v.text) for v in found)
    first = {(v.code, v.node, v.opcode, v.text): v.instruction for v in reversed(found)}
    rows = [(g[0], g[1], g[2], first[g], n, g[3]) for g, n in groups.items()]
    if rows:
        headers = ("Code", "Node", "Opcode", "Instruction", "Times", "What is refused")
        page.append(tabulate(rows, headers, maxcolwidths=[None, 32, None, 40, None, 60]))
        page += ["", f"* {len(found)} violations; codes beginning with GN- are known limits without a published code."]
    else:
        page.append("* No violations.")
    cost = quality(module)
    page += ["", tabulate(_quality(cost), tablefmt="plain")]
    data = {"file": path, "module": module.name, "target": target, "violations": found, "quality": cost}
    return Answer("\n".join(page), data, FOUND if found else DONE)


def _quality(q: Quality) -> list[tuple[str, str]]:
    most = ", ".join(f"{n} {opcode}" for opcode, n in list(q.opcodes.items())[:_MOST_OPCODES])
    return [
        ("Instructions", f"{q.instructions} in {q.computations} computations: {most}"),
        ("Transposes", str(q.transposes)),
        ("Unfused batch norms", str(q.unfused_batch_norms)),
        ("64-bit integers", f"{q.narrowed} instructions, computed in 32 bits"),
        ("FLOPs", f"{q.flops:,}"),
        ("Bytes", f"{q.bytes:,}: parameters {q.parameters:,}, constants {q.constants:,}, results {q.results:,}"),
        ("Largest constant", f"{q.largest_constant:,} bytes"),
        ("Bytes accessed", f"{q.bytes_accessed:,} without fusion"),
    ]
