"""Faults that were once there, put back on purpose: drawn graphs find each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gluon_neuron.compiler import batch_axes, cut_region, pack
from gluon_neuron.graph import subgraph
from gluon_neuron.graph.batch import BatchAxes, OutputAxis
from gluon_neuron.runtime import artifact_parameters, asked, belonging, mxnet_private

from .test_drawn_graphs import run

EXAMPLES = 200

Patch = pytest.MonkeyPatch


def equal_names(patch: Patch) -> None:
    """Outputs of regions are found by their nodes' names, and are those of the last of a name."""

    def extract(*args: Any) -> Any:
        found = subgraph.extract(*args)
        raw: Any = found.raw
        names = [node.get("attrs", {}).get(subgraph.LABEL, node["name"]) for node in raw["nodes"]]
        last = {(name, node["op"]): i for i, (name, node) in enumerate(zip(names, raw["nodes"], strict=True))}
        heads = [[last[names[i], raw["nodes"][i]["op"]], *rest] for i, *rest in raw["heads"]]
        return replace(found, raw={**raw, "heads": heads})

    patch.setattr(cut_region, "extract", extract)


def one_name_for_artifacts(patch: Patch) -> None:
    """Every model calls its artifacts the same, and nobody looks whose they are."""
    patch.setattr(pack, "_artifact_name", lambda node, *rest: f"{node}_neuronbin")
    patch.setattr(belonging, "check_artifacts", lambda *args: None)


def parameters_asked_once(patch: Patch) -> None:
    """A session keeps the array that data() gave first."""
    patch.setattr(asked.Asked, "follow", lambda self: True)


def artifacts_averaged(patch: Patch) -> None:
    """What lies on several contexts is saved as its mean."""

    def mean(param: Any) -> Any:
        arrays = [a.copyto(param.list_ctx()[0]) for a in param.list_data()]
        return sum(arrays[1:], arrays[0]) / len(arrays)

    patch.setattr(artifact_parameters, "first_copy", mean)
    patch.setattr(mxnet_private, "first_copy", mean)


def any_model_in_parts(patch: Patch) -> None:
    """A model is taken to have its samples along the first axes, of outputs too."""

    def proved(model: Any, text: str, axes: Any) -> BatchAxes:
        graph = batch_axes.annotate(text, model.all_specs(), model.is_np)
        specs = [graph.nodes[h.node].outs[h.output] for h in graph.heads]
        size = model.specs[model.inputs[0]].shape[0]
        outputs = tuple(OutputAxis(0, max(1, s.shape[0] // size)) if s and s.shape else None for s in specs)
        return BatchAxes((0,) * len(model.inputs), outputs, size)

    patch.setattr(batch_axes, "_proved", proved)


FAULTS: dict[Callable[[Patch], None], tuple[str, ...]] = {
    equal_names: ("called_again",),
    one_name_for_artifacts: ("joined",),
    parameters_asked_once: ("computed_parameters",),
    artifacts_averaged: ("files",),
    any_model_in_parts: ("any_batch",),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_found(fault: Callable[[Patch], None], monkeypatch: Patch) -> None:
    fault(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017 - wrong values, or an error of MXNet's or ours, as the fault has it
        run(EXAMPLES, 0, FAULTS[fault], shrink=False)
