"""einsum: products of arrays whose axes carry letters, as a chain of matrix products."""

from __future__ import annotations

from math import prod
from typing import Any

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..creation import diagonal_of
from ..extents import nonempty
from ..registry import FLOATS, rule

Labels = tuple[str, ...]


def parse(subscripts: str, ndims: list[int]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the result. An axis under the dots is labelled "-1", "-2", ... from the right.

    Without "->" the result has the dots, then the letters that occur once, in order of the alphabet.
    """
    terms, arrow, result = subscripts.replace(" ", "").partition("->")
    operands = [_labels(t, n) for t, n in zip(terms.split(","), ndims)]
    dots = max((o for o in operands), key=lambda o: sum(label[0] == "-" for label in o))
    hidden = tuple(label for label in dots if label[0] == "-")
    if arrow:
        before, found, after = result.partition("...")
        return operands, (*before, *(hidden if found else ()), *after)
    letters = terms.replace(",", "").replace(".", "")
    return operands, (*hidden, *sorted(c for c in set(letters) if letters.count(c) == 1))


def _labels(term: str, ndim: int) -> Labels:
    before, dots, after = term.partition("...")
    count = ndim - len(before) - len(after) if dots else 0
    return (*before, *(f"-{i}" for i in range(count, 0, -1)), *after)


def _subscripts(n: Node) -> str | None:
    """Refuse subscripts that do not name the axes of the inputs."""
    text = n.attrs.text("subscripts")
    ndims = [len(n.in_spec(i).shape) for i in range(len(n.ins))]
    operands, result = parse(text, ndims)
    if [len(o) for o in operands] != ndims or len(set(result)) != len(result):
        return f"subscripts={text!r} do not name the axes of its inputs, which have {ndims}"
    return None


class _Term:
    """An operand: an array and the label of each of its axes."""

    def __init__(self, xp: Any, x: Any, labels: Labels) -> None:
        self.xp, self.x, self.labels = xp, x, labels

    def without_repeats(self) -> _Term:
        """A label that occurs twice becomes one axis, the diagonal of both."""
        for label in self.labels:
            places = [i for i, other in enumerate(self.labels) if other == label]
            if len(places) > 1:
                rest = tuple(other for i, other in enumerate(self.labels) if i not in places[:2])
                x = diagonal_of(self.xp, self.x, 0, *places[:2])
                return _Term(self.xp, x, (*rest, label)).without_repeats()
        return self

    def summed(self, keep: set[str]) -> _Term:
        """Sum over labels that are needed no more."""
        gone = tuple(i for i, label in enumerate(self.labels) if label not in keep)
        rest = tuple(label for label in self.labels if label in keep)
        return _Term(self.xp, self.xp.sum(self.x, gone, False), rest)

    def size(self, label: str) -> int:
        return self.x.shape[self.labels.index(label)]

    def without_ones(self, sizes: dict[str, int]) -> _Term:
        """Drop an axis of size 1 whose label is longer elsewhere: it would only be broadcast."""
        gone = [i for i, label in enumerate(self.labels) if self.x.shape[i] == 1 != sizes[label]]
        rest = tuple(label for i, label in enumerate(self.labels) if i not in gone)
        return _Term(self.xp, self.xp.squeeze(self.x, tuple(gone)), rest)

    def ordered(self, *groups: Labels) -> Any:
        """The array with its axes in groups, each one axis; the first group keeps its axes."""
        order = [self.labels.index(label) for group in groups for label in group]
        shape = [self.size(label) for label in groups[0]] + [prod(map(self.size, g)) for g in groups[1:]]
        return self.xp.reshape(self.xp.permute_dims(self.x, tuple(order)), tuple(shape))

    def times(self, other: _Term, keep: set[str]) -> _Term:
        """The product: labels of both are batches if they are kept, else summed."""
        both = [label for label in self.labels if label in other.labels]
        batch, inner = (tuple(b for b in both if (b in keep) == kept) for kept in (True, False))
        left, right = (tuple(b for b in t.labels if b not in both) for t in (self, other))
        y = self.xp.matmul(self.ordered(batch, left, inner), other.ordered(batch, inner, right))
        shape = (*map(self.size, batch), *map(self.size, left), *map(other.size, right))
        return _Term(self.xp, self.xp.reshape(y, shape), (*batch, *left, *right))


@rule("_npi_einsum", dtypes=FLOATS, refuse=first_of(nonempty, same_dtypes, _subscripts))
def einsum(xp: Any, n: Node, *xs: Any) -> Any:
    """Multiply from left to right, summing each label as soon as nothing further needs it."""
    operands, result = parse(n.attrs.text("subscripts"), [x.ndim for x in xs])
    terms = [_Term(xp, x, labels).without_repeats() for x, labels in zip(xs, operands)]
    sizes: dict[str, int] = {}
    for term in terms:
        for label in term.labels:
            sizes[label] = max(sizes.get(label, 1), term.size(label))
    terms = [term.without_ones(sizes) for term in terms]
    total = terms[0]
    for i, term in enumerate(terms[1:], 1):
        later = {label for t in terms[i + 1 :] for label in t.labels} | set(result)
        total = total.summed(later | set(term.labels)).times(term.summed(later | set(total.labels)), later)
    return total.summed(set(result)).ordered(result)
