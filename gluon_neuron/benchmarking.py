"""benchmark: how long calls of a net take and how many there are in a second, beside MXNet if that is asked for."""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import mxnet as mx
import numpy as np

from .block import NeuronHybridBlock
from .errors import BlockError, InputError, OptionError, UninitializedError
from .frontend.export import uninitialized
from .frontend.inputs import arguments
from .frontend.plain_block import plain_block
from .frontend.symbol import original
from .runtime import background
from .runtime.asked import value_of
from .runtime.front_end import front_end
from .runtime.mxnet_private import flatten
from .shape_options import is_int

OURS, THEIRS = "gluon_neuron", "MXNet"
PERCENTILES = (0, 50, 90, 99, 100)
_ROUNDS = 20
_MILLION = 1e6


@dataclass(frozen=True)
class Timing:
    """What was measured of one net with one batch size and one number of callers.

    `calls` were timed, of all callers; `latency` has milliseconds by percentile; `throughput` counts samples in a
    second. `times` is how many times as long as ours a call takes, at the median. `cost` is that of a million samples.
    """

    who: str
    batch: int
    callers: int
    calls: int
    latency: Mapping[str, float]
    throughput: float
    times: float
    cost: float | None = None


@dataclass(frozen=True)
class Benchmark:
    """The timings; prints itself as a table."""

    timings: tuple[Timing, ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each timing, as a table or a file of comma-separated values has it."""
        found = []
        for timing in self.timings:
            row = asdict(timing)
            latency = {f"{p}_ms": ms for p, ms in row.pop("latency").items()}
            found.append({k: row.pop(k) for k in ("who", "batch", "callers", "calls")} | latency | row)
        return found

    def __str__(self) -> str:
        from tabulate import tabulate

        heads = [*(f"p{p} ms" for p in PERCENTILES), "samples/s", "times ours"]
        priced = any(t.cost is not None for t in self.timings)
        table = [
            [
                *(t.who, t.batch, t.callers, t.calls),
                *(f"{ms:.3g}" for ms in t.latency.values()),
                *(f"{t.throughput:.4g}", f"{t.times:.2f}"),
                *([f"{t.cost:.4g}"] if t.cost is not None else []),
            ]
            for t in self.timings
        ]
        named = ["net", "batch", "callers", "calls", *heads, *(["cost of a million"] if priced else [])]
        return str(tabulate(table, named, disable_numparse=True))


def benchmark(
    net: Any,
    inputs: Any,
    *,
    beside: mx.gluon.HybridBlock | bool | None = True,
    batch_sizes: Sequence[int] | int = (),
    callers: Sequence[int] | int = (1,),
    calls: int = 100,
    warmup: int = 5,
    price_per_hour: float | None = None,
) -> Benchmark:
    """Time calls of a compiled net with `inputs`, which are what `compile` takes as a sample.

    It takes turns with MXNet, which runs the operators that the net was compiled of, a block for each caller; `beside`
    gives another block in their place, or False or None for none. `batch_sizes` repeats or cuts the inputs' first axes;
    `callers` are numbers of threads that call at the same time; each makes `calls` calls, after `warmup` that are not
    timed. `price_per_hour` is that of the machine. Raises OptionError for numbers that are not positive (`warmup` may
    be 0), and for several callers of one block, UninitializedError for a block
    without values, InputError for inputs that have no first axis to be changed, and
    GraphError for a net whose weights are baked in, which has no operators for MXNet.
    """
    batch_sizes, callers = _several(batch_sizes), _several(callers)
    if not callers:
        raise OptionError("callers must name at least one number of threads.")
    for name, values in (("batch_sizes", batch_sizes), ("callers", callers), ("calls", [calls])):
        if not all(is_int(n) and n > 0 for n in values):
            raise OptionError(f"{name} must be positive integers, not {values!r}.")
    if not (is_int(warmup) and warmup >= 0):
        raise OptionError(f"warmup must be an integer from 0, not {warmup!r}.")
    if price_per_hour is not None and not _is_price(price_per_hour):
        raise OptionError(f"price_per_hour must be a finite number above 0, not {price_per_hour!r}.")
    if not (beside is None or isinstance(beside, bool | mx.gluon.HybridBlock)):
        raise OptionError(f"beside must be a gluon.HybridBlock, True, False or None, not a {type(beside).__name__}.")
    if isinstance(beside, mx.gluon.Block) and max(callers) > 1:
        raise OptionError("MXNet's blocks are for one thread: several callers need beside=True, a block for each.")
    if not isinstance(net, NeuronHybridBlock):
        raise BlockError(f"benchmark() takes what compile() or load() gives, not a {type(net).__name__}.")
    is_np = net._metadata.is_np
    with front_end(is_np):
        given = arguments(net, inputs, is_np)
        flat = [a for a in flatten(given, "input")[0] if a is not None]
        if isinstance(beside, mx.gluon.HybridBlock):
            _check_initialized(beside, given)
        first = flat[0].shape[0] if flat[0].shape else 1
        timings = []
        for batch in batch_sizes or (first,):
            sample = given if batch == first else [_with_batch(a, first, batch) for a in given]
            for count in callers:
                ours = [_call(net, sample, is_np)] * count
                rivals = {OURS: ours}
                if beside is not None and beside is not False:
                    blocks = [in_mxnet(net) if beside is True else beside for _ in range(count)]
                    for block in blocks:
                        block.hybridize(static_alloc=True, static_shape=True)
                    rivals[THEIRS] = [_call(b, sample, is_np) for b in blocks]
                timings += _timed(rivals, batch, calls, warmup, price_per_hour)
    return Benchmark(tuple(timings))


def _check_initialized(beside: mx.gluon.HybridBlock, given: Sequence[Any]) -> None:
    missing = uninitialized(beside)
    if not missing:
        return
    try:
        beside(*given)  # what nothing reads may be without a value
    except RuntimeError as error:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise UninitializedError(
            f"The block beside has parameters without a value: {shown}. Call initialize() or load_parameters(file) of "
            "it first, or give beside=True, which times the operators that the net was compiled of."
        ) from error


def _several(numbers: Sequence[int] | int) -> list[int]:
    """A number alone is a list of one; the caller checks what they are."""
    return list(numbers) if isinstance(numbers, Iterable) else [numbers]


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(0 < value < math.inf)


def in_mxnet(net: NeuronHybridBlock) -> mx.gluon.SymbolBlock:
    """A block of MXNet's own with the operators that a net was compiled of, and copies of its parameters as they are.

    Raises GraphError where the weights are baked in.
    """
    symbol = original(net.symbol)
    read = set(symbol.list_inputs())
    held = {n: value_of(p) for n, p in net.collect_params().items() if n in read}
    metadata = net._metadata
    specs = dict(zip(metadata.inputs, metadata.specs, strict=True))
    return plain_block(symbol, specs, metadata.in_format, held, metadata.is_np)


def _with_batch(array: Any, first: int, batch: int) -> Any:
    if isinstance(array, list | tuple):
        return [_with_batch(a, first, batch) for a in array]
    if array is None:
        return None
    if not array.shape or array.shape[0] != first:
        raise InputError(f"batch_sizes changes the first axis of every input, and one has shape {array.shape}.")
    copies = -(-batch // first)
    repeated = array.tile((copies,) + (1,) * (array.ndim - 1)) if copies > 1 else array
    return repeated[:batch]


def _call(net: Any, sample: Sequence[Any], is_np: bool) -> Callable[[], None]:
    def call() -> None:
        with front_end(is_np):  # of this thread
            for array in flatten(net(*sample), "output")[0]:
                if array is not None:
                    array.wait_to_read()

    return call


def _timed(
    rivals: Mapping[str, Sequence[Callable[[], None]]], batch: int, calls: int, warmup: int, price: float | None
) -> list[Timing]:
    for ways in rivals.values():
        for call in dict.fromkeys(ways):
            for _ in range(warmup):
                call()
            background.wait()  # MXNet has the first calls of a shape, until its program is ready
            call()
    latencies: dict[str, list[float]] = {who: [] for who in rivals}
    walls = dict.fromkeys(rivals, 0.0)
    left = calls
    while left:
        share = min(left, -(-calls // _ROUNDS))
        left -= share
        # In turns, so that what else the machine does hits all alike.
        for who, ways in rivals.items():
            start = time.perf_counter()
            for taken in _together(ways, share):
                latencies[who] += taken
            walls[who] += time.perf_counter() - start
    middle = statistics.median(latencies[OURS])
    return [_timing(who, batch, len(rivals[who]), taken, walls[who], middle, price) for who, taken in latencies.items()]


def _together(ways: Sequence[Callable[[], None]], calls: int) -> list[list[float]]:
    """The seconds of each call of each caller; what a caller raises is raised."""
    taken: list[list[float]] = [[] for _ in ways]
    if len(ways) == 1:
        _repeat(ways[0], calls, taken[0])
        return taken
    errors: list[BaseException] = []

    def caller(number: int) -> None:
        try:
            _repeat(ways[number], calls, taken[number])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=caller, args=(i,)) for i in range(len(ways))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return taken


def _repeat(call: Callable[[], None], calls: int, taken: list[float]) -> None:
    for _ in range(calls):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)


def _timing(
    who: str, batch: int, callers: int, taken: Sequence[float], wall: float, middle: float, price: float | None
) -> Timing:
    ordered = sorted(taken)
    latency = {f"p{p}": 1e3 * ordered[round(p / 100 * (len(ordered) - 1))] for p in PERCENTILES}
    throughput = batch * len(taken) / wall
    cost = None if price is None else price / 3600 / throughput * _MILLION
    return Timing(who, batch, callers, len(taken), latency, throughput, statistics.median(taken) / middle, cost)
