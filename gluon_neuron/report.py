"""Report: what was compiled, what was not, and why; prints itself as tables."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .refusal import Category
from .report_graph import ReportGraph

REASONS: Mapping[str, str] = {category.value: category.description for category in Category}
"""The closed list of categories of reasons why a node stays in MXNet, by their words."""


@dataclass(frozen=True)
class Outside:
    """One operator that stays in MXNet: its node, its operator, the category, and the sentence.

    The category is a `Category`, also where its word was given; only a word that this version does not know stays one.
    """

    node: str
    op: str
    category: str
    sentence: str

    def __post_init__(self) -> None:
        if self.category in REASONS:
            object.__setattr__(self, "category", Category(self.category))

    def __getstate__(self) -> dict[str, str]:
        # Files hold the word, as they always did.
        return {**self.__dict__, "category": str(self.category)}

    def __setstate__(self, state: Mapping[str, str]) -> None:
        self.__dict__.update(state)
        self.__post_init__()


@dataclass(frozen=True)
class ProgramReport:
    """One program that a Neuron compiler made: for which target, by which command, whether it was in the cache, the
    seconds it took now, the NeuronCores it runs on, and what is known of the module it was made of."""

    target: str
    compiler: str
    command: str
    cached: bool
    seconds: float
    cores: int
    quality: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DynamicDimension:
    """Axes of a region's inputs, as (input, axis), that have one extent, which may be any from `min` to `max` that is
    whole steps of `step` from the sample's."""

    axes: tuple[tuple[str, int], ...]
    min: int
    max: int
    step: int = 1

    def __str__(self) -> str:
        places = ", ".join(f"axis {axis} of {name}" for name, axis in self.axes[:3])
        more = f" and {len(self.axes) - 3} more" if len(self.axes) > 3 else ""
        steps = "" if self.step == 1 else f" in steps of {self.step}"
        return f"{places}{more} from {self.min} to {self.max}{steps}"


@dataclass(frozen=True)
class BucketReport:
    """Axes of the model's inputs, as (input, axis), that have one extent, the extents of its buckets, and what each of
    the axes is padded with where that is declared to be harmless; None where it is proved."""

    axes: tuple[tuple[str, int], ...]
    extents: tuple[int, ...]
    values: tuple[float, ...] | None = None

    def __str__(self) -> str:
        places = " and ".join(f"axis {axis} of {name}" for name, axis in self.axes)
        if self.values is None:
            how = "padding is proved to be harmless"
        else:
            how = f"padded with {', '.join(map(str, dict.fromkeys(self.values)))}, which is declared to be harmless"
        return f"{places}: {', '.join(map(str, self.extents))}; {how}"


@dataclass(frozen=True)
class RegionReport:
    """One compiled region: its node in the new symbol, the number of operators in it, and their FLOPs.

    `programs` are those of Neuron compilers, one for each static shape. The CPU computes the sample's batch in
    `batch_parts`. `dynamic_dimensions` are what may change in its inputs' shapes so that one program for the CPU still
    serves, `dynamic` says so in words, and `why_static` says why there is no such program, so that one is compiled when
    a shape is first met, or, beside a dynamic program, what it lacks of what option dynamic names.
    """

    name: str
    operators: int
    flops: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    programs: tuple[ProgramReport, ...] = ()
    batch_parts: int = 1
    dynamic: tuple[str, ...] = ()
    why_static: str = ""
    dynamic_dimensions: tuple[DynamicDimension, ...] = ()

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Before they were called so, batch parts were "parts".
        self.__dict__.update({"batch_parts" if k == "parts" else k: v for k, v in state.items()})

    @property
    def parts(self) -> int:
        """The former name of `batch_parts`."""
        return self.batch_parts


@dataclass(frozen=True)
class Report:
    """What became of each operator of a model.

    `operators` and `flops` count the whole model; `regions` lists what was compiled, `outside` what was not; `seconds`
    is the wall time of each phase. `auto_cast` and `auto_cast_type` say what may be computed in which type.
    `static_shapes` are those for which there are programs of their own, the sample's first, each by the inputs' names,
    and `buckets` the axes that are padded up to these. `graph` is what `save` draws; None in a pickle of an earlier
    release.
    """

    target: str
    engine: str
    operators: int
    flops: int
    regions: tuple[RegionReport, ...] = ()
    outside: tuple[Outside, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    auto_cast: str = "none"
    auto_cast_type: str = "bf16"
    static_shapes: tuple[Mapping[str, tuple[int, ...]], ...] = ()
    buckets: tuple[BucketReport, ...] = ()
    graph: ReportGraph | None = field(default=None, repr=False)

    @property
    def compiled_operators(self) -> int:
        """The number of operators inside compiled regions."""
        return sum(r.operators for r in self.regions)

    @property
    def compiled_flops(self) -> int:
        """The floating-point operations of one call that happen inside compiled regions."""
        return sum(r.flops for r in self.regions)

    @property
    def operator_share(self) -> float:
        """Compiled operators as a share of all, 0 to 1."""
        return self.compiled_operators / self.operators if self.operators else 0.0

    @property
    def flops_share(self) -> float:
        """Compiled FLOPs as a share of all, 0 to 1."""
        return self.compiled_flops / self.flops if self.flops else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-compatible values."""
        raw = asdict(replace(self, graph=None))
        raw["graph"] = self.graph and self.graph.to_dict()
        for found in raw["outside"]:
            found["category"] = str(found["category"])
        return raw

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Report:
        """The inverse of `to_dict`."""
        regions = tuple(
            RegionReport(
                *(r["name"], r["operators"], r["flops"], tuple(r["inputs"]), tuple(r["outputs"])),
                tuple(ProgramReport(**p) for p in r.get("programs", ())),
                *(r.get("batch_parts", r.get("parts", 1)), tuple(r.get("dynamic", ())), r.get("why_static", "")),
                tuple(
                    DynamicDimension(tuple((n, a) for n, a in d["axes"]), d["min"], d["max"], d["step"])
                    for d in r.get("dynamic_dimensions", ())
                ),
            )
            for r in raw["regions"]
        )
        outside = tuple(Outside(**o) for o in raw["outside"])
        rest = {k: raw[k] for k in ("target", "engine", "operators", "flops", "seconds")}
        rest |= {k: raw[k] for k in ("auto_cast", "auto_cast_type") if k in raw}
        rest["static_shapes"] = tuple({n: tuple(s) for n, s in one.items()} for one in raw.get("static_shapes", ()))
        rest["buckets"] = tuple(
            BucketReport(
                tuple((n, a) for n, a in b["axes"]),
                tuple(b["extents"]),
                None if b["values"] is None else tuple(b["values"]),
            )
            for b in raw.get("buckets", ())
        )
        graph = ReportGraph.from_dict(raw["graph"]) if raw.get("graph") else None
        return cls(regions=regions, outside=outside, graph=graph, **rest)

    def save(self, path: str | os.PathLike[str], seconds: Mapping[str, float] | None = None) -> None:
        """Write the report as one page of HTML that loads nothing: the partitioned graph, drawn, and all that it says.

        `path` ends in ".html". `seconds` has how long a call spends in regions and operators, by their names, to be
        shown with these. Raises OptionError for another ending, and for a name or a time that is none, and ExportError
        where the file cannot be written.
        """
        from .pages.saved import save_page

        save_page(self, path, seconds or {})

    def _repr_html_(self) -> str:
        from .pages.summary import summary

        return summary(self)

    def __str__(self) -> str:
        from tabulate import tabulate

        lines = [
            f"Target {self.target} (engine {self.engine}): {self.compiled_operators} of {self.operators} operators "
            f"({self.operator_share:.1%}) and {self.flops_share:.1%} of {self.flops / 1e9:.3g} GFLOP "
            f"in {len(self.regions)} compiled region{'' if len(self.regions) == 1 else 's'}."
        ]
        if self.auto_cast != "none" and self.regions:
            what = "Products" if self.auto_cast == "matmult" else "Everything"
            lines.append(f"{what} may be computed in {self.auto_cast_type} (auto_cast={self.auto_cast!r}).")
        if not self.regions:
            lines.append("Nothing was compiled: the model runs as plain MXNet.")
        if self.regions:
            rows = [
                (r.name, r.operators, f"{r.flops / 1e9:.3g}", ", ".join(r.inputs), len(r.outputs)) for r in self.regions
            ]
            lines += ["", tabulate(rows, ("region", "operators", "GFLOP", "inputs", "outputs"), tablefmt="simple")]
        cut = [f"{r.name} in {r.batch_parts}" for r in self.regions if r.batch_parts > 1]
        if cut:
            lines += ["", f"The CPU computes the batch in parts, each on a core or more of its own: {', '.join(cut)}."]
        lines += self._shapes()
        lines += self._other_shapes()
        lines += self._programs()
        if self.outside:
            grouped = Counter((o.op, o.category, o.sentence) for o in self.outside)
            first = {(o.op, o.category, o.sentence): o.node for o in reversed(self.outside)}
            table = [(op, n, first[key], why) for key, n in grouped.items() for op, _, why in [key]]
            lines += [
                "",
                "In MXNet:",
                tabulate(table, ("operator", "nodes", "first node", "because"), tablefmt="simple"),
            ]
        if self.seconds:
            lines += ["", "Seconds: " + ", ".join(f"{k} {v:.2f}" for k, v in self.seconds.items())]
        return "\n".join(lines)

    def _shapes(self) -> list[str]:
        if not self.regions or not self.static_shapes:
            return []
        lines = ["", "Static shapes:", *(f"  {_in_words(shapes)}" for shapes in self.static_shapes)]
        return lines + (["", "Buckets:", *(f"  {axes}." for axes in self.buckets)] if self.buckets else [])

    def _other_shapes(self) -> list[str]:
        lines = []
        for region in self.regions:
            if region.dynamic:
                lines.append(f"  {region.name}: one program for {'; '.join(region.dynamic)}.")
                if region.why_static:
                    lines.append(f"    It is not for all that option dynamic names: {region.why_static}.")
            elif region.why_static:
                lines.append(f"  {region.name}: one program for each shape that is met, as {region.why_static}.")
        return ["", "Other shapes on the CPU:", *lines] if lines else []

    def _programs(self) -> list[str]:
        lines: list[str] = []
        for region in self.regions:
            for p in region.programs:
                how = "from the compile cache" if p.cached else f"compiled in {p.seconds:.1f} s"
                cores = f"{p.cores} NeuronCore{'' if p.cores == 1 else 's'}"
                lines += ["", f"{region.name} for {p.target}, {cores}, by {p.compiler}, {how}:", f"  {p.command}"]
                if p.quality:
                    lines.append("  HLO: " + ", ".join(f"{v} {k.replace('_', ' ')}" for k, v in p.quality.items()))
        return lines


def _in_words(shapes: Mapping[str, tuple[int, ...]]) -> str:
    shown = ", ".join(f"{name} {shape}" for name, shape in [*shapes.items()][:6])
    return shown + (f" and {len(shapes) - 6} more" if len(shapes) > 6 else "")
