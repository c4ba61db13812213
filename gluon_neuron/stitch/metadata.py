"""What a compiled model remembers of its block, carried by an attribute of the symbol, which plain files keep."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import mxnet as mx

from ..graph.spec import Spec
from ..graph.subgraph import METADATA
from ..report import Report

KEY = METADATA


@dataclass(frozen=True)
class Metadata:
    """Names, specs and nesting of the inputs, nesting of the outputs, batch option, and the report."""

    inputs: tuple[str, ...]
    specs: tuple[Spec, ...]
    in_format: Any
    out_format: Any
    is_np: bool
    dynamic_batch: bool
    batch_sizes: tuple[int, ...]
    report: Report

    def to_json(self) -> str:
        """The text that is stored in the symbol."""
        return json.dumps(
            {
                "inputs": self.inputs,
                "specs": [[s.shape, s.dtype] for s in self.specs],
                "in_format": self.in_format,
                "out_format": self.out_format,
                "is_np": self.is_np,
                "dynamic_batch": self.dynamic_batch,
                "batch_sizes": self.batch_sizes,
                "report": self.report.to_dict(),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Metadata:
        """The inverse of `to_json`."""
        raw = json.loads(text)
        return cls(
            tuple(raw["inputs"]),
            tuple(Spec(tuple(shape), dtype) for shape, dtype in raw["specs"]),
            raw["in_format"],
            raw["out_format"],
            raw["is_np"],
            raw["dynamic_batch"],
            tuple(raw["batch_sizes"]),
            Report.from_dict(raw["report"]),
        )


def find(symbol: mx.sym.Symbol) -> Metadata | None:
    """The metadata of a compiled symbol; None for any other symbol."""
    for attrs in symbol.attr_dict().values():
        if KEY in attrs:
            return Metadata.from_json(attrs[KEY])
    return None
