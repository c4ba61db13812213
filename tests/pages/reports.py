"""Reports to be shown: of a thousand operators, and with names that a stranger chose to do harm."""

from __future__ import annotations

from gluon_neuron.report import Outside, RegionReport, Report
from gluon_neuron.report_graph import INPUT, GraphNode, ReportGraph

OPERATORS = ("Convolution", "BatchNorm", "Activation", "Pooling", "elemwise_add", "transpose")
SHAPE = "float32[8, 64, 56, 56]"
HOSTILE = (
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "'\"><b id=injected>&lt;",
    "{{data}}",
    "gpj.\u202ellun\u202c\u200b",
    "\u2028\u0000]]>-->",
    "\ud800",
)


def row(count: int, compiled: int = 1000, dense: bool = False) -> Report:
    """So many operators, mostly one behind the other; of each 100, those up to `compiled` are in a region."""
    nodes = [GraphNode("data", INPUT, outputs=("float32[8, 3, 224, 224]",))]
    outside = []
    sizes: dict[int, int] = {}
    for i in range(count):
        name, op, here = f"net0_{OPERATORS[i % 6].lower()}{i}_fwd", OPERATORS[i % 6], i % 100 < compiled
        reads = {i, *({max(0, i - 4)} if i % 6 == 4 else ()), *(range(max(0, i - 60), i, 8) if dense else ())}
        region = i // 100 if here else None
        if region is None:
            outside.append(Outside(name, op, "excluded", "excluded by the option exclude_operators"))
        else:
            sizes[region] = sizes.get(region, 0) + 1
        weights = ((f"net0_weight{i}", "float32[64, 64, 3, 3]"),) if op == "Convolution" else ()
        attributes = {"kernel": "(3, 3)"} if op == "Convolution" else None
        nodes.append(GraphNode(name, op, region, tuple((r, 0) for r in sorted(reads)), (SHAPE,), weights, attributes))
    regions = tuple(RegionReport(f"region{k}", n, 10**9, ("data",), ("out",)) for k, n in sizes.items())
    graph = ReportGraph(tuple(nodes), ((count, 0),))
    return Report("cpu", "openvino", count, 10**10, regions, tuple(outside), {"compile": 1.25}, graph=graph)


def hostile() -> Report:
    """Everything that comes from a model is a text that would do harm where it is not escaped."""
    nodes = [GraphNode(HOSTILE[0], INPUT, outputs=(SHAPE,))]
    for i, bad in enumerate(HOSTILE):
        region = 0 if i % 2 else None
        nodes.append(GraphNode(bad, bad, region, ((i, 0),), (SHAPE, bad), ((bad, bad),), {bad: bad, "kernel": bad}))
    outside = tuple(Outside(n, n, "excluded", f"because of {n}") for n in HOSTILE[::2])
    regions = (RegionReport(HOSTILE[1], 3, 9, HOSTILE, HOSTILE),)
    shapes = ({HOSTILE[0]: (1, 2)},)
    graph = ReportGraph(tuple(nodes), ((len(HOSTILE), 0),))
    return Report(HOSTILE[1], "x", 7, 9, regions, outside, {HOSTILE[2]: 1.0}, static_shapes=shapes, graph=graph)
