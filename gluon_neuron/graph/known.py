"""Finds the nodes whose values follow from shapes and attributes alone, so that they fold while a region is lowered."""

from __future__ import annotations

from .graph import Graph

_SOURCES = frozenset(
    (
        "shape_array",
        "size_array",
        "_contrib_index_array",
        "zeros_like",
        "ones_like",
        "_contrib_arange_like",
        "_zeros",
        "_ones",
        "_full",
        "_arange",
        "_linspace",
        "_eye",
        "_npi_zeros",
        "_npi_ones",
        "_npi_arange",
        "_npi_eye",
        "_npi_full",
        "_npi_full_like",
        "_npi_identity",
        "_npi_indices",
        "_npi_linspace",
        "_npi_logspace",
        "_npi_diag_indices_from",
        "_npi_blackman",
        "_npi_hamming",
        "_npi_hanning",
    )
)


def known_from_shapes(graph: Graph) -> frozenset[int]:
    """The ids of those nodes: they are computed in NumPy, with MXNet's own dtypes, and never by an engine."""
    known: set[int] = set()
    for node in graph.operators:
        if node.op in _SOURCES or (node.inputs and all(e.node in known for e in node.inputs)):
            known.add(node.id)
    return frozenset(known)
