"""Finds where a compiled model parts from MXNet: region by region, then inside one, then around them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mxnet as mx
import numpy as np

from ..block import NeuronHybridBlock
from ..differences import Pair, Tolerance, difference
from ..errors import GluonNeuronError
from ..frontend.export import export
from ..frontend.inputs import arguments, as_numpy, flatten, holds_np
from ..frontend.model import ExportedModel
from ..graph.graph import Graph
from ..runtime.asked import value_of
from .found import Culprit, CulpritNode, Kind, Tried
from .halving import Halving, label, of_range, said, swapped, worst
from .opened import CompiledRegion, OpenModel
from .segment import fresh
from .wiring import pair

SECONDS = 300.0
"""After so long no further operators are compiled."""

MOST_CALLS = 8
"""Of a batch that runs in parts, so many are looked at."""


def locate(
    compiled: Any,
    reference: Any,
    sample: Any,
    outputs: Sequence[Pair],
    allowed: Sequence[Tolerance],
    number: int = 0,
) -> Culprit:
    """Where `compiled` parts from `reference` for the sample of that number, for which both gave these `outputs`.

    `allowed` is the tolerance of each output.

    Raises nothing for a model that cannot be taken apart: the culprit says why it was not found.
    """
    start = time.monotonic()
    try:
        found = _Search(compiled, reference, sample, outputs, allowed, start + SECONDS).culprit()
    except Exception as error:
        # It stands on other people's models, and on what is wrong already: the verification is not to be lost with it.
        why = said(error) if isinstance(error, GluonNeuronError) else f"{type(error).__name__}: {said(error)}"
        found = Culprit(Kind.UNKNOWN, f"Where the two part could not be located: {why}.")
    return replace(found, sample=number, seconds=time.monotonic() - start)


# Those of several operators may do no more than round, where numbers cancel out.
_CERTAIN = (Kind.NODE, Kind.PROGRAM)


class _Search:
    def __init__(
        self,
        compiled: Any,
        reference: Any,
        sample: Any,
        outputs: Sequence[Pair],
        allowed: Sequence[Tolerance],
        until: float,
    ) -> None:
        self.compiled, self.reference, self.sample = compiled, reference, sample
        self.outputs, self.outer, self.until = outputs, allowed, until
        self.outermost = self.allowed = max(allowed, key=lambda t: t.of_range)
        self.tried: list[Tried] = []
        self.is_np = mx.util.is_np_array() or holds_np(sample)

    def culprit(self) -> Culprit:
        """Where it is; raises what taking the model apart raises."""
        found: list[Culprit] = []
        for arrays in self._calls():
            self.model = OpenModel(self.compiled, self.reference, arrays)
            # Values inside may be of any size. But where large ones stand beside small ones in an array, their range
            # hides these: then what the outputs are allowed is what counts.
            for allowed in dict.fromkeys((of_range(self.outermost), self.outermost)):
                self.allowed, self.tried = allowed, []
                made = self._in_regions()
                found += [made] if made else []
                if made is not None and made.kind in _CERTAIN:
                    return made
        around = self._finished(self._around(agrees=not found))
        return around if not found or around.kind in (Kind.WIRING, Kind.PARAMETERS) else found[0]

    def _calls(self) -> list[list[mx.nd.NDArray]]:
        """The arrays that the regions run with for the sample."""
        arrays = self._arrays()
        if not isinstance(self.compiled, NeuronHybridBlock):
            return [arrays]
        return [[fresh(a, self.is_np) for a in call] for call in self.compiled.whole_calls(arrays)[:MOST_CALLS]]

    def _in_regions(self) -> Culprit | None:
        """The first culprit in a region, rather one that is certain; None where each of them agrees."""
        first: Culprit | None = None
        for region in self.model.regions:
            self.tried.append(self._as_compiled(region))
            if not self.tried[-1].parts:
                continue
            inside = self._inside(region)
            if inside is None:
                continue
            found = self._finished(inside)
            first = first or found
            if found.kind in _CERTAIN:
                return found
        return first

    def _finished(self, found: Culprit) -> Culprit:
        return replace(found, tried=tuple(self.tried), tolerance=str(self.allowed))

    def _arrays(self) -> list[mx.nd.NDArray]:
        return [fresh(a, self.is_np) for a in flatten(arguments(self.reference, self.sample, self.is_np))[0]]

    def _as_compiled(self, region: CompiledRegion) -> Tried:
        graph = Graph.from_json(json.dumps(region.graph))
        ends = [label(graph.operators[i]) for i in (0, -1)]
        row = region.name, "as compiled", len(graph.operators), ends[0], ends[1]
        try:
            off = worst(self.model.as_compiled(region), self.model.expected(region), self.allowed)
        except (GluonNeuronError, mx.base.MXNetError) as error:
            return Tried(*row, other=said(error))
        return Tried(*row, off.max_abs, off.max_rel, off.outside)

    def _inside(self, region: CompiledRegion) -> Culprit | None:
        """The culprit in a region that parts from MXNet given what MXNet gives it; None where it only rounds."""
        whole = self.tried[-1]
        opened = self.model.opened(region)
        halving = Halving(opened, self.allowed, self.until)
        nodes = [n.id for n in opened.graph.operators]
        anew = halving.try_part(nodes)
        found = halving.smallest(nodes) if anew.parts else nodes
        before = len(self.tried)
        self.tried += halving.tried
        culprits = tuple(label(opened.graph.nodes[i]) for i in found)
        made = Culprit(Kind.NODE, "", region.name, culprits)
        if anew.other:
            sentence = f"{_first(whole)}, and compiled anew it cannot be compared: {anew.other}."
            return replace(made, kind=Kind.REGION, sentence=sentence, nodes=())
        if not anew.parts and len(nodes) == 1 and anew.max_abs >= whole.max_abs:
            return None  # what one operator leaves of numbers that cancel out
        if not anew.parts:
            artifact = self.model.artifact(region)
            by = ", ".join(dict.fromkeys(f"{p.engine} {p.engine_version}" for p in artifact.payloads))
            sentence = (
                f"{_first(whole)}, but not when it is compiled anew: the program that the model holds, made by "
                f"gluon_neuron {artifact.gluon_neuron} with {by}, is another. Compile the model again."
            )
            return replace(made, kind=Kind.PROGRAM, sentence=sentence, nodes=())
        if len(found) == 1:
            last = next(t for t in reversed(self.tried) if t.first == t.last == culprits[0] and t.operators == 1)
            sentence = (
                f"The first to part from MXNet is {culprits[0]} in region {region.name}: given what MXNet gives it, "
                f"it is off by {_by(last)}."
            )
            return replace(made, sentence=sentence)
        ends = f"{len(found)} operators of region {region.name}, {culprits[0]} to {culprits[-1]}"
        why = f" It was not looked for further: {halving.stopped}." if halving.stopped else ""
        hint = swapped(self.model.as_compiled(region), self.model.expected(region), self.allowed)
        if halving.stopped:
            return replace(
                made, kind=Kind.REGION, sentence=f"The first to part from MXNet are among {ends}.{why}{hint}"
            )
        most = halving.most(found)
        self.tried += halving.tried[len(self.tried) - before :]
        sentence = (
            f"{len(found)} operators of region {region.name}, {culprits[0]} to {culprits[-1]}, part from MXNet when "
            "they are compiled together: cut in two, each half is within what is allowed, given what MXNet gives it. "
            f"So it is what joins them, or each adds a little to it.{hint}"
        )
        if most is not None:
            sentence += f" By itself {most.first} differs most, by {most.max_abs:.2e}, {most.max_rel:.2%} of the range."
        return replace(made, kind=Kind.TOGETHER, sentence=sentence, suspect=most.first if most else None)

    def _around(self, agrees: bool) -> Culprit:
        """The culprit around the regions; `agrees`: each of them does, given what MXNet gives it."""
        model = self.model
        not_run = [t for t in self.tried if t.other]
        if not_run:
            why = f"region {not_run[0].region} cannot be run by itself: {not_run[0].other}"
            return Culprit(Kind.UNKNOWN, f"Where the two part could not be located: {why}.")
        arrays = self._arrays()
        agree = f"{'Each compiled region' if agrees else 'Each operator'} agrees with MXNet, given what MXNet gives it"
        agree = agree if model.regions else "Nothing was compiled"
        if self._parts(model.original(arrays)):
            return self._other_model(agree)
        if not self._parts(model.whole(arrays)):
            return Culprit(
                Kind.CALL,
                f"{agree}, and so do all of them together in MXNet's cached operator: what differs is how the block "
                "calls them (padding to a bucket, parts of a batch, arrays that were replaced unseen).",
            )
        most = max(self.tried, key=lambda t: t.max_rel, default=None)
        where = f"; the most, {most.max_rel:.2e} of the range, in region {most.region}" if most else ""
        sentence = f"{agree}; what differs adds up over several, or an operator left in MXNet makes more of it{where}."
        return Culprit(Kind.SUM, sentence)

    def _parts(self, found: Sequence[mx.nd.NDArray]) -> bool:
        """Whether results for the sample are not the reference's."""
        if len(found) != len(self.outputs):
            return True
        pairs = [(as_numpy(a), expected) for a, (_, expected) in zip(found, self.outputs)]
        return any(difference(0, [pair], t).outside for pair, t in zip(pairs, self.outer))

    def _other_model(self, agree: str) -> Culprit:
        """The culprit where the model's own operators and parameters, run by MXNet, part from the reference."""
        own = "its own operators and parameters, run by MXNet, give something else than the reference"
        try:
            theirs = export(self.reference, self.sample)
        except (GluonNeuronError, mx.base.MXNetError) as error:
            return Culprit(Kind.UNKNOWN, f"{agree}, and {own}, whose graph is not known: {said(error)}")
        ours = self.model.inlined()
        raw = json.loads(theirs.symbol.tojson(remove_amp_cast=False))
        pairing = pair(ours, raw, self.model.inputs, theirs.inputs)
        if pairing.mismatch is not None:
            node = pairing.mismatch.node
            region = self._region_of(node)
            within = f" (region {region})" if region else ""
            sentence = f"{agree}, but the graphs differ: {pairing.mismatch.sentence}{within}."
            return Culprit(Kind.WIRING, sentence, region, (node,))
        changed = [n for n, other in pairing.variables.items() if self._changed(n, other, theirs)]
        if changed:
            shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
            sentence = f"{agree}, but {len(changed)} of the parameters are not the reference's: {shown}."
            return Culprit(Kind.PARAMETERS, sentence)
        return Culprit(Kind.UNKNOWN, f"{agree}, and graph and parameters are the reference's, but {own}.")

    def _region_of(self, node: CulpritNode) -> str:
        for region in self.model.regions:
            if node in [label(n) for n in Graph.from_json(json.dumps(region.graph)).operators]:
                return region.name
        return ""

    def _changed(self, ours: str, theirs: str, reference: ExportedModel) -> bool:
        if ours not in self.model.params or theirs not in reference.params:
            return False
        one, other = self.model.params[ours], reference.params[theirs]
        if one is other:
            return False
        a, b = as_numpy(value_of(one)), as_numpy(value_of(other))
        return not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _first(whole: Tried) -> str:
    return (
        f"Region {whole.region} ({whole.operators} operators, {whole.first} to {whole.last}) parts from MXNet, given "
        f"what MXNet gives it, by {_by(whole)}"
    )


def _by(tried: Tried) -> str:
    if math.isfinite(tried.max_abs):
        return f"{tried.max_abs:.2e}, {tried.max_rel:.2%} of MXNet's largest value"
    return "values that are not finite, where MXNet's are, or the other way round"
