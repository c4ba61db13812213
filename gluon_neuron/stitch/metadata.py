"""What a compiled model remembers of its block, carried by an attribute of the symbol, which plain files keep."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..class_names import checked_classes
from ..errors import GraphError
from ..graph.batch import BatchAxes, with_batch
from ..graph.buckets import Buckets
from ..graph.identity import graph_hash
from ..graph.spec import Spec
from ..graph.subgraph import METADATA, NODE_NAME, SUBGRAPH_OP
from ..options import CompileOptions
from ..preprocessing import Preprocessing
from ..report import Report
from . import kept_options
from .drawn_symbol import drawn_symbol

if TYPE_CHECKING:
    import mxnet as mx

KEY = METADATA

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Metadata:
    """Names, specs and nesting of the inputs, nesting of the outputs, batch options, report, names of the arguments.

    `batch_axes` is what was proved for the option `dynamic_batch`; models of 0.1.0 have the option without it, and run
    any batch as it comes. `open_shapes`: MXNet knows the shapes of some arrays only once it has computed them. `shapes`
    are those of the inputs, in order, that were compiled beside the sample's and the batch sizes', and `buckets` says
    which calls are padded to one of them. `options` are those of the compile, None for files that kept none;
    `classes` and `preprocessing` are what the model's results and inputs mean, where somebody said so.
    """

    inputs: tuple[str, ...]
    specs: tuple[Spec, ...]
    in_format: Any
    out_format: Any
    is_np: bool
    dynamic_batch: bool
    batch_sizes: tuple[int, ...]
    report: Report
    batch_axes: BatchAxes | None = None
    open_shapes: bool = False
    arguments: tuple[str, ...] = ()
    shapes: tuple[Shapes, ...] = ()
    buckets: Buckets | None = None
    options: CompileOptions | None = None
    classes: tuple[str, ...] = ()
    preprocessing: Preprocessing | None = None

    @property
    def static_shapes(self) -> tuple[Shapes, ...]:
        """The shapes of the inputs, in order, for which there are programs of their own; the sample's first."""
        sample = tuple(s.shape for s in self.specs)
        sizes = (tuple(with_batch(s, n) for s in sample) for n in self.batch_sizes)
        return tuple(dict.fromkeys((sample, *sizes, *self.shapes)))

    def to_json(self, graph: str = "") -> str:
        """The text that is stored in the symbol, whose `graph_hash` tells later whether it is still the same."""
        return json.dumps(
            {
                **({"graph": graph} if graph else {}),
                "inputs": self.inputs,
                "specs": [[s.shape, s.dtype] for s in self.specs],
                "in_format": self.in_format,
                "out_format": self.out_format,
                "is_np": self.is_np,
                "dynamic_batch": self.dynamic_batch,
                **({"batch_axes": self.batch_axes.to_json()} if self.batch_axes else {}),
                **({"open_shapes": True} if self.open_shapes else {}),
                "batch_sizes": self.batch_sizes,
                **({"shapes": self.shapes} if self.shapes else {}),
                **({"buckets": self.buckets.to_json()} if self.buckets else {}),
                **({"options": kept_options.to_json(self.options)} if self.options else {}),
                **({"classes": self.classes} if self.classes else {}),
                **({"preprocessing": self.preprocessing.to_json()} if self.preprocessing else {}),
                "report": self.report.to_dict(),
                "arguments": self.arguments,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Metadata:
        """The inverse of `to_json`."""
        raw = json.loads(text)
        specs = tuple(Spec(tuple(shape), dtype) for shape, dtype in raw["specs"])
        axes = raw.get("batch_axes")
        return cls(
            tuple(raw["inputs"]),
            specs,
            raw["in_format"],
            raw["out_format"],
            raw["is_np"],
            raw["dynamic_batch"],
            tuple(raw["batch_sizes"]),
            Report.from_dict(raw["report"]),
            BatchAxes.from_json(axes, [s.shape for s in specs]) if axes else None,
            raw.get("open_shapes", False),
            tuple(raw.get("arguments", ())),  # release 0.1.0 had none
            tuple(tuple(map(tuple, shapes)) for shapes in raw.get("shapes", ())),
            Buckets.from_json(raw["buckets"]) if raw.get("buckets") else None,
            options=kept_options.from_json(raw["options"]) if "options" in raw else None,
            classes=checked_classes(raw.get("classes")),
            preprocessing=Preprocessing.from_json(raw["preprocessing"]) if raw.get("preprocessing") else None,
        )


EDITED = "what was known of its inputs, outputs and operators is not so any more"
"""What is to be said of a compiled symbol that is not as it was compiled."""


def find(symbol: mx.sym.Symbol) -> Metadata | None:
    """The metadata of a compiled symbol; None for any other symbol, and for one that was edited after it was compiled:
    joined with others, put into another model, or with outputs taken off."""
    return find_in_text(symbol.tojson(remove_amp_cast=False))


def find_in_text(text: str) -> Metadata | None:
    """As `find`, for a symbol's JSON."""
    if KEY not in text:
        return None
    raw = json.loads(text)
    for node in raw["nodes"]:
        kept = node.get("attrs", {}).get(KEY)
        if kept is not None and _is_of(raw, json.loads(kept)):
            return _with_graph(Metadata.from_json(kept), raw)
    return None


def _with_graph(metadata: Metadata, raw: dict[str, Any]) -> Metadata:
    """The metadata, whose report can be drawn also where an earlier release wrote it."""
    report = metadata.report
    if report.graph is not None:
        return metadata
    try:
        graph = drawn_symbol(raw, metadata.inputs, [r.name for r in report.regions])
    except GraphError:  # it runs all the same
        return metadata
    return replace(metadata, report=replace(report, graph=graph))


def is_edited(text: str) -> bool:
    """Whether a symbol's JSON without metadata that `find` takes was once a compiled symbol's, or holds one."""
    nodes = json.loads(text)["nodes"]
    return any(KEY in n.get("attrs", {}) or NODE_NAME in n.get("attrs", {}) for n in nodes)


def _is_of(raw: dict[str, Any], kept: dict[str, Any]) -> bool:
    if "graph" in kept:
        return bool(kept["graph"] == graph_hash(raw, casts=False))
    # Of release 0.1.0, which kept no hash.
    names = {n["name"] for n in raw["nodes"] if n["op"] == "null"}
    compiled = sum(n["op"] == SUBGRAPH_OP for n in raw["nodes"])
    return (
        set(kept["inputs"]) <= names
        and compiled == len(kept["report"]["regions"])
        and len(raw["heads"]) == _count(kept["out_format"])
    )


def _count(nesting: Any) -> int:
    """How many arrays there are in Gluon's description of a nesting."""
    if isinstance(nesting, list):
        return sum(map(_count, nesting))
    return 1 if nesting == 0 else max(0, int(nesting))
