"""Proves that an OpenVINO program for a batch computes what a smaller one computes for each part of it in turn.

Both programs are walked side by side, from the inputs on. Of every pair of values it is known that they are the same,
or that the large one is the small ones of all parts, joined along one axis; each operator passes this on by a rule, or
lets the parts meet (a mean over the batch, a reversed batch, an operator without a rule), and then nothing is proved.

For parts in order (`in_order`) less is known of the large value: that it begins with the small one. All rules hold for
that too, and some more do: what goes from one step to the next has no influence on the steps before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np


class NotSeparable(Exception):
    """The result of one part may depend on another part; the message says where."""


Axis = int | None
"""Along which axis the parts are joined; None where every part has the whole value."""


@dataclass(frozen=True)
class Pair:
    """An operator of the large program, the same of the small one, and the axes of its inputs."""

    whole: Any
    part: Any
    axes: tuple[Axis, ...]
    batch_parts: int
    in_order: bool = False

    def shape(self, i: int) -> tuple[int, ...]:
        """The shape of input `i` in the large program."""
        return tuple(self.whole.input(i).get_shape())

    @property
    def out(self) -> tuple[int, ...]:
        """The shape of the first output in the large program."""
        return tuple(self.whole.output(0).get_shape())

    @property
    def out_of_part(self) -> tuple[int, ...]:
        """The same in the small program."""
        return tuple(self.part.output(0).get_shape())

    @property
    def only(self) -> int:
        """The axis of input 0, where no other input has one."""
        if self.axes[0] is None or any(a is not None for a in self.axes[1:]):
            raise NotSeparable
        return self.axes[0]

    def constant(self, i: int) -> np.ndarray:
        """The value of input `i`, the same in both programs."""
        node = self.whole.input_value(i).get_node()
        if node.get_type_name() != "Constant" or self.axes[i] is not None:
            raise NotSeparable
        return np.asarray(node.data).reshape(-1)

    def indices(self, i: int) -> list[int]:
        """The axes of input 0 that input `i` names."""
        return [int(a) % len(self.shape(0)) for a in self.constant(i)]

    def index(self, attribute: str) -> int:
        """The axis of input 0 that an attribute names."""
        return int(self.whole.get_attributes()[attribute]) % len(self.shape(0))


def prove(wholes: Sequence[Any], smalls: Sequence[Any], batch_parts: int) -> None:
    """Raise NotSeparable unless each of the outputs `wholes` is that of `smalls` for all parts, joined along axis 0.

    Both are outputs of OpenVINO nodes. A parameter that is larger in the large program is cut along the axis in which
    it is.
    """
    proof = Proof(batch_parts)
    for whole, small in zip(wholes, smalls, strict=True):
        if proof.axis(whole, small) != 0:
            raise NotSeparable(f"{whole.get_node().get_friendly_name()} is not joined along its first axis.")


class Proof:
    """What is known of pairs of values, of a large program and a small one that computes one of its `batch_parts`.

    `in_order`: the small one computes the first of them, and later ones may depend on those before.
    """

    def __init__(self, batch_parts: int, in_order: bool = False) -> None:
        self._batch_parts = batch_parts
        self._in_order = in_order
        # By the name of the large program's node: the small one's, and the axis of each output.
        self._known: dict[str, tuple[Any, list[Axis]]] = {}
        self._why: dict[str, str] = {}

    def axis(self, whole: Any, small: Any) -> Axis:
        """The axis along which the output `whole` is `small` for all parts; raises NotSeparable with the reason."""
        self._walk(whole.get_node(), small.get_node())
        name = whole.get_node().get_name()
        partner, axes = self._known[name]
        axis = axes[whole.get_index()]
        if partner.get_name() != small.get_node().get_name() or whole.get_index() != small.get_index():
            raise NotSeparable(f"{whole.get_node().get_friendly_name()} has no counterpart.")
        if axis == _UNPROVED:
            raise NotSeparable(self._why.get(name) or f"Nothing is known about {whole.get_node().get_friendly_name()}.")
        return axis

    def take(self, whole: Any, small: Any, axis: Axis) -> None:
        """Take it that the parameters, which are nodes, are joined along `axis`."""
        self._known[whole.get_name()] = (small, [axis])

    def take_unknown(self, whole: Any, small: Any) -> None:
        """Take it that nothing is known about the parameters."""
        self._known[whole.get_name()] = (small, [_UNPROVED])

    def _walk(self, whole: Any, small: Any) -> None:
        todo = [(whole, small)]
        while todo:
            node, other = todo[-1]
            if node.get_name() in self._known:
                todo.pop()
                continue
            fits = node.get_type_name() == other.get_type_name() and len(node.inputs()) == len(other.inputs())
            sources = list(zip(node.input_values(), other.input_values(), strict=True)) if fits else []
            missing = [(a.get_node(), b.get_node()) for a, b in sources if a.get_node().get_name() not in self._known]
            if missing:
                todo += missing
                continue
            try:
                if not fits:
                    raise NotSeparable(f"{node.get_friendly_name()} has no counterpart.")
                axes = tuple(self._source(node, a, b) for a, b in sources)
                found = _outputs(Pair(node, other, axes, self._batch_parts, self._in_order))
            except NotSeparable as why:
                found = [_UNPROVED] * node.get_output_size()
                self._why[node.get_name()] = str(why)
            self._known[node.get_name()] = (other, found)
            todo.pop()

    def _source(self, node: Any, a: Any, b: Any) -> Axis:
        partner, axes = self._known[a.get_node().get_name()]
        if partner.get_name() != b.get_node().get_name() or a.get_index() != b.get_index():
            raise NotSeparable(f"{node.get_friendly_name()} reads other values.")
        return axes[a.get_index()]


def axis_of_values(whole: np.ndarray, part: np.ndarray, batch_parts: int) -> Axis:
    """The axis along which a value is that of all parts, which have the same; raises NotSeparable where it is not."""
    axis = _axis_of_values(whole, part, batch_parts)
    if axis == _UNPROVED:
        raise NotSeparable("Its value follows from the size of the batch.")
    return axis


_UNPROVED = -1
"""In the place of an axis: nothing is known. An operator that reads it as more than a shape has no result either."""


def _outputs(pair: Pair) -> list[Axis]:
    """The axis of each output."""
    kind = pair.whole.get_type_name()
    name = f"{pair.whole.get_friendly_name()} ({kind})"
    count = pair.whole.get_output_size()
    if kind in ("Parameter", "Constant"):
        axis = _leaf(pair)
    else:
        shapes = _SHAPE_INPUTS.get(kind, ())
        if pair.in_order and kind in _STATES and pair.axes[0] == 1:
            shapes = (1 + _STATES[kind],)  # the numbers of steps, which `_steps` compares
        if any(a == _UNPROVED for i, a in enumerate(pair.axes) if i not in shapes):
            raise NotSeparable(f"{name} reads a value about which nothing is known.")
        if pair.whole.get_attributes() != pair.part.get_attributes():
            raise NotSeparable(f"{name} has other attributes.")
        if all(a is None for a in pair.axes):
            axis = None
        elif kind in _RULES:
            try:
                axis = _RULES[kind](pair)
            except NotSeparable:
                raise NotSeparable(f"The parts meet in {name}.") from None
        else:
            raise NotSeparable(f"There is no rule for {name}.")
    # MaxPool's second output counts positions in the whole batch; the last states follow from all steps.
    first_alone = (kind == "MaxPool" and axis is not None) or (kind in _STATES and axis == _STEPS_OF_RESULT)
    found = [axis] * (1 if first_alone else count)
    for i, a in enumerate(found):
        if a != _UNPROVED and not _joined(pair.whole.output(i), pair.part.output(i), a, pair.batch_parts):
            raise NotSeparable(f"{name} has results of other shapes.")
    return found + [_UNPROVED] * (count - len(found))


def _joined(whole: Any, part: Any, axis: Axis, batch_parts: int) -> bool:
    shape, wanted = list(whole.get_shape()), list(part.get_shape())
    if axis is not None:
        if axis >= len(wanted):
            return False
        wanted[axis] *= batch_parts
    return shape == wanted and whole.get_element_type() == part.get_element_type()


def _leaf(pair: Pair) -> Axis:
    if pair.whole.get_type_name() == "Parameter":
        whole, part = pair.out, pair.out_of_part
        if whole == part:
            return None
        axis = _differing(whole, part)
        return _UNPROVED if axis is None else axis
    return _axis_of_values(np.asarray(pair.whole.data), np.asarray(pair.part.data), pair.batch_parts)


def _axis_of_values(whole: np.ndarray, part: np.ndarray, batch_parts: int) -> Axis:
    if whole.shape == part.shape:
        return None if whole.tobytes() == part.tobytes() else _UNPROVED
    axis = _differing(whole.shape, part.shape)
    if axis is None:
        return _UNPROVED
    joined = np.concatenate([part] * batch_parts, axis)
    return axis if joined.shape == whole.shape and joined.tobytes() == whole.tobytes() else _UNPROVED


def _differing(whole: Sequence[int], part: Sequence[int]) -> Axis:
    """The axis in which two shapes differ; None where it is not exactly one."""
    differing = [i for i, (m, n) in enumerate(zip(whole, part, strict=False)) if m != n]
    return differing[0] if len(whole) == len(part) and len(differing) == 1 else None


def _aligned(shapes: Sequence[tuple[int, ...]], axes: Sequence[Axis], rank: int) -> int:
    """The axis of a result with `rank` axes to which the shapes are broadcast, aligned at the last."""
    places = {a + rank - len(s) for s, a in zip(shapes, axes, strict=True) if a is not None}
    if len(places) != 1:
        raise NotSeparable
    (place,) = places
    for shape, axis in zip(shapes, axes, strict=True):
        at = place - rank + len(shape)
        if axis is None and at >= 0 and shape[at] != 1:
            raise NotSeparable
    return place


def _elementwise(pair: Pair) -> Axis:
    return _aligned([pair.shape(i) for i in range(len(pair.axes))], pair.axes, len(pair.out))


def _first_axis(pair: Pair) -> Axis:
    """The operator works on every element of the first axis by itself."""
    if pair.only != 0:
        raise NotSeparable
    return 0


def _apart_from(axes: Sequence[int], pair: Pair) -> int:
    if pair.only in axes:
        raise NotSeparable
    return pair.only


def _reduce(pair: Pair) -> Axis:
    axes = pair.indices(1)
    axis = _apart_from(axes, pair)
    return axis if pair.whole.get_attributes()["keep_dims"] else axis - sum(a < axis for a in set(axes))


def _concat(pair: Pair) -> Axis:
    """All are joined along the same axis, which is not the one they are put together along."""
    if len(set(pair.axes)) != 1 or pair.axes[0] == pair.index("axis"):
        raise NotSeparable
    return pair.axes[0]


def _reshape(pair: Pair) -> Axis:
    """The parts' elements stay where they are in memory: as many blocks, each of as many elements for a part."""
    axis, place = pair.axes[0], _differing(pair.out, pair.out_of_part)
    if axis is None or place is None or prod(pair.out[:place]) != prod(pair.shape(0)[:axis]):
        raise NotSeparable
    return place


def _transpose(pair: Pair) -> Axis:
    return pair.indices(1).index(pair.only)


def _matmul(pair: Pair) -> Axis:
    """Batches, the first operand's rows or the second one's columns."""
    shapes, rank = [pair.shape(0), pair.shape(1)], len(pair.out)
    if min(map(len, shapes)) < 2:
        raise NotSeparable
    batches = [a if a is not None and a < len(s) - 2 else None for s, a in zip(shapes, pair.axes, strict=True)]
    if batches != [None, None]:
        if batches != list(pair.axes):
            raise NotSeparable
        return _aligned([s[:-2] for s in shapes], batches, rank - 2)
    first, second = pair.axes
    attributes = pair.whole.get_attributes()
    if second is None and first == len(shapes[0]) - (1 if attributes["transpose_a"] else 2):
        return rank - 2
    if first is None and second == len(shapes[1]) - (2 if attributes["transpose_b"] else 1):
        return rank - 1
    raise NotSeparable


def _gather(pair: Pair) -> Axis:
    axis = pair.indices(2)[0]
    if pair.whole.get_attributes()["batch_dims"] != 0:
        raise NotSeparable
    data, chosen = pair.axes[0], pair.axes[1]
    if data is None and chosen is not None:
        return axis + chosen
    if data is None or chosen is not None or data == axis:
        raise NotSeparable
    return data if data < axis else data + len(pair.shape(1)) - 1


def _gather_elements(pair: Pair) -> Axis:
    if pair.axes[0] is None or pair.axes[0] != pair.axes[1] or pair.axes[0] == pair.index("axis"):
        raise NotSeparable
    return pair.axes[0]


def _slice(pair: Pair) -> Axis:
    for i in (1, 2, 3):
        pair.constant(i)
    return _apart_from(pair.indices(4), pair)


def _pad(pair: Pair) -> Axis:
    if pair.constant(1)[pair.only] != 0 or pair.constant(2)[pair.only] != 0:
        raise NotSeparable
    return pair.only


def _broadcast(pair: Pair) -> Axis:
    """In NumPy's way; what every part has may be repeated for each of them."""
    if pair.whole.get_attributes()["mode"] != "numpy":
        raise NotSeparable
    before, added = pair.shape(0), len(pair.out) - len(pair.shape(0))
    if pair.axes[0] is not None:
        return pair.axes[0] + added
    place = _differing(pair.out, pair.out_of_part)
    if place is None or (place >= added and before[place - added] != 1):
        raise NotSeparable
    return place


def _interpolate(pair: Pair) -> Axis:
    pair.constant(1)
    return _apart_from(pair.indices(2), pair)


def _sequence(states: int, pair: Pair) -> Axis:
    """The data, that many states and the lengths, in front of the weights, are of the same sequences."""
    own = 2 + states
    if pair.in_order and pair.axes[0] == 1:
        return _steps(states, pair)
    if any(a != 0 for a in pair.axes[:own]) or any(a is not None for a in pair.axes[own:]):
        raise NotSeparable
    return 0


_STEPS_OF_RESULT = 2
"""The axis of steps in what a sequence operator gives: [batch, directions, steps, units]."""


def _steps(states: int, pair: Pair) -> Axis:
    """Forward, each step's result follows from that step and those before; the states in front are the same for all."""
    lengths = 1 + states
    if any(a is not None for i, a in enumerate(pair.axes) if i not in (0, lengths)):
        raise NotSeparable
    if pair.whole.get_attributes()["direction"] != "forward":
        raise NotSeparable
    for program in (pair.whole, pair.part):
        node = program.input_value(lengths).get_node()
        steps = program.input(0).get_shape()[1]
        if node.get_type_name() != "Constant" or not (np.asarray(node.data) == steps).all():
            raise NotSeparable
    return _STEPS_OF_RESULT


def _cum_sum(pair: Pair) -> Axis:
    if not pair.in_order or pair.whole.get_attributes()["reverse"] or pair.only not in pair.indices(1):
        return _by_input(pair)
    return pair.only


def _grid_sample(pair: Pair) -> Axis:
    if pair.axes != (0, 0):
        raise NotSeparable
    return 0


def _deformable(pair: Pair) -> Axis:
    """Data, offsets, the kernel, and perhaps a mask."""
    if any(a != (None if i == 2 else 0) for i, a in enumerate(pair.axes)):
        raise NotSeparable
    return 0


def _gather_nd(pair: Pair) -> Axis:
    """Each index tuple, along the last axis, takes from what is the same for all."""
    data, chosen = pair.axes
    if data is not None or chosen is None or chosen == len(pair.shape(1)) - 1:
        raise NotSeparable
    return chosen


def _by_input(pair: Pair) -> Axis:
    return _apart_from(pair.indices(1), pair)


def _by_attribute(pair: Pair) -> Axis:
    return _apart_from([pair.index("axis")], pair)


_STATES = {"LSTMSequence": 2, "GRUSequence": 1, "RNNSequence": 1}
"""The states of each sequence operator, which come behind the data and in front of the numbers of steps."""

_SHAPE_INPUTS = {"Reshape": (1,), "Broadcast": (1,)}
"""Inputs that are shapes: the results' own are compared instead."""

_RULES: Mapping[str, Callable[[Pair], Axis]] = {
    **dict.fromkeys(
        (
            *("Abs", "Acos", "Acosh", "Add", "Asin", "Asinh", "Atan", "Atanh", "BitwiseAnd", "BitwiseOr", "BitwiseXor"),
            *("Ceiling", "Clamp", "Convert", "Cos", "Cosh", "Divide", "Elu", "Equal", "Erf", "Exp", "Floor"),
            *("FloorMod", "Gelu", "Greater", "GreaterEqual", "IsNaN", "Less", "LessEqual", "Log", "LogicalAnd"),
            *("LogicalNot", "LogicalOr", "LogicalXor", "Maximum", "Minimum", "Multiply", "Negative", "NotEqual"),
            *("Power", "PRelu", "Relu", "Round", "Select", "Sigmoid", "Sign", "Sin", "Sinh", "SoftSign", "Sqrt"),
            *("Subtract", "Tan", "Tanh"),
        ),
        _elementwise,
    ),
    **dict.fromkeys(
        (
            *("AvgPool", "BatchNormInference", "Convolution", "ConvolutionBackpropData", "GroupConvolution"),
            *("GroupConvolutionBackpropData", "MaxPool"),
        ),
        _first_axis,
    ),
    **dict.fromkeys((f"Reduce{how}" for how in ("Sum", "Mean", "Prod", "Max", "Min")), _reduce),
    **dict.fromkeys(("Softmax", "LogSoftmax", "TopK"), _by_attribute),
    **dict.fromkeys(("LRN", "MVN"), _by_input),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze"), _reshape),
    "Broadcast": _broadcast,
    "Concat": _concat,
    "CumSum": _cum_sum,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "GridSample": _grid_sample,
    "DeformableConvolution": _deformable,
    **{kind: partial(_sequence, states) for kind, states in _STATES.items()},
    "Interpolate": _interpolate,
    "MatMul": _matmul,
    "Pad": _pad,
    "Slice": _slice,
    "Transpose": _transpose,
}
"""By type of node: the axis along which the parts of all its outputs are joined."""
