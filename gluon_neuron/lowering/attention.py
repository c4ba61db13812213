"""Attention of transformers: scaling, and products of interleaved projections of queries, keys and values."""

from __future__ import annotations

from math import sqrt
from typing import Any

from ..graph.graph import Node
from .common import first_of, same_dtypes
from .extents import nonempty
from .registry import rule


@rule("_contrib_div_sqrt_dim", refuse=nonempty)
def div_sqrt_dim(xp: Any, n: Node, x: Any) -> Any:
    """x divided by the root of its last axis' size."""
    return xp.multiply(x, 1 / sqrt(x.shape[-1]))


def _part(xp: Any, n: Node, x: Any, count: int, which: int) -> Any:
    """One of `count` interleaved projections of x (T, N, heads * count * D), as (N, heads, T, D)."""
    steps, batch, width = x.shape
    heads = n.attrs.integer("heads")
    x = xp.reshape(x, (steps, batch, heads, count, width // (heads * count)))
    return xp.permute_dims(x[:, :, :, which, :], (1, 2, 0, 3))


def _scores(xp: Any, n: Node, queries: Any, keys: Any) -> Any:
    """Products of queries (N, heads, T, D), scaled, with keys (N, heads, S, D), as (N * heads, T, S)."""
    scaled = xp.multiply(queries, 1 / sqrt(queries.shape[-1]))
    return xp.reshape(xp.matmul(scaled, keys, transpose_b=True), n.out.shape)


def _weighted(xp: Any, n: Node, values: Any, attention: Any) -> Any:
    """Values (N, heads, S, D) weighted by attention (N * heads, T, S), as (T, N, heads * D)."""
    batch, heads = values.shape[:2]
    attention = xp.reshape(attention, (batch, heads, *attention.shape[1:]))
    return xp.reshape(xp.permute_dims(xp.matmul(attention, values), (2, 0, 1, 3)), n.out.shape)


_REFUSE = first_of(nonempty, same_dtypes)


@rule("_contrib_interleaved_matmul_selfatt_qk", refuse=_REFUSE)
def selfatt_qk(xp: Any, n: Node, qkv: Any) -> Any:
    """Scores (N * heads, T, T) of queries, keys and values (T, N, heads * 3 * D)."""
    return _scores(xp, n, _part(xp, n, qkv, 3, 0), _part(xp, n, qkv, 3, 1))


@rule("_contrib_interleaved_matmul_selfatt_valatt", refuse=_REFUSE)
def selfatt_valatt(xp: Any, n: Node, qkv: Any, attention: Any) -> Any:
    """The values among queries, keys and values (T, N, heads * 3 * D), weighted by attention (N * heads, T, T)."""
    return _weighted(xp, n, _part(xp, n, qkv, 3, 2), attention)


@rule("_contrib_interleaved_matmul_encdec_qk", refuse=_REFUSE)
def encdec_qk(xp: Any, n: Node, queries: Any, kv: Any) -> Any:
    """Scores (N * heads, T, S) of queries (T, N, heads * D) with the keys among (S, N, heads * 2 * D)."""
    return _scores(xp, n, _part(xp, n, queries, 1, 0), _part(xp, n, kv, 2, 0))


@rule("_contrib_interleaved_matmul_encdec_valatt", refuse=_REFUSE)
def encdec_valatt(xp: Any, n: Node, kv: Any, attention: Any) -> Any:
    """The values among keys and values (S, N, heads * 2 * D), weighted by attention (N * heads, T, S)."""
    return _weighted(xp, n, _part(xp, n, kv, 2, 1), attention)
