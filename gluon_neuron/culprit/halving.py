"""Halves a region until one operator is left that parts from MXNet, each half given what MXNet gives it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import mxnet as mx

from ..differences import Difference, Tolerance, difference
from ..errors import GluonNeuronError, reason
from ..frontend.inputs import as_numpy
from ..graph.graph import Node
from ..graph.spec import dtype_name
from ..graph.subgraph import LABEL
from ..partition.regions import Region
from .found import CulpritNode, Tried
from .segment import OpenRegion


def worst(found: Sequence[mx.nd.NDArray], expected: Sequence[mx.nd.NDArray], allowed: Tolerance) -> Difference:
    """The difference of the output that differs most from what MXNet gives."""
    each = [_one(a, b, allowed) for a, b in zip(found, expected, strict=True)]
    return max(each, key=lambda d: (d.outside > 0, bool(d.other), d.max_rel), default=Difference(0, 0.0, 0.0, 0.0, 1.0))


def _one(found: mx.nd.NDArray, expected: mx.nd.NDArray, allowed: Tolerance) -> Difference:
    kind = dtype_name(expected.dtype)
    return difference(0, [(as_numpy(found), as_numpy(expected))], allowed.for_type(kind))


def within(allowed: Tolerance) -> Tolerance:
    """What results inside a model may differ by, whose values may be of any size: what outputs may differ by at most as
    an absolute number is a share of their range here."""
    share = max(allowed.of_range, min(allowed.atol, max(allowed.rtol, 1e-4)))
    return Tolerance(allowed.rtol, allowed.atol / 100, share, allowed.why)


def label(node: Node) -> CulpritNode:
    """The operator by the name that it has outside its region."""
    return CulpritNode(node.attrs.text(LABEL, node.name) or node.name, node.op)


@dataclass
class Halving:
    """The search in one region. `tried` is what was run; `stopped` says why it ended early, where it did."""

    region: OpenRegion
    allowed: Tolerance
    until: float
    tried: list[Tried] = field(default_factory=list)
    stopped: str = ""

    def try_part(self, nodes: Sequence[int]) -> Tried:
        """Compile some operators and compare them with MXNet, given what MXNet gives them."""
        part = self.region.part(nodes)
        ends = [label(self.region.graph.nodes[i]) for i in (nodes[0], nodes[-1])]
        found = Tried(self.region.name, "compiled anew", len(nodes), ends[0], ends[1])
        try:
            outside = self._difference(part)
            found = Tried(
                *(found.region, found.program, found.operators, found.first, found.last),
                *(outside.max_abs, outside.max_rel, outside.outside),
            )
        except (GluonNeuronError, mx.base.MXNetError) as error:
            found = Tried(*(found.region, found.program, found.operators, found.first, found.last), other=reason(error))
        self.tried.append(found)
        return found

    def _difference(self, part: Region) -> Difference:
        expected = [self.region.values[e] for e in part.outputs]
        return worst(self.region.run_compiled(part), expected, self.allowed)

    def smallest(self, nodes: Sequence[int]) -> Sequence[int]:
        """The fewest operators found that part from MXNet together, of some that do."""
        if len(nodes) == 1 or self._is_late():
            return nodes
        halves = nodes[: len(nodes) // 2], nodes[len(nodes) // 2 :]
        try:
            self.region.run_original(self.region.part(halves[0]))
        except (GluonNeuronError, mx.base.MXNetError) as error:
            self.stopped = f"MXNet does not run the first {len(halves[0])} by themselves: {reason(error)}"
            return nodes
        found = nodes
        for half in halves:
            if self._is_late():
                break
            if self.try_part(half).parts:
                smaller = self.smallest(half)
                found = min(found, smaller, key=len)
                if len(found) == 1:
                    break
        return found

    def _is_late(self) -> bool:
        if time.monotonic() > self.until and not self.stopped:
            self.stopped = "the time for it was over"
        return bool(self.stopped)


def swapped(found: Sequence[mx.nd.NDArray], expected: Sequence[mx.nd.NDArray], allowed: Tolerance) -> str:
    """A sentence when what is wrong in an output is right for another one."""
    for i, one in enumerate(found):
        if not worst([one], [expected[i]], allowed).outside:
            continue
        for k, other in enumerate(expected):
            if k != i and one.shape == other.shape and not worst([one], [other], allowed).outside:
                return f" Its output {i} holds what output {k} is to hold."
    return ""
