"""NeuronHybridBlock: a SymbolBlock whose compiled regions run in the native operator, called through an executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import mxnet as mx
import numpy as np

from .class_names import checked_classes
from .errors import BlockError, InputError, nearest
from .frontend.inputs import convert
from .graph.subgraph import ARTIFACT_SUFFIX
from .options import CompileOptions
from .preprocessing import Preprocessing, checked_preprocessing
from .report import Report
from .runtime import placement
from .runtime.asked import saved
from .runtime.bucketed_call import BucketedCall
from .runtime.mxnet_private import flatten, holds_none, regroup, regroup_results, same_kind
from .runtime.open_call import OpenCall
from .runtime.session_cache import SessionCache
from .runtime.split_batch import run_in_parts
from .runtime.training_call import TrainingCall
from .stitch import files
from .stitch.input_spec import InputSpec, input_specs
from .stitch.metadata import Metadata
from .stitch.parameters import ArtifactParameter
from .stitch.write import described, without_name_copies

if TYPE_CHECKING:
    from .timeline.times import Profile

# What Gluon's own `hybridize` takes besides the backend's options.
_HYBRIDIZE = frozenset(
    ("clear", "static_alloc", "static_shape", "inline_limit", "forward_bulk_size", "backward_bulk_size")
)

_NOT_PICKLED = frozenset(("_sessions", "_bucketed", "_training", "_open"))


class NeuronHybridBlock(mx.gluon.SymbolBlock):
    """A compiled model. Made by `gluon_neuron.compile` and `gluon_neuron.load`.

    It is called as the original block, with the same (nested) arguments and results. Its parameters are the original's
    own Parameter objects; whatever changes them is seen by the next call. A call goes through a bound executor, or
    through a cached operator where shapes follow from the data, whatever `hybridize` was told. While `autograd` records
    or trains, MXNet runs the original operators: statistics of the batch, dropout and gradients are its own; where a
    file does not hold them (`inline_weights`), compiled regions run unless they would compute something else in
    training, and their backward is an error. As MXNet's own,
    calls are asynchronous; but a net of one region that computes for 30 ms at most on all cores, or for 0.5 ms at most
    elsewhere, does so before its call returns: waking another thread would take a share of that.
    """

    _alone = False

    def __init__(self, symbol: mx.sym.Symbol, params: Mapping[str, mx.gluon.Parameter], metadata: Metadata) -> None:
        # SymbolBlock's own constructor would make new parameters and infer their dtypes; here they exist.
        mx.gluon.HybridBlock.__init__(self, prefix=None, params=None)
        self._prefix = ""
        self._params = mx.gluon.ParameterDict("")
        self._params._params.update(params)
        names = symbol.list_inputs()
        variables = [mx.sym.var(n) for n in metadata.inputs]
        if metadata.is_np:
            variables = [v.as_np_ndarray() for v in variables]
        self._in_format = metadata.in_format
        self._cached_graph = variables, symbol
        self._reg_params = {n: p for n, p in params.items() if n in names}
        self._bound_symbol = without_name_copies(symbol)
        self._metadata = metadata
        self._take_nesting()
        self._array = mx.np.ndarray if metadata.is_np else mx.nd.NDArray
        self._sessions = self._new_sessions()
        self._bucketed = self._new_bucketed()
        self._training = self._new_training()
        self._open: dict[int | None, OpenCall] = {}

    @property
    def report(self) -> Report:
        """What was compiled, what was not, and why."""
        return self._metadata.report

    @property
    def target(self) -> str:
        """The target it was compiled for."""
        return self._metadata.report.target

    @property
    def engine(self) -> str:
        """The engine that runs its compiled regions: "openvino", or "mxnet" when nothing was compiled."""
        return self._metadata.report.engine

    @property
    def symbol(self) -> mx.sym.Symbol:
        """The partitioned symbol."""
        return self._cached_graph[1]

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the data inputs in the exported symbol, in the order of the flattened arguments."""
        return self._metadata.inputs

    @property
    def input_specs(self) -> tuple[InputSpec, ...]:
        """What each data input takes, in that order: its name, shape and dtype, and which axes may change."""
        return input_specs(self._metadata)

    @property
    def options(self) -> CompileOptions | None:
        """The options that it was compiled with, as they were resolved for the machine that compiled, less `work_dir`
        once it was loaded from files; None for files of earlier releases, which did not keep them."""
        return self._metadata.options

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in their order; none where nobody said so. Can be set; `export` keeps them."""
        return self._metadata.classes

    @classes.setter
    def classes(self, names: Sequence[str] | None) -> None:
        self._metadata = replace(self._metadata, classes=checked_classes(names))

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How an image becomes an input; None where nobody said so. Can be set; `export` keeps it."""
        return self._metadata.preprocessing

    @preprocessing.setter
    def preprocessing(self, made: Preprocessing | None) -> None:
        self._metadata = replace(self._metadata, preprocessing=checked_preprocessing(made))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = self._by_name(args, kwargs)
        if not args:
            raise InputError(f"The model takes {self._takes()}, but it was called without any.")
        found = self._call_again(args)
        return super().__call__(*self._converted(args)) if found is None else found

    def _converted(self, args: Sequence[Any]) -> tuple[Any, ...]:
        wanted = len(self._in_format) if isinstance(self._in_format, list) else 1
        while len(args) > wanted and args[-1] is None:
            args = args[:-1]  # what the block itself fills in was traced
        if args[0] is not None and not isinstance(args[0], mx.sym.Symbol):
            args = [convert(a, self._metadata.is_np, f"Input {i}") for i, a in enumerate(args)]
        return tuple(args)

    def _by_name(self, args: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
        names = self._metadata.arguments
        if not names:
            raise InputError(f"The model takes {self._takes()}, and none of them by name: {', '.join(named)}.")
        found = dict(zip(names, args, strict=False))
        for name, value in named.items():
            if name not in names:
                raise InputError(
                    f"The model has no argument {name!r}.{nearest(name, names)} It has {', '.join(names)}."
                )
            if name in found:
                raise InputError(f"The argument {name!r} was given twice, by its place and by its name.")
            found[name] = value
        last = max(i for i, n in enumerate(names) if n in found)
        return (*(found.get(n) for n in names[: last + 1]), *args[len(names) :])

    def _call_again(self, args: Sequence[Any]) -> Any:
        # The way of most calls, without what most of them do not need: caches are cold behind a large model, and every
        # line of Python then costs microseconds.
        sessions, kind = self._sessions, self._array
        last = sessions.last
        if last is None or self._in_format != [0] * len(args) or not all(type(a) is kind for a in args):
            return None
        if self._forward_hooks or self._forward_pre_hooks or self._callback is not None:
            return None
        if sessions.owner != os.getpid():
            return None
        results = last.run_again(args)
        if results is None:
            return None
        return regroup(results, self._out_format) if self._plain else self._regroup(results)

    def forward(self, x: Any, *args: Any) -> Any:
        """Run the model on arrays, or compose it with symbols."""
        arrays = self._flat([x, *args])
        if isinstance(x, mx.sym.Symbol):
            made = self.symbol(**dict(zip(self._metadata.inputs, arrays, strict=True)))
            count = len(made.list_outputs())
            # One symbol of mx.np is no list of outputs: an index would be an operator.
            return self._regroup([made] if count == 1 else [made[i] for i in range(count)])
        if self._training.wanted():
            results = self._train(arrays)
        elif mx.autograd.is_recording() or self._callback is not None:
            found = self._run_cached_op(arrays, x, *args)
            return found if self._plain else self._regroup(found)
        else:
            results = self._run(arrays)
        if mx.util.is_np_array() and not self._metadata.is_np:
            # MXNet lets blocks return nothing else then, whatever they were made from.
            self._sessions.last = None
            results = [r.as_np_ndarray() for r in results]
        return self._regroup(results)

    def _flat(self, args: Sequence[Any]) -> list[Any]:
        """The arrays of a call; raises InputError for another structure than the model's."""
        flat, fmt = flatten([*args], "input")
        if fmt != self._in_format:
            found = f"{sum(a is not None for a in flat)} array(s)"
            raise InputError(
                f"The model takes {self._takes()}, but it was called with {found} in another structure. "
                "Compile it with a sample of that structure to call it so."
            )
        return [a for a in flat if a is not None]

    def profile(self, *args: Any, calls: int = 20, warmup: int = 3, **kwargs: Any) -> Profile:
        """Where the time of a call goes: `print` it, or `save("x.html")` a page, `save("x.json")` a trace.

        The arguments are those of a call, by place or by name. After `warmup` calls and one more, which are not
        counted, `calls` are timed as they are, and as many by programs that are compiled for this alone and whose
        engine times each of its kernels; operators left in MXNet are run one by one. Programs for these shapes are
        made ready first. It infers, whatever autograd records. Not for several threads at once.

        Raises InputError as a call does, OptionError for other numbers than positive ones, and ProfileError where a
        region runs on a NeuronCore, no program can be made for the shapes, or something else in the process is being
        timed.
        """
        from .timeline.measure import Source, measure

        given = self._by_name(args, kwargs) if kwargs else args
        if not given:
            raise InputError(f"The model takes {self._takes()}, but it was profiled without any.")
        given = self._converted(given)
        arrays = self._flat(given)
        if any(isinstance(a, mx.sym.Symbol) for a in arrays):
            raise InputError("A profile is of a call with arrays, and a symbol was given.")
        metadata = self._metadata
        source = Source(
            *(self._bound_symbol, self._reg_params, metadata.inputs, metadata.is_np, metadata.open_shapes),
            *(self.target, self.engine),
            call=lambda: self(*given),
            run=lambda run: self._run(arrays, run),
            whole=self._run_whole,
            ready=self._sessions.ready,
        )
        return measure(source, arrays, calls, warmup)

    def _take_nesting(self) -> None:
        self._nesting = self._metadata.out_format
        # Gluon itself knows no None among results.
        self._plain = not holds_none(self._nesting)
        self._out_format = self._nesting if self._plain else [0] * len(self.symbol.list_outputs())

    def _regroup(self, results: Sequence[Any]) -> Any:
        return regroup(results, self._nesting) if self._plain else regroup_results(results, self._nesting)

    def _train(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        with self._says_misfit(arrays):
            return self._training(arrays, self._callback, self._monitor_all)

    def _run_cached_op(self, arrays: Sequence[mx.nd.NDArray], x: Any, *args: Any) -> Any:
        self._sessions.check(arrays)
        with self._says_misfit(arrays), arrays[0].ctx:
            return self._call_cached_op(x, *args)

    @contextmanager
    def _says_misfit(self, arrays: Sequence[mx.nd.NDArray]) -> Iterator[None]:
        try:
            yield
        except mx.base.MXNetError as error:
            self._sessions.blame(arrays, error)
            raise

    def whole_calls(self, arrays: Sequence[mx.nd.NDArray]) -> list[list[mx.nd.NDArray]]:
        """The arrays that its regions run with in a call with these: padded to a bucket, each part of a batch, or as
        they are."""
        calls: list[list[mx.nd.NDArray]] = []

        def run(given: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
            calls.append(list(given))
            return self._run_whole(given)

        self._run(arrays, run)
        return calls

    def _run(
        self,
        arrays: Sequence[mx.nd.NDArray],
        run: Callable[[Sequence[mx.nd.NDArray]], list[mx.nd.NDArray]] | None = None,
    ) -> list[mx.nd.NDArray]:
        run = run or self._run_whole
        axes = self._metadata.batch_axes
        if axes is None and self._bucketed is None:
            return run(arrays)
        shapes = tuple(a.shape for a in arrays)
        if shapes in self._static:
            return run(arrays)
        found = None if self._bucketed is None else self._bucketed(run, arrays)
        if found is None:
            samples = axes.samples([s.shape for s in self._metadata.specs], shapes) if axes else None
            if axes is None or not samples:
                if self._bucketed is not None:
                    self._bucketed.beyond(arrays)
                return run(arrays)
            found = run_in_parts(run, arrays, axes, samples)
        return [a.as_np_ndarray() for a in found] if self._metadata.is_np else found

    @contextmanager
    def programs_alone(self) -> Iterator[None]:
        """Inside, compiled regions run for shapes that they were not compiled for, too, from the first call on.

        Otherwise MXNet has those calls until a program is ready, and longer where the original uses the same weights
        between them. Not for calls of several threads.
        """
        self._alone = self.target == "cpu"
        try:
            yield
        finally:
            self._alone = False

    def _run_whole(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        if not self._metadata.open_shapes:
            return self._run_alone(arrays) if self._alone else self._sessions.run(arrays)
        if self._sessions.is_recast:
            return self._sessions.run(arrays)
        # Results whose shapes are not known beforehand have no arrays that a session could bind them to.
        with self._sessions.turn():
            return self._open_call(arrays[0].ctx)(arrays)

    def _run_alone(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        if tuple(a.shape for a in arrays) in self._static or self._sessions.is_recast:
            return self._sessions.run(arrays)
        try:
            with self._sessions.turn():
                found = self._open_call(arrays[0].ctx)(arrays)
                for array in found:
                    array.wait_to_read()
        except (mx.base.MXNetError, BlockError):
            # No program can be made for the shape: MXNet runs it for good, or says what is wrong with it.
            return self._sessions.run(arrays)
        return found

    def _open_call(self, ctx: mx.Context) -> OpenCall:
        core = placement.core_of(self._artifacts(), ctx)
        if core not in self._open:
            placed = placement.placed(self.symbol, core)
            self._open[core] = OpenCall(placed, self._metadata.inputs, self._reg_params)
        return self._open[core]

    def _new_sessions(self) -> SessionCache:
        metadata = self._metadata
        self._static = metadata.static_shapes
        given = metadata.inputs, metadata.specs
        return SessionCache(self._bound_symbol, *given, self._reg_params, metadata.is_np, self._static, self._graphs)

    def _new_bucketed(self) -> BucketedCall | None:
        metadata = self._metadata
        if metadata.buckets is None:
            return None
        given = metadata.inputs, metadata.specs, self._reg_params, metadata.is_np
        return BucketedCall(metadata.buckets, self._bound_symbol, *given)

    def _new_training(self) -> TrainingCall:
        return TrainingCall(self._bound_symbol, self._metadata.inputs, self._reg_params)

    def _graphs(self) -> list[str]:
        return [p.graph() for p in self._artifacts()]

    def _artifacts(self) -> list[ArtifactParameter]:
        return [p for p in self._reg_params.values() if isinstance(p, ArtifactParameter)]

    def _takes(self) -> str:
        pairs = zip(self._metadata.inputs, self._metadata.specs, strict=True)
        return f"{len(self._metadata.inputs)} input(s): " + ", ".join(f"{n} {s}" for n, s in pairs)

    def export(self, path: str | os.PathLike[str], epoch: int = 0, remove_amp_cast: bool = True) -> tuple[str, str]:
        """Write `path-symbol.json` and `path-0000.params` (with the epoch's four digits); returns their names.

        The files load with `gluon_neuron.load`, `gluon.SymbolBlock.imports` and `model.load_checkpoint`. Raises
        ExportError when they cannot be written; files that were there before are then unchanged.
        """
        auxiliary = set(self.symbol.list_auxiliary_states())
        arrays = {}
        for name, param in self.collect_params().items():
            if name in self._reg_params:
                arrays[f"{'aux' if name in auxiliary else 'arg'}:{name}"] = saved(param)
        text = described(self.symbol.tojson(remove_amp_cast=remove_amp_cast), self._metadata)
        written = files.write(path, epoch, text, arrays, self._metadata.is_np)
        return str(written[0]), str(written[1])

    def save_parameters(self, filename: str | os.PathLike[str], deduplicate: bool = False) -> None:
        """As `Block.save_parameters`, whichever front end is in use, and with the artifacts."""
        held = self.collect_params().items()
        is_np = self._metadata.is_np or mx.util.is_np_array()
        files.save_whole(filename, {n: saved(p) for n, p in held if n in self._reg_params}, is_np)

    def load_parameters(
        self,
        filename: str | os.PathLike[str],
        ctx: Any = None,
        allow_missing: bool = False,
        ignore_extra: bool = False,
        cast_dtype: bool = False,
        dtype_source: str = "current",
    ) -> None:
        """As `Block.load_parameters`, whichever front end wrote the file.

        Artifacts that it lacks stay as they are, and another model's are left.

        So a file saved from this block loads, one that holds only the weights does too, and one of the same net
        compiled otherwise.
        """
        loaded = files.load_arrays(filename, self._metadata.is_np)
        if not isinstance(loaded, dict):
            raise InputError(f"{filename} holds arrays without names; a file of parameters names every array.")
        arrays = {n.removeprefix("arg:").removeprefix("aux:"): a for n, a in loaded.items()}
        held = {n for n, p in self.collect_params().items() if isinstance(p, ArtifactParameter)}
        for name in [n for n in arrays if n.endswith(ARTIFACT_SUFFIX) and n not in held]:
            if arrays[name].dtype == np.uint8:
                del arrays[name]
        wanted = mx.gluon.ParameterDict()
        for name, param in self.collect_params().items():
            if name in arrays:
                arrays[name] = same_kind(arrays[name], param)
            if name in arrays or not isinstance(param, ArtifactParameter):
                wanted.update({name: param})
        wanted.load_dict(arrays, ctx, allow_missing, ignore_extra, "", filename, cast_dtype, dtype_source)

    def hybridize(self, active: bool = True, backend: str | None = None, *args: Any, **kwargs: Any) -> None:
        """As `HybridBlock.hybridize`. The backend "neuron" changes nothing, for the block is compiled already.

        Raises BlockError for another backend, and for options of a compile.
        """
        self._check_backend(backend, kwargs)
        super().hybridize(active, None, *args, **kwargs)

    def optimize_for(self, x: Any, *args: Any, backend: str | None = None, **kwargs: Any) -> None:
        """With the backend "neuron" this changes nothing, for the block is compiled already.

        Raises BlockError for another backend, and for options of a compile.
        """
        self._check_backend(backend or "", kwargs)

    def _check_backend(self, backend: str | None, options: Mapping[str, Any]) -> None:
        others = [n for n in options if n not in _HYBRIDIZE] if backend is not None else []
        if backend in (None, "neuron") and not others:
            return
        asked = f"the backend {backend!r}" if backend != "neuron" else f"the option {others[0]!r}"
        raise BlockError(
            f"The block is compiled already, and {asked} cannot be applied to it. Compile it again with other options, "
            "gluon_neuron.compile(net, sample, ...), or use the backend on the block that was compiled."
        )

    def _clear_cached_op(self) -> None:
        super()._clear_cached_op()
        if "_sessions" in self.__dict__:
            self._sessions.clear()
            self._training = self._new_training()
            self._open.clear()

    def __getstate__(self) -> dict[str, Any]:
        state = {n: v for n, v in self.__dict__.items() if n not in _NOT_PICKLED}
        state["_cached_op"] = None
        state["_cached_op_args"] = []
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._take_nesting()
        self._sessions = self._new_sessions()
        self._bucketed = self._new_bucketed()
        self._training = self._new_training()
        self._open = {}

    def __repr__(self) -> str:
        report = self.report
        return (
            f"{type(self).__name__}(target={self.target!r}, engine={self.engine!r}, regions={len(report.regions)}, "
            f"operators={report.compiled_operators}/{report.operators}, inputs={list(self._metadata.inputs)})"
        )
