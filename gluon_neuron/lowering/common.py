"""Questions that several rule families ask about a node: hidden outputs, mixed dtypes, layouts, spatial attributes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..graph.graph import Node

CHANNELS_FIRST = ("NCW", "NCHW", "NCDHW")


Question = Callable[[Node], str | None]


@dataclass(frozen=True)
class FirstOf:
    """A refusal that asks several in turn and returns the first sentence."""

    questions: tuple[Question, ...]

    def __call__(self, n: Node) -> str | None:
        """The first sentence, or None."""
        return next((sentence for question in self.questions if (sentence := question(n))), None)


def first_of(*questions: Question) -> FirstOf:
    """A refusal that asks several in turn and returns the first sentence."""
    return FirstOf(questions)


def only_first_output(n: Node) -> str | None:
    """Refuse a node whose outputs beyond the first (means, variances, masks) are read."""
    extra = sorted(n.used - {0})
    if extra:
        return f"its output {extra[0]} is read; only the first output of {n.op} is compiled"
    return None


def same_dtypes(n: Node) -> str | None:
    """Refuse inputs of different dtypes."""
    kinds = sorted({n.in_spec(i).dtype for i in range(len(n.ins))})
    if len(kinds) > 1:
        return f"its inputs have different dtypes ({', '.join(kinds)}); cast them to one"
    return None


def channels_first(n: Node) -> str | None:
    """Refuse a layout with the channels last, and anything but one to three spatial axes."""
    axes = len(n.in_spec(0).shape) - 2
    if not 1 <= axes <= 3:
        return f"its data has {axes + 2} dimensions; 3 to 5 are compiled"
    layout = n.attrs.text("layout")
    if layout and layout != CHANNELS_FIRST[axes - 1]:
        return f"layout {layout!r} is not compiled for {axes + 2}-d data; use {CHANNELS_FIRST[axes - 1]!r}"
    return None


def spatial(n: Node, key: str, default: int) -> tuple[int, ...]:
    """An attribute with one int per spatial axis; absent or "()" means `default` on every axis."""
    return n.attrs.ints(key, ()) or (default,) * (len(n.in_spec(0).shape) - 2)


def spatial_counts(*keys: str) -> Callable[[Node], str | None]:
    """A refusal of attributes that are given but not once per spatial axis."""

    def refuse(n: Node) -> str | None:
        axes = len(n.in_spec(0).shape) - 2
        for key in keys:
            values = n.attrs.ints(key, ())
            if values and len(values) != axes:
                return f"{key}={values} does not have one value for each of the {axes} spatial axes"
        return None

    refuse.__doc__ = f"Refuse {', '.join(keys)} without one value for each spatial axis."
    return refuse
