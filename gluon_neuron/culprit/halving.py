"""Halves a region until one operator is left that parts from MXNet, each half given what MXNet gives it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import mxnet as mx

from ..differences import Difference, Tolerance, difference, largest
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


def of_range(allowed: Tolerance) -> Tolerance:
    """What results inside a model may differ by, whose values may be of any size: what outputs may differ by at most as
    an absolute number is a share of their range here."""
    share = max(allowed.of_range, min(allowed.atol, max(allowed.rtol, 1e-4)))
    return Tolerance(allowed.rtol, 0.0, share, allowed.why)


def _with_rounding(allowed: Tolerance, read: Sequence[mx.nd.NDArray], made: Sequence[mx.nd.NDArray]) -> Tolerance:
    """For one operator, where what it reads may cancel out: what is left then is the rounding of that, which grows with
    the root of how many numbers are summed."""
    summed = max((a.size for a in read), default=0) / max((a.size for a in made), default=1)
    unit = 2.0**-22 * min((largest(as_numpy(a)) for a in read), default=0.0)
    rounding = min(1e-5, unit * max(1.0, summed) ** 0.5)
    most = max((allowed.absolute(largest(as_numpy(a))) for a in made), default=0.0)
    return replace(allowed, atol=max(min(allowed.atol, most), rounding), atol_of_range=0.0)


def said(error: Exception) -> str:
    """What an error says, in one line and without its full stop."""
    return " ".join(reason(error).split("\n")[0].split()).rstrip(".:")


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
    _known: dict[tuple[int, int], Tried] = field(default_factory=dict)

    def try_part(self, nodes: Sequence[int]) -> Tried:
        """Compile some operators and compare them with MXNet, given what MXNet gives them; once for the same ones."""
        key = nodes[0], nodes[-1]
        if key not in self._known:
            self._known[key] = self._try_part(nodes)
            self.tried.append(self._known[key])
        return self._known[key]

    def _try_part(self, nodes: Sequence[int]) -> Tried:
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
            found = Tried(*(found.region, found.program, found.operators, found.first, found.last), other=said(error))
        return found

    def _difference(self, part: Region) -> Difference:
        expected = [self.region.values[e] for e in part.outputs]
        allowed = self.allowed
        if len(part.nodes) == 1:
            allowed = _with_rounding(allowed, self.region.data_of(part), expected)
        return worst(self.region.run_compiled(part), expected, allowed)

    def smallest(self, nodes: Sequence[int]) -> Sequence[int]:
        """The fewest operators found that part from MXNet together, of some that do."""
        if len(nodes) == 1 or self._is_late():
            return nodes
        halves = self._halves(nodes)
        if halves is None:
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

    def most(self, nodes: Sequence[int]) -> Tried | None:
        """The operator that differs most by itself, as far as the half that differs more always holds it."""
        tried: Tried | None = None
        while len(nodes) > 1 and not self._is_late():
            halves = self._halves(nodes)
            if halves is None:
                return None
            both = [(self.try_part(half), half) for half in halves]
            tried, nodes = max(both, key=lambda one: -1.0 if one[0].other else one[0].max_rel)
        return tried if len(nodes) == 1 else None

    def _halves(self, nodes: Sequence[int]) -> tuple[Sequence[int], Sequence[int]] | None:
        """The operators cut in two, near their middle, where MXNet runs the first of both by themselves."""
        why = ""
        for cut in dict.fromkeys(max(1, len(nodes) * k // 12) for k in (6, 5, 7, 3, 9, 1, 11)):
            try:
                self.region.run_original(self.region.part(nodes[:cut]))
                return nodes[:cut], nodes[cut:]
            except (GluonNeuronError, mx.base.MXNetError) as error:
                why = why or said(error)
        self.stopped = f"MXNet does not run the first of them by themselves: {why}"
        return None

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
