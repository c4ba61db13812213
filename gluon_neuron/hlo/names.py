"""Names: the MXNet node in an instruction's metadata, and names that XLA accepts."""

from __future__ import annotations

import re

# Where jax's own structure begins, inside the named scope of a node.
_STRUCTURE = re.compile(
    r"while|cond|body|scan|closed_call|core_call|checkpoint|remat\d?|branch_\d+_fun|custom_jvp_call|custom_vjp_call.*"
    r"|(?:jit|pjit|jvp|vmap|transpose|remat|checkpoint|custom_jvp|custom_vjp)\(.*\)"
)
_OUTER = re.compile(r"(?:jit|pjit)\([^/]*\)/")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_.-]")


def node_of(op_name: str) -> str:
    """The MXNet node in op_name: "conv0" of "jit(f)/jit(main)/conv0/conv_general_dilated[...]"; "" if there is none.

    The lowering opens a named scope around each node; what jax puts before (its own functions), after (the primitive)
    and inside (loops, inner functions) is not part of it. A node's name may have slashes.
    """
    path = plain(op_name).split("/")[:-1]
    inside = next((i for i, part in enumerate(path) if _STRUCTURE.fullmatch(part)), len(path))
    return "/".join(path[:inside])


def plain(op_name: str) -> str:
    """op_name without jax's outermost functions and the primitive's parameters."""
    while found := _OUTER.match(op_name):
        op_name = op_name[found.end() :]
    return op_name.partition("[")[0]


def legal(name: str) -> str:
    """`name` with what XLA allows in names: letters, digits, and "_.-", of which the first is a letter or "_"."""
    name = _FORBIDDEN.sub("_", name)
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"
