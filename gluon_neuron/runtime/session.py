"""Session: a symbol bound to the parameters' own arrays for one signature; data goes in, new arrays come out."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Container, Mapping, Sequence
from functools import cached_property, partial
from itertools import chain
from operator import is_

import mxnet as mx

from ..engine import native_library
from ..engine.forks import Lock
from ..graph.spec import Spec, dtype_name, mxnet_dtype
from . import placement
from .asked import Asked, plain
from .bound_graph import BoundGraph, Region, described
from .compiled_nodes import CompiledNode, output_specs, outputs_of, serves
from .front_end import shape_rules
from .mxnet_patches import watch_list
from .mxnet_private import arrays_of, lay_out
from .one_bind import one_bind
from .unfused import unfused

# An executor that MXNet fuses for oneDNN says so at every bind unless told not to.
os.environ.setdefault("MXNET_SUBGRAPH_VERBOSE", "0")


def _bound_in_order(bind: Callable[[], mx.executor.Executor]) -> tuple[mx.executor.Executor, dict[str, int]]:
    # MXNet's engine is given the setup of each operator, which counts as writing all that this reads.
    with one_bind(), native_library.pushes():
        return native_library.watched(bind)


def _bytes_between(executor: mx.executor.Executor) -> int:
    # What one operator gives to another has memory in the executor that only its description tells of.
    found = re.search(r"Total (\d+) MB allocated", executor.debug_str())
    return int(found[1]) << 20 if found else 0


class Session:
    """A graph and the arrays that it was bound to, which it holds: their addresses are not recycled while it lives.

    MXNet's executor costs a fraction of what Gluon's cached operator costs when there are hundreds of parameters, and a
    graph of one region needs none. Calls may come from several threads. `lendable`, `placeable` and `region` are what
    `bound_graph` says of the symbol: what passes without a copy, and whether it is one region. `nodes` are its compiled
    nodes. `changing` are names of parameters that were seen to give another array than the one they were bound with.
    """

    def __init__(
        self,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        specs: Sequence[Spec],
        params: Mapping[str, mx.gluon.Parameter],
        ctx: mx.Context,
        is_np: bool,
        graphs: Sequence[str] = (),
        core: int | None = None,
        lendable: Container[str] = frozenset(),
        placeable: Sequence[bool] = (),
        region: Region | None = None,
        nodes: Sequence[CompiledNode] = (),
        changing: Container[str] = (),
    ) -> None:
        arguments = symbol.list_arguments()
        auxiliary = symbol.list_auxiliary_states()
        read = {*arguments, *auxiliary}  # data may be statistics, which MXNet has among the auxiliary states
        self._epoch = native_library.epoch()  # before the arrays are looked at
        self._params = [params[n] for n in (*arguments, *auxiliary) if n in params]
        for param in self._params:
            watch_list(param)
        self._lists = [arrays_of(p) for p in self._params]
        self._held = list(chain.from_iterable(self._lists))
        self._lock = Lock()
        self._is_np = is_np
        self._inputs = tuple(inputs)
        data = {n: s for n, s in zip(inputs, specs, strict=True) if n in read}
        names = [n for n in (*arguments, *auxiliary) if n not in data]
        with shape_rules(is_np):
            values = {n: Asked(n, params[n], ctx, n in changing) for n in names}
            self._bound = {n: plain(values[n].bound) for n in names}
            self.held = 0
            """Bytes of the arrays that it has for itself."""
            graph = None
            if region is not None:
                outputs = outputs_of(symbol, data, self._bound, is_np)
                graph = BoundGraph.of_region(
                    region, dict(zip(inputs, specs, strict=True)), self._bound, outputs, ctx, core
                )
            if region is not None and graph is not None:
                self._outputs, self._made = outputs, {region.name: graph.node or 0}
            else:
                graph = self._bind(symbol, data, ctx, core, [n in lendable for n in inputs], placeable)
        self._graph, self._region = graph, region
        # MXNet copies such results among the shapes of mx.np alone.
        self._without_elements = not is_np and any(0 in o.shape for o in self._outputs)
        self._arrays = list(self._bound.values())
        self._symbol, self._nodes, self._data = symbol, nodes, data
        self._asked = [a for a in values.values() if not a.fixed]
        self._fresh = True
        self._relayouts = 2**64 - 1  # none yet
        self._graphs = tuple(graphs)
        self._owner = os.getpid()
        self.kept = False
        """Whether its models are wanted by others, when it goes."""

    def _bind(
        self,
        symbol: mx.sym.Symbol,
        data: Mapping[str, Spec],
        ctx: mx.Context,
        core: int | None,
        lend: Sequence[bool],
        place: Sequence[bool],
    ) -> BoundGraph:
        """An executor over the parameters' arrays and arrays of its own for the data."""
        feeds = {n: mx.nd.empty(s.shape, ctx, mxnet_dtype(s.dtype)) for n, s in data.items()}
        args, aux = (
            {n: feeds[n] if n in feeds else self._bound[n] for n in group}
            for group in (symbol.list_arguments(), symbol.list_auxiliary_states())
        )
        bind = unfused()(partial(symbol.bind, ctx, args, grad_req="null", aux_states=aux))
        executor, self._made = placement.bind_for(core, partial(_bound_in_order, bind))
        outputs = executor.outputs
        self._outputs = [Spec(tuple(o.shape), dtype_name(o.dtype)) for o in outputs]
        own = [*data.values(), *self._outputs]
        self.held = _bytes_between(executor) + sum(s.size * mxnet_dtype(s.dtype).itemsize for s in own)
        place = place or [False] * len(outputs)
        return BoundGraph.of_executor(executor, [feeds.get(n) for n in self._inputs], lend, place, ctx)

    def __del__(self) -> None:
        # The library keeps models without a user for a while, which plain MXNet needs; here nobody will come back. In a
        # forked child they stay: ending one waits for threads that did not come along.
        bound = self.__dict__.pop("_graph", None) is not None  # the executor is gone then, and its models have no user
        if bound and not self.kept and self._owner == os.getpid():
            for graph in self._graphs:
                native_library.release(graph)

    def serves(self) -> int:
        """What is held for its compiled nodes: `NOTHING`, `ANY_SHAPE` or `COMPILED` of `native_library`, the least."""
        artifacts = {n.name: self._bound[n.inputs[-1] or ""] for n in self._nodes}
        return serves(self._made, artifacts)

    @property
    def is_whole(self) -> bool:
        """Whether the whole graph is one compiled node."""
        return self._region is not None

    def prepare(self) -> bool:
        """Load what its calls will run, on this thread; False where weights have to be laid out before.

        Raises CompileError where a program cannot be made.
        """
        self._fresh = False
        for name, inputs, outputs in self._preparations:
            status = native_library.prepare_node(self._made[name], inputs, outputs)
            if status == native_library.NOT_HERE:
                self._run_zeros()
                return True
            if status == native_library.LAID_OUT:
                return False
        return True

    def meet_shapes(self) -> None:
        """Run programs for any shape once, on this thread: for a shape of the first time they take longer."""
        for name, inputs, outputs in self._preparations:
            native_library.prepare_node(self._made[name], inputs, outputs, meet=True)

    def specify(self) -> None:
        """Have MXNet infer what `prepare` needs, on this thread: an operator in Python may not take another."""
        _ = self._preparations

    @cached_property
    def _preparations(self) -> list[tuple[str, list[int | None], tuple[int, ctypes.Array[ctypes.c_int64]]]]:
        if self._region is not None:
            outputs = {self._region.name: self._region.own_order(self._outputs)}
        else:
            outputs = output_specs(self._symbol, self._data, self._bound, self._nodes, self._is_np)
        return [
            (n.name, [self._handle(i) for i in n.inputs], (len(outputs[n.name]), described(outputs[n.name])))
            for n in self._nodes
        ]

    def _handle(self, name: str | None) -> int | None:
        return None if name is None or name in self._data else self._bound[name].handle.value

    def _run_zeros(self) -> None:
        # Where MXNet does not show its arrays' state, a model is loaded by a call.
        kinds = [self._data.get(n, Spec((1,), "float32")) for n in self._inputs]
        zeros = [mx.nd.zeros(k.shape, dtype=mxnet_dtype(k.dtype)) for k in kinds]
        for out in self.run(zeros):
            out.wait_to_read()

    def evicted(self) -> bool:
        """Whether the room of a program that was made for it was given to others."""
        return any(native_library.node_evicted(node) for node in self._made.values())

    def is_current(self) -> bool:
        """Whether every parameter still has the array that the executor was bound to."""
        now = native_library.epoch()
        if now == self._epoch:
            return True
        lists = [arrays_of(p) for p in self._params]
        if not all(map(is_, lists, self._lists)):
            return False
        found = list(chain.from_iterable(lists))
        if len(found) == len(self._held) and all(map(is_, found, self._held)):
            self._epoch = now
            return True
        return False

    @property
    def asks(self) -> bool:
        """Whether a parameter has to be asked for its array at each call, so that `run_again` is not to be used."""
        return bool(self._asked)

    def follow(self) -> list[str]:
        """Ask the parameters that may give other arrays now; the names of those for which it has to be bound again."""
        with self._lock:
            if self._fresh:  # binding has asked
                self._fresh = False
                return []
            return [a.name for a in self._asked if not a.follow()]

    def run(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """The outputs for the given data, as new arrays; asynchronous, but waits until large data is there.

        A net of one region runs at once, on this thread, unless it takes long.
        """
        if native_library.relayouts() != self._relayouts:
            with self._lock:
                self._restore_layout()
        if self._without_elements:
            with shape_rules(True):
                return self._wrap(self._graph.run(arrays))
        return self._wrap(self._graph.run(arrays))

    def run_again(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray] | None:
        """As `run`, after one; None when anything needs another look: the arrays' kinds, parameters, recording."""
        if self._without_elements:
            return None
        handles = self._graph.run_if(self._epoch, self._relayouts, arrays)
        return None if handles is None else self._wrap(handles)

    def _wrap(self, handles: Sequence[int]) -> list[mx.nd.NDArray]:
        make = mx.np.ndarray if self._is_np else mx.nd.NDArray
        return [make(mx.base.NDArrayHandle(handle)) for handle in handles]

    def _restore_layout(self) -> None:
        # MXNet's convolutions leave the weights they use in a blocked layout; if the original block shares them and has
        # run, each call of ours would be given copies. Asking for an array's address lays it out as usual, for good.
        for array in self._arrays:
            lay_out(array)
        self._relayouts = native_library.relayouts()
