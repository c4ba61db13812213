"""Proves that no sample of a batch has an influence on another in a whole graph, with what stays in MXNet too.

The graph is lowered for a batch and for one sample, and both programs are walked side by side (`separable`). An
operator without a lowering stands there as a parameter, about which is known what `_IN_MXNET` says of the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...dialect.in_openvino.namespace import OpenVINONamespace
from ...errors import CompileError
from ...graph.graph import Entry, Graph, Node
from ...lowering import registry
from ...lowering.known import known_from_shapes
from ...lowering.lower import lower_node
from ...refusal import Category
from .separable import Axis, NotSeparable, Proof, axis_of_values

_SEVERAL = (1021, 101, 13, 3)
"""Numbers of samples for which, beside one alone, a model may be looked at. Much that treats few samples otherwise than
many, or counts in groups, shows with a large prime."""

_LARGEST = 1 << 30
_LARGEST_KNOWN = 1 << 22
"""Elements of an array of the model then, and of one whose values follow from shapes, which is computed."""


_Rule = Callable[[Node, Sequence[Axis]], Axis]


class SamplesMeet(Exception):
    """It is not proved that samples stay apart; the message says which operator stands in the way, and why."""


def several_samples(sample: Graph) -> int:
    """The number of samples for which a graph, given for one, is to be looked at."""
    known = known_from_shapes(sample)
    # Weights are as large for any number.
    sizes = [(n.id in known, s.size) for n in sample.operators for s in n.outs.values() if s is not None]

    def fits(count: int) -> bool:
        return all(count * size <= (_LARGEST_KNOWN if is_known else _LARGEST) for is_known, size in sizes)

    return next(filter(fits, _SEVERAL), _SEVERAL[-1])


def sample_axes(batch: Graph, sample: Graph, size: int, in_order: bool = False) -> list[Axis]:
    """The axis along which samples lie in each output of a graph; None for an output that is the same for all batches.

    `batch` is the graph for a batch of `size` samples and `sample` that for one. An input has its samples along the
    axis in which its shapes differ; all samples share one whose shapes are equal. With `in_order`, a sample may depend
    on those before it, and on how many these are. Raises SamplesMeet.
    """
    walk = _Walk(size, in_order)
    for whole, one in zip(batch.nodes, sample.nodes, strict=True):
        walk.visit(whole, one)
    return [walk.of_output(batch, head) for head in batch.heads]


class _Walk:
    def __init__(self, size: int, in_order: bool) -> None:
        self._size = size
        self._in_order = in_order
        self._counted: set[Entry] = set()  # values that follow from the number of samples
        self._filled: set[Entry] = set()  # values that are the same for each sample, whatever their number
        self._proof = Proof(size, in_order)
        self._spaces = OpenVINONamespace(), OpenVINONamespace()
        self._values: dict[Entry, tuple[Any, Any] | None] = {}  # None where not even the shape is known
        self._axes: dict[Entry, Axis] = {}
        self._why: dict[Entry, str] = {}
        self._sentences: dict[Entry, str] = {}

    def visit(self, whole: Node, one: Node) -> None:
        if whole.is_variable:
            self._place(whole, one, 0)
        elif whole.inputs and _cuts(whole, self._axes.get(whole.inputs[0])):
            # Where there are fewer samples than it names, perhaps here, it takes all.
            self._stand_in(whole, one, "it takes samples by their positions")
        elif self._in_order and whole.inputs and _counts_steps(whole, self._axes.get(whole.inputs[0])):
            self._stand_in(whole, one, rule=lambda node, axes: 0)
        elif not self._lowered(whole, one):
            self._stand_in(whole, one)
        elif self._is_known(whole):
            self._count(whole, one)
        elif not self._counted.isdisjoint(whole.inputs):
            # That two numbers of samples make no difference says nothing of others: a limit may lie beyond.
            self._stand_in(whole, one, "it reads a value that follows from the number of samples")
        for k in whole.outs:
            self._look(Entry(whole.id, k))

    def _is_known(self, node: Node) -> bool:
        pairs = [self._values[Entry(node.id, k)] for k in node.outs]
        return all(pair is not None and pair[0].known and pair[1].known for pair in pairs)

    def _count(self, whole: Node, one: Node) -> None:
        """Note what is known of values that are computed from shapes."""
        reads_filled = not self._filled.isdisjoint(whole.inputs)
        reads_samples = whole.ins != one.ins or reads_filled
        counted = not self._counted.isdisjoint(whole.inputs)
        rule = registry.rule_of(whole)
        picks = rule is not None and rule.moves
        for k in whole.outs:
            entry = Entry(whole.id, k)
            many, single = (np.asarray(array.v) for array in self._values[entry] or ())
            same = many.shape == single.shape and np.array_equal(many, single, equal_nan=many.dtype.kind == "f")
            if counted:
                # What is picked from several extents may be another's.
                follows = not (picks and same)
            elif not reads_samples:
                follows = False
            elif many.shape == single.shape:
                follows = not same or reads_filled
            else:
                tables = [pair for e in whole.inputs if (pair := self._values[e]) and pair[0].known]
                follows = not all(_is_fill(t, single) for t in (many, *(np.asarray(t.v) for t, _ in tables)))
                if not follows:
                    self._filled.add(entry)
            if follows:
                self._counted.add(entry)

    def of_output(self, graph: Graph, head: Entry) -> Axis:
        if head in self._axes:
            return self._axes[head]
        # The first operator on the way whose inputs are all understood is the one to name.
        entry = head
        while blamed := [e for e in graph.nodes[entry.node].inputs if e in self._why]:
            entry = blamed[0]
        raise SamplesMeet(f"{graph.nodes[entry.node]}: {self._why[entry]}")

    def _look(self, entry: Entry) -> None:
        pair = self._values[entry]
        if pair is None:
            return
        whole, one = pair
        try:
            if entry in self._counted:
                raise NotSeparable("Its value follows from the number of samples.")
            if whole.known and one.known:
                self._axes[entry] = axis_of_values(whole.v, one.v, self._size)
            elif whole.known or one.known:
                raise NotSeparable("Its value is known for one size of the batch only.")
            else:
                self._axes[entry] = self._proof.axis(whole.v, one.v)
        except NotSeparable as why:
            meet = f"samples meet in it, or may ({str(why).removesuffix('.')})"
            self._why[entry] = self._sentences.get(entry, meet)

    def _place(self, whole: Node, one: Node, output: int) -> tuple[Any, Any] | None:
        """Parameters in the place of an output."""
        specs = whole.outs[output], one.outs[output]
        entry, name = Entry(whole.id, output), f"{whole.id}/{output}"
        if specs[0] is None or specs[1] is None:
            self._values[entry] = None
            self._why[entry] = "its shape is not known before it is computed"
            return None
        pair = tuple(
            xp.parameter(name, spec.shape, spec.dtype) for xp, spec in zip(self._spaces, specs, strict=True) if spec
        )
        self._values[entry] = pair  # type: ignore[assignment]
        return self._values[entry]

    def _lowered(self, whole: Node, one: Node) -> bool:
        inputs = [self._values[e] for e in whole.inputs]
        if None in inputs or any(map(_without_lowering, (whole, one))):
            return False
        try:
            made = [
                lower_node(node, xp, [pair[side] for pair in inputs if pair])
                for side, (node, xp) in enumerate(zip((whole, one), self._spaces, strict=True))
            ]
        except CompileError:
            return False
        for k in whole.outs:
            self._values[Entry(whole.id, k)] = made[0][k], made[1][k]
        return True

    def _stand_in(self, whole: Node, one: Node, why: str = "", rule: _Rule | None = None) -> None:
        axes = [self._axes.get(e, _NOTHING) for e in whole.inputs]
        rule = rule or _IN_MXNET.get(whole.op)
        if why:
            axis = _NOTHING
        elif _NOTHING in axes:
            axis, why = _NOTHING, "it reads what is not understood"
        elif rule is None:
            axis, why = _NOTHING, "it stays in MXNet, and whether samples meet in it is not known"
        else:
            found = None if all(a is None for a in axes) else rule(whole, axes)
            axis, why = (_NOTHING, "samples meet in it") if found is _MEET else (found, "")
        for k in whole.outs:
            pair = self._place(whole, one, k)
            if pair is None:
                continue
            nodes = [array.v.get_node() for array in pair]
            shapes = [list(array.shape) for array in pair]
            if axis is not _NOTHING and shapes[0] == _joined(shapes[1], axis, self._size):
                self._proof.take(nodes[0], nodes[1], axis)
            else:
                self._proof.take_unknown(nodes[0], nodes[1])
                self._sentences[Entry(whole.id, k)] = why or "its shapes do not follow from the number of samples"


def _is_fill(table: np.ndarray, single: np.ndarray) -> bool:
    """Whether an array has the same values all along the axes in which it is longer than for one sample."""
    if table.ndim != single.ndim or not table.size:
        return table.size == 1
    axes = [k for k, (n, m) in enumerate(zip(table.shape, single.shape, strict=True)) if n != m]
    first = table[tuple(slice(0, 1) if k in axes else slice(None) for k in range(table.ndim))]
    return bool((table == first).all())


_NOTHING: Any = "nothing"
_MEET: Any = "meet"


def _without_lowering(node: Node) -> bool:
    """A dtype that a rule is not meant for does not matter: only the way of the samples does."""
    found = registry.refusal(node)
    return found is not None and found.category is not Category.DTYPE


def _cuts(node: Node, axis: Axis) -> bool:
    """Whether the node takes a range of the samples, along `axis` of its first input, that does not follow them."""
    if axis is None or axis is _NOTHING:
        return False
    if node.op == "slice_axis":
        assert node.ins[0] is not None
        named = node.attrs.integer("axis", 0) % len(node.ins[0].shape) == axis
        return named and (node.attrs.has("end") or node.attrs.integer("begin", 0) != 0)
    if node.op not in _RANGES:
        return False
    bounds = [node.attrs.optional_ints(key)[axis : axis + 1] for key in ("begin", "end")]
    return any(bound and bound[0] for bound in bounds)


_POSITIONS = ("_contrib_arange_like", "_npx_arange_like")


def _counts_steps(node: Node, axis: Axis) -> bool:
    """Whether the node numbers the samples, which lie along `axis` of its first input, from the first one on."""
    if node.op not in _POSITIONS or axis is None or axis is _NOTHING or node.attrs.text("axis", "None") == "None":
        return False
    assert node.ins[0] is not None
    return node.attrs.integer("axis") % len(node.ins[0].shape) == axis


_RANGES = frozenset(
    (
        *("slice", "crop", "_npx_slice", "_npi_slice", "_slice_assign", "_npi_slice_assign", "_crop_assign"),
        *("_slice_assign_scalar", "_npi_slice_assign_scalar", "_crop_assign_scalar"),
    )
)


def _joined(shape: Sequence[int], axis: Axis, size: int) -> list[int]:
    return [n * size if k == axis else n for k, n in enumerate(shape)]


def _in_front(node: Node, axes: Sequence[Axis]) -> Axis:
    """It works on the last two axes of its first input, whatever is in front of them."""
    first = axes[0]
    assert node.ins[0] is not None
    apart = first is not None and first < len(node.ins[0].shape) - 2 and all(a is None for a in axes[1:])
    return first if apart else _MEET


def _detection(node: Node, axes: Sequence[Axis]) -> Axis:
    """Scores and offsets for each image; all have the same anchors."""
    return 0 if list(axes) == [0, 0, None] else _MEET


_IN_MXNET: Mapping[str, _Rule] = {
    **dict.fromkeys(("_contrib_box_nms", "_contrib_box_non_maximum_suppression"), _in_front),
    **dict.fromkeys(("_linalg_syevd", "_npi_svd", "_npi_eigh", "_npi_eigvalsh"), _in_front),
    **dict.fromkeys(("_contrib_MultiBoxDetection", "_npx_multibox_detection"), _detection),
}
"""By operator without a lowering: the samples' axis of its outputs from those of its inputs."""
