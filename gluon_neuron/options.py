"""CompileOptions: everything a user can choose when compiling, checked once, frozen, and documented field by field."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from .errors import OptionError, nearest
from .shape_options import (
    Asked,
    Range,
    checked_batch_sizes,
    checked_buckets,
    checked_dynamic,
    checked_padding,
    checked_shapes,
    is_int,
)

TARGETS = ("auto", "cpu", "inf1", "inf2", "trn1", "trn2")
AUTO_CASTS = ("none", "matmult", "all")
AUTO_CAST_TYPES = ("bf16", "fp16", "tf32", "fp8_e4m3")


_NOT_IDENTITY = (
    *("strict", "target", "shapes", "batch_sizes", "dynamic_batch", "op_by_op_retry"),
    *("compiler_jobs", "compiler_timeout", "cores", "dynamic", "work_dir"),
    *("buckets", "padding"),
    *("exclude_nodes", "exclude_operators", "include_nodes"),
)


_BESIDE = ("classes", "preprocessing")
"""What `compile` takes beside the options, and somebody may have misspelt."""


@dataclass(frozen=True, kw_only=True)
class CompileOptions:
    """How a model is compiled. Every field enters the identity of a compiled program unless its text says otherwise."""

    target: str = "auto"
    """Where it is to run: "auto" (the chip if there is one, else the CPU), "cpu", "inf1", "inf2", "trn1", "trn2"."""

    auto_cast: str = "none"
    """What may be computed in `auto_cast_type`: "none", "matmult" (what matrix products and convolutions read; they add
    up in float32, and all else is in float32) or "all"."""

    auto_cast_type: str = "bf16"
    """The type of the cast: "bf16", "fp16", "tf32" or "fp8_e4m3". The CPU offers "bf16", inf1 "bf16" and "fp16"; where
    a chip's program uses another, the CPU's program beside it is computed in float32."""

    inline_weights: bool = False
    """Bake the weights into the artifact: the lowest overhead per call, but they can no longer be replaced, the
    parameters appear in no `collect_params`, and only shapes compiled beforehand can run."""

    shapes: tuple[Asked, ...] = ()
    """Further shapes for which static programs are compiled beside the sample's: `shapes=[(8, 3, 224, 224), (1, 3, 320,
    320)]`. An item is the shape of the only input; a tuple of shapes, one for each input in order, `[((2, 64), (2,))]`;
    or a dict by name, `[{"data0": (2, 64)}]`, in which an input that is not named has the sample's shape. Dtypes are
    those of the sample. OptionError names an input that the model does not have and a wrong number of axes, and
    InputError says why MXNet takes no such shape. An operator that cannot be compiled for one of the shapes stays in
    MXNet for all."""

    batch_sizes: tuple[int, ...] = ()
    """Further batch sizes to compile besides the sample's: short for `shapes` in which the first axis of every input
    has that length."""

    buckets: Mapping[str | int, Mapping[int, Sequence[int]]] | None = None
    """Serve calls of many shapes with a ladder of static programs, as NeuronCores need it: `buckets={"data0": {1: [64,
    128, 256]}}` compiles one for each length of axis 1. A call runs in the smallest bucket that holds it: padded
    behind its end, and the results cut to what MXNet gives for the call itself. Inputs go by name or position, a
    negative axis counts from the last, and the sample's shape is a bucket as well. Axes with the same buckets and the
    same extent in the sample are one extent where MXNet does not let them differ (a length that two inputs share, the
    batch of all inputs); otherwise there is a program for each combination, 64 in all at most. Padding has to be
    harmless: it is proved that what lies at one position along the axis has no influence on another (a batch; a length
    along which everything is computed for itself), or `padding` declares it; otherwise OptionError names the operator
    that stands in the way. Calls that no bucket holds, or with another dtype, run as without this option, with one
    warning; with `strict=True` they are InputErrors. The programs of an artifact share one set of weights on a
    NeuronCore. A `NeuronHybridBlock` pads; what imports its files in another way runs the shapes of the buckets alone.
    Not part of the identity."""

    padding: Mapping[str | int, Mapping[int, float]] | None = None
    """Axes of `buckets` along which you declare that padding does no harm, because the model itself ignores what lies
    behind the end (a valid length that is another input masks it, for example), each with the value to pad with:
    `padding={"data0": {1: 0}}`, or `{"data0": [1]}` for 0. It is believed for every call; the sample alone is tried in
    the next larger bucket, and a warning (OptionError with `strict=True`) says so where its results change. Compare
    with `verify` on inputs of several lengths. What the outputs have along the axes that follow is cut to the extents
    that MXNet infers. Not part of the identity."""

    dynamic: bool | str | Mapping[str | int, Mapping[int, Range]] = True
    """Derive, for the CPU, one dynamic program for calls with other shapes, beside the static ones. True: for every
    extent that MXNet lets change. A mapping from inputs, by name or position, to their dynamic axes, each with its
    least and its largest extent, frees these alone, in their ranges: `dynamic={"data": {0: (1, 64), 1: (1, 512)}}`.
    None (or True) in the place of a range is any extent, a negative axis counts from the last, `{"data": [0, 1]}` is
    `{"data": {0: None, 1: None}}` (as `dynamic_axes` in ONNX's exporter), and "batch" is the first axis of every input
    that has as many there as the first input. Axes that only change together are all to be named. What a region reads
    from within the model may change as far as it follows from these axes. Calls beyond the ranges are served as those
    with False: MXNet runs them, while a program is compiled in the background for each shape that comes again, or it is
    compiled within the call where MXNet calls the operator. Where there is no dynamic program, or one for less than
    a mapping asks for, `report` says why, and with `strict=True` a mapping or "batch" raises CompileError. Raises
    OptionError for inputs and axes that the model does not have, and ranges without the sample's extent. Not part of
    the identity."""

    dynamic_batch: bool = False
    """Serve any batch size with the compiled one, by splitting and padding along the samples' axis of each input and
    joining along that of each output: the first axis, or the second (layouts with time first, recurrent states). It is
    proved that samples have no influence on each other; a model for which that cannot be proved is refused with
    OptionError. Calls that differ from the sample in more than the number of samples run as without this option."""

    exclude_nodes: tuple[str, ...] = ()
    """Names of nodes that stay in MXNet: all nodes of such a name, where a block is called several times."""

    exclude_operators: tuple[str, ...] = ()
    """Names of MXNet operators that stay in MXNet."""

    include_nodes: tuple[str, ...] = ()
    """Names of nodes, all of such a name, that are compiled even where their region would be too small to be worth a
    call, or MXNet faster."""

    pipeline_cores: int = 1
    """NeuronCores over which one region is spread on inf1. Every other target runs a region on one core, and keeps the
    number for the record."""

    cores: tuple[int, ...] = ()
    """NeuronCores that the model may use, by index among those that the process may use: an index, or several that
    follow one another. Every region runs on the first, and on as many behind it as it was compiled for; none stands for
    whichever are used least. The exported files keep it, and `mx.neuron(i)` where they are loaded overrides it. Not
    part of the identity."""

    compiler_flags: tuple[str, ...] = ()
    """Further words of the Neuron compiler's command line, as they are. They win over the other options, those over
    NEURON_CC_FLAGS in the environment, and that over defaults. On the CPU, casts count and the rest is kept for the
    record."""

    compiler_jobs: int = 0
    """How many Neuron compilers run at the same time; 0 is half the machine's cores, 8 at most. Not part of the
    identity."""

    compiler_timeout: float | None = None
    """Seconds after which a region's Neuron compiler is stopped and the region has failed; None waits as long as it
    takes. Not part of the identity."""

    op_by_op_retry: bool = False
    """When a region cannot be compiled, try its operators one by one and leave out those that fail, instead of the
    region. Not part of the identity."""

    work_dir: str | None = None
    """Where SUBGRAPH_INFO=1 in the environment keeps what was compiled; the working directory if it is not given. Not
    part of the identity."""

    num_threads: int = 0
    """Threads of the CPU engine; 0 lets the engine choose (the machine's cores)."""

    strict: bool = False
    """Raise CompileError when a region cannot be compiled, instead of leaving it in MXNet. Not part of the identity."""

    def __post_init__(self) -> None:
        _one_of("target", self.target, TARGETS)
        _one_of("auto_cast", self.auto_cast, AUTO_CASTS)
        _one_of("auto_cast_type", self.auto_cast_type, AUTO_CAST_TYPES)
        for name in ("inline_weights", "dynamic_batch", "strict", "op_by_op_retry"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"Option {name} must be True or False, not {getattr(self, name)!r}.")
        if not is_int(self.num_threads) or self.num_threads < 0:
            raise OptionError(f"Option num_threads must be 0 or a positive integer, not {self.num_threads!r}.")
        if not is_int(self.compiler_jobs) or self.compiler_jobs < 0:
            raise OptionError(f"Option compiler_jobs must be 0 or a positive integer, not {self.compiler_jobs!r}.")
        timeout = self.compiler_timeout
        if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
            raise OptionError(f"Option compiler_timeout must be a positive number of seconds, not {timeout!r}.")
        if not is_int(self.pipeline_cores) or self.pipeline_cores < 1:
            raise OptionError(f"Option pipeline_cores must be a positive integer, not {self.pipeline_cores!r}.")
        if self.work_dir is not None:
            try:
                object.__setattr__(self, "work_dir", os.fspath(self.work_dir))
            except TypeError:
                raise OptionError(f"Option work_dir must be a path, not {self.work_dir!r}.") from None
        for name in ("exclude_nodes", "exclude_operators", "include_nodes", "compiler_flags"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        for name in ("num_threads", "compiler_jobs", "pipeline_cores"):
            object.__setattr__(self, name, int(getattr(self, name)))  # NumPy's are no JSON
        object.__setattr__(self, "cores", _cores(self.cores))
        object.__setattr__(self, "shapes", checked_shapes(self.shapes))
        object.__setattr__(self, "batch_sizes", checked_batch_sizes(self.batch_sizes))
        object.__setattr__(self, "dynamic", checked_dynamic(self.dynamic))
        object.__setattr__(self, "buckets", checked_buckets(self.buckets) or None)
        object.__setattr__(self, "padding", checked_padding(self.padding) or None)

    @classmethod
    def make(cls, given: Mapping[str, Any]) -> CompileOptions:
        """Options from keyword arguments; raises OptionError with the nearest valid name for an unknown one."""
        valid = [f.name for f in fields(cls)]
        for name in given:
            if name not in valid:
                meant = nearest(name, [*valid, *_BESIDE])
                raise OptionError(f"Unknown option {name!r}.{meant} Valid options are: {', '.join(valid)}.")
        return cls(**given)

    def identity(self) -> dict[str, Any]:
        """The fields that decide what a compiled program computes, as JSON-compatible values."""
        chosen = asdict(self)
        for name in _NOT_IDENTITY:
            del chosen[name]
        return chosen


def _cores(value: object) -> tuple[int, ...]:
    given = (value,) if is_int(value) else value
    if isinstance(given, range):
        given = tuple(given)
    if given is None:
        return ()
    whole = isinstance(given, tuple | list) and all(is_int(c) and c >= 0 for c in given)
    if not whole or list(given) != list(range(given[0], given[0] + len(given)) if given else ()):  # type: ignore[arg-type, call-overload, index]
        raise OptionError(
            f"Option cores must be a NeuronCore's index, or a list of indices that follow one another, not {value!r}."
        )
    return tuple(int(c) for c in given)  # type: ignore[attr-defined]


def _one_of(name: str, value: object, allowed: Iterable[str]) -> None:
    if value not in tuple(allowed):
        hint = nearest(value, allowed) if isinstance(value, str) else ""
        raise OptionError(f"Option {name} is {value!r}; it must be one of {', '.join(allowed)}.{hint}")


def _names(option: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) and option != "compiler_flags":
        return (value,)  # a single name
    if isinstance(value, str) or not isinstance(value, Iterable) or not all(isinstance(v, str) for v in value):
        raise OptionError(f"Option {option} must be a list of names, not {value!r}.")
    return tuple(value)
