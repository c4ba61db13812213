"""The nets of the shadow test: each with its inputs, and with what is known of it."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn

from tests.nets import front

FRONT_ENDS = ("nd", "np")
SIZES = ((2, 3), (1, 4), (3, 1))
"""Batches that nets are called with, where they do not say themselves: 1 may be broadcast, and others not."""
RANDOM = np.random.RandomState()
"""What inputs and parameters are drawn from: blocks that draw random numbers do not disturb it."""


@dataclass(frozen=True, kw_only=True)
class Net:
    """A net by its name. `make()` gives the block, or a function that calls blocks in the manner of a script.

    `inputs(n)` gives arguments for a batch of n, other values each time; `sizes` are the batches that it is called
    with, the first of which is compiled. `front_ends` are those of MXNet that it is written for. `compiled` says
    whether some of it is compiled, `stays` which operators are not. `error` is what compile says of a block that it
    cannot take; `runs` whether MXNet runs that block. `spread` is that of the parameters.
    """

    name: str
    make: Callable[[], Any]
    inputs: Callable[[int], Sequence[Any]]
    sizes: tuple[int, ...]
    front_ends: tuple[str, ...] = ("nd",)
    compiled: bool = True
    stays: tuple[str, ...] = ()
    error: tuple[type[Exception], str] | None = None
    rtol: float = 1e-3
    atol: float = 1e-4
    spread: float = 0.3
    runs: bool = True


NETS: dict[str, Net] = {}


def add(name: str, make: Callable[[], Any], inputs: Callable[[int], Sequence[Any]], **known: Any) -> None:
    """Put a net into the corpus."""
    assert name not in NETS, f"there are two nets {name!r}"
    sizes = SIZES[zlib.crc32(name.encode()) % len(SIZES)]
    NETS[name] = Net(name=name, make=make, inputs=inputs, **{"sizes": sizes, **known})


def net(inputs: Callable[[int], Sequence[Any]], **known: Any) -> Callable[[Any], Any]:
    """Put the net that a function or class of this name makes into the corpus."""

    def register(make: Any) -> Any:
        add(make.__name__.lower().replace("_", " "), make, inputs, **known)
        return make

    return register


def corpus() -> dict[str, Net]:
    """All nets, by name."""
    folder = importlib.import_module(f"{__package__}.nets")
    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"{folder.__name__}.{module.name}")
    return NETS


def normal(*shape: int) -> Any:
    """Random numbers about 0, for the front end in use."""
    return front(mx.nd.array(RANDOM.normal(size=shape).astype("float32")))


def positive(*shape: int) -> Any:
    """Random numbers between 0.1 and 0.9."""
    return front(mx.nd.array(RANDOM.uniform(0.1, 0.9, size=shape).astype("float32")))


def integers(high: int, *shape: int, low: int = 0, dtype: str = "float32") -> Any:
    """Random integers from `low` to below `high`."""
    return front(mx.nd.array(RANDOM.randint(low, high, size=shape), dtype=dtype))


def signs(*shape: int) -> Any:
    """Some -1, some 1."""
    return integers(2, *shape) * 2 - 1


def images(size: int = 8, channels: int = 3) -> Callable[[int], tuple[Any]]:
    """Inputs: a batch of square images."""
    return lambda n: (normal(n, channels, size, size),)


def rows(width: int = 6) -> Callable[[int], tuple[Any]]:
    """Inputs: a batch of vectors."""
    return lambda n: (normal(n, width),)


def steps(length: int = 5, width: int = 6, layout: str = "NTC") -> Callable[[int], tuple[Any]]:
    """Inputs: a batch of sequences of vectors."""
    return lambda n: (normal(n, length, width) if layout == "NTC" else normal(length, n, width),)


def boxes(n: int, count: int) -> Any:
    """Boxes by two of their corners."""
    corner = RANDOM.uniform(0, 0.6, (n, count, 2))
    values = np.concatenate([corner, corner + RANDOM.uniform(0.1, 0.4, (n, count, 2))], -1)
    return front(mx.nd.array(values.astype("float32")))


def chain(*layers: Any, prefix: str | None = None) -> nn.HybridSequential:
    """The layers one after the other."""
    made = nn.HybridSequential(prefix=prefix)
    made.add(*layers)
    return made


class Plain(HybridBlock):
    """A block that holds others by name and computes by a function of itself, F and the inputs."""

    def __init__(self, function: Callable[..., Any], **children: HybridBlock) -> None:
        super().__init__()
        self._function = function
        for name, child in children.items():
            setattr(self, name, child)

    def hybrid_forward(self, F: Any, x: Any, *args: Any) -> Any:
        """What the function gives."""
        return self._function(self, F, x, *args)


class Branches(HybridBlock):
    """What one layer gives, through each of several others."""

    def __init__(self, body: HybridBlock | None, *layers: HybridBlock) -> None:
        super().__init__()
        with self.name_scope():
            self.body = body
            self.layers = nn.HybridSequential()
            self.layers.add(*layers)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        """A list, in order."""
        y = x if self.body is None else self.body(x)
        return [layer(y) for layer in self.layers]
