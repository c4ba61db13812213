"""Modules to test with: lowered by jax, parsed from XLA's text, or with newer XLA's ids; and a way to run them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence

import numpy as np

from gluon_neuron.dialect.in_jax.importing import wide_types
from gluon_neuron.hlo.fields import InComputation, InInstruction, InModule
from gluon_neuron.hlo.wire import Message, Pieces, edited
from tests.doubles import xla


def lowered(function: Callable, *arrays: np.ndarray, x64: bool = False) -> bytes:
    """The module that jax makes of a function of arrays."""
    import jax

    with wide_types() if x64 else contextlib.nullcontext():
        made = jax.jit(function, keep_unused=True).lower(*arrays)
    return with_small_ids(made.compiler_ir("hlo").as_serialized_hlo_module_proto())


def parsed(entry: str, others: str = "", head: str = "HloModule test") -> bytes:
    """The module of an entry computation's lines, and other computations, in XLA's text."""
    text = f"{head}\n{others}\nENTRY main {{\n{entry}\n}}\n"
    return with_small_ids(xla.named("hlo_module_from_text")(text).as_serialized_hlo_module_proto())


def verified(data: bytes):
    """XLA's own view of a module; raises what XLA raises for one that is not well formed."""
    return xla.named("HloModule").from_serialized_hlo_module_proto(data)


def run(data: bytes, *arrays: np.ndarray) -> list[np.ndarray]:
    """The results that XLA's CPU backend computes."""
    return xla.loaded(data)(arrays)


def xla_flops(data: bytes) -> int:
    """What XLA's cost analysis counts, transcendentals included."""
    import jax

    found = xla.named("hlo_module_cost_analysis")(jax.devices("cpu")[0].client, verified(data))
    return int(found["flops"] + found.get("transcendentals", 0))


def with_large_ids(data: bytes) -> bytes:
    """The module with ids as newer XLA writes them: the computation's in the upper half, a small one in the lower."""
    return _numbered(Message(data), lambda computation, n: 72 + computation << 32 | n)


def with_small_ids(data: bytes) -> bytes:
    """The module with ids as older XLA writes them; it is the module itself where they are small."""
    message = Message(data)
    every = [
        i.integer(InInstruction.ID)
        for c in message.messages(InModule.COMPUTATIONS)
        for i in c.messages(InComputation.INSTRUCTIONS)
    ]
    if max(every) < 1 << 31:
        return data
    count = itertools.count(1)
    return _numbered(message, lambda computation, n: next(count))


def _numbered(message: Message, number: Callable[[int, int], int]) -> bytes:
    computations = []
    for place, c in enumerate(message.messages(InModule.COMPUTATIONS)):
        instructions = c.messages(InComputation.INSTRUCTIONS)
        ids = {i.integer(InInstruction.ID): number(place, n) for n, i in enumerate(instructions)}
        changed = [
            edited(
                i,
                {
                    InInstruction.ID: Pieces().whole(InInstruction.ID, ids[i.integer(InInstruction.ID)]),
                    InInstruction.OPERANDS: _ids(InInstruction.OPERANDS, i, ids),
                    InInstruction.PREDECESSORS: _ids(InInstruction.PREDECESSORS, i, ids),
                },
            )
            for i in instructions
        ]
        root = Pieces().whole(InComputation.ROOT_ID, ids[c.integer(InComputation.ROOT_ID)])
        parts = [Pieces().message(InComputation.INSTRUCTIONS, i) for i in changed]
        computations.append(edited(c, {InComputation.INSTRUCTIONS: parts, InComputation.ROOT_ID: root}))
    parts = [Pieces().message(InModule.COMPUTATIONS, c) for c in computations]
    return edited(message, {InModule.COMPUTATIONS: parts}).join()


def _ids(number: int, i: Message, ids: dict[int, int]) -> Pieces:
    return Pieces().wholes(number, (ids[n] for n in i.integers(number)))


def net(x, weight, gamma, beta, mean, var, dense):
    """Convolution, batch norm, pooling, a loop and a dense layer, in the named scopes that the lowering opens."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    with jax.named_scope("net0_conv0"):
        x = lax.conv_general_dilated(x, weight, (1, 1), ((1, 1), (1, 1)), dimension_numbers=("NCHW", "OIHW", "NCHW"))
    with jax.named_scope("net0/bn 0"):
        scale = gamma * lax.rsqrt(var + 1e-5)
        x = x * scale[:, None, None] + (beta - mean * scale)[:, None, None]
    with jax.named_scope("pool0"):
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    with jax.named_scope("loop0"):
        x = lax.fori_loop(0, 5, lambda i, c: c * 1.5, x)
    with jax.named_scope("dense0"):
        return x.reshape(x.shape[0], -1) @ dense.T, x


def net_arrays() -> tuple[np.ndarray, ...]:
    """Arrays for `net`."""
    shapes = (2, 3, 8, 8), (4, 3, 3, 3), (4,), (4,), (4,), (4,), (5, 64)
    return tuple(np.random.rand(*s).astype("float32") for s in shapes)


NET_INPUTS: Sequence[str] = ("data", "net0/conv0 weight", "gamma", "beta", "mean", "var", "dense")
