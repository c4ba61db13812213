"""FirstCalls: what is known of the shapes that a model was called with, and how its first calls are best made.

A call with a new shape has three ways: MXNet runs the original operators, which costs what it always costs; the
program for any shape does, which costs OpenVINO some milliseconds for each shape, once; or one is compiled, which takes
seconds. The last is for the background alone. Between the others the times that were measured decide: a new shape of a
decoder of 36 operators takes the program 5 ms on 2 cores and MXNet 0.6 ms, while mobilenetv2's program meets a new
size in less than MXNet's time. Where MXNet is faster, it has the first two calls of a shape, and what came twice is met
by the program in the background: shapes that come only once, as those of a growing cache, then cost nothing but MXNet's
time, and those that come again are soon a look-up.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from statistics import median

MOST_SHAPES = 4096
"""So many shapes are remembered that were not compiled for."""

_ENOUGH = 3
"""Shapes that are measured before their times decide."""

_LIMIT = 1.25
"""How many times MXNet's time a program may take for a new shape so that it is called with it at once."""

_AGAIN = 2
"""From which call on a shape is worth a program of the background's."""

_OFTEN = 8
"""Where MXNet was the faster, it is measured again every so many new shapes, later more rarely: perhaps the machine was
busy, or other shapes are another matter."""

_NEVER = 1 << 62


class FirstCalls:
    """Counts the calls of each shape (any key). Not for several threads at once."""

    def __init__(self) -> None:
        self._calls: OrderedDict[Hashable, int] = OrderedDict()
        self._wanted: dict[Hashable, int] = {}
        self._theirs: OrderedDict[Hashable, float] = OrderedDict()
        self._ratios: deque[float] = deque(maxlen=5)
        self._measured = 0
        self._new = 0
        self._looks_again = False
        self.any_shape: bool | None = None
        """Whether there is a program for any shape; None when that is not known."""

    @property
    def measuring(self) -> bool:
        """Whether it is to be measured, with the shape that was called last, which way is the faster one."""
        return self.any_shape is not False and (len(self._ratios) < _ENOUGH or self._looks_again)

    @property
    def program_is_quick(self) -> bool:
        """Whether the program for any shape is to be called with new ones at once."""
        return self.any_shape is not False and len(self._ratios) >= _ENOUGH and median(self._ratios) <= _LIMIT

    def call(self, key: Hashable) -> bool:
        """Count a call that MXNet makes, and say whether the shape is worth a program by now."""
        count = self._calls.pop(key, 0) + 1
        self._calls[key] = count
        if count == 1:
            self._new += 1
        every = _OFTEN if self._new <= 8 * _OFTEN else 8 * _OFTEN
        self._looks_again = count == 1 and not self.program_is_quick and self._new % every == 0
        while len(self._calls) > MOST_SHAPES:
            gone, _ = self._calls.popitem(last=False)
            self._wanted.pop(gone, None)
        wanted = self._wanted.get(key, _AGAIN)
        return count >= wanted or (self.measuring and wanted < _NEVER)

    def evict(self, key: Hashable) -> None:
        """Its program had to make room: it takes more calls than before until another is made.

        Otherwise a few shapes more than there is room for would have programs compiled for ever.
        """
        self._calls.pop(key, None)
        self._wanted[key] = min(2 * self._wanted.get(key, _AGAIN), 1 << 20)
        if len(self._wanted) > MOST_SHAPES:
            del self._wanted[next(iter(self._wanted))]

    def never(self, key: Hashable) -> None:
        """No program can be made for the shape."""
        self._wanted[key] = _NEVER

    def took(self, key: Hashable, seconds: float) -> None:
        """Note how long MXNet took for a shape's first call."""
        self._theirs[key] = seconds
        if len(self._theirs) > MOST_SHAPES:
            self._theirs.popitem(last=False)

    def program_took(self, key: Hashable, seconds: float, whole: bool) -> None:
        """Note how long a program took to meet a shape; `whole` says that it is all there is to compute."""
        self._measured += 1
        theirs = self._theirs.pop(key, None)
        if theirs is None or self._measured == 1:
            return  # the engine begins to work with its first
        self._ratios.append(seconds / theirs + (0 if whole else 1))  # what is not compiled takes as long as all at most
