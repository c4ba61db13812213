"""Runs a dynamic program beside the static one for a shape, on random data, before it is believed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from typing import Any, TypeVar

import numpy as np

from ...dialect.in_openvino.builder import DTYPES
from ...dialect.in_openvino.importing import import_openvino
from .dynamic_listing import NotDynamic
from .ir import with_marks

_T = TypeVar("_T")

_PROCESS = os.getpid()
"""In a child that was forked of it, threads of OpenVINO's may be missing, and compiling would wait for them."""

ANY_SHAPE = {"SNIPPETS_MODE": "DISABLE"}
"""What the native engine sets for a dynamic program (`native/openvino/engine.cc`)."""

_TOLERANCE = {"f32": 1e-4, "bf16": 3e-2}
"""Of the largest result: kernels for other shapes add up in another order."""

_SEED = 20200213


class Checker:
    """Compares results. `weight` gives a weight's value by name, `config` are the engine's settings."""

    def __init__(self, weight: Callable[[str], np.ndarray], config: Mapping[str, str]) -> None:
        self._openvino = import_openvino()
        self._core = self._openvino.Core()
        self._weight = weight
        self._config = {**config, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": "NO"}
        self._tolerance = _TOLERANCE[config["INFERENCE_PRECISION_HINT"]]
        self._constants: dict[str, Any] = {}
        self._random = np.random.default_rng(_SEED)

    def can(self) -> bool:
        """Whether programs can be run in this process."""
        return os.getpid() == _PROCESS

    def check(self, dynamic: Any, static: Sequence[Any], data: Collection[str], float32: Set[str]) -> None:
        """Run the model for any shape beside each of the static ones, on the same random data.

        Raises NotDynamic where the results are not the same. All read the inputs `data` in one order. `float32` names
        what is marked in all of them.
        """
        try:
            dynamic, *static = [with_marks(model, float32) for model in (dynamic, *static)]
            # Most of what it takes to compile a small model is the same for a large one: together they take half. Of
            # a large one, only one is there at a time, for each has the weights laid out for itself.
            wanted, arrays = _elsewhere(lambda: self._run(self._together(static, data), self._config))
            found, calls = _elsewhere(
                lambda: self._run(self._together([dynamic], data), self._config | ANY_SHAPE, arrays)
            )
        except RuntimeError as error:
            raise NotDynamic(f"OpenVINO does not run it: {_last_line(error)}") from error
        for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
            if a.shape != b.shape or not self._agree(a, b):
                shapes = ", ".join(str(tuple(v.shape)) for v in calls[k * len(calls) // len(found)])
                raise NotDynamic(f"checked on data of shape {shapes}, it gives other results than a static program")

    def _run(
        self, model: Any, config: Mapping[str, str], arrays: Sequence[np.ndarray] | None = None
    ) -> tuple[list[np.ndarray], list[Any]]:
        """The results, and the data: random ones, or in turn as many of `arrays` as the model reads."""
        compiled = self._core.compile_model(model, "CPU", config)
        if arrays is None:
            arrays = [self._data(port) for port in compiled.inputs]
            return [np.array(v) for v in compiled(arrays).to_tuple()], list(arrays)
        each = len(compiled.inputs)
        calls = [arrays[i : i + each] for i in range(0, len(arrays), each)]
        return [np.array(v) for call in calls for v in compiled(call).to_tuple()], calls

    def _together(self, models: Sequence[Any], data: Collection[str]) -> Any:
        """A copy of the models as one, with their weights in it."""
        results, parameters = [], []
        for number, model in enumerate(models):
            copy = model.clone()
            for parameter in copy.get_parameters():
                (name,) = parameter.output(0).get_names()
                if name in data:
                    parameter.output(0).set_names({f"{number}/{name}"})
                    parameters.append(parameter)
                    continue
                constant = self._constant(name, parameter)
                for reader in list(parameter.output(0).get_target_inputs()):
                    reader.replace_source_output(constant)
            results += copy.get_results()
        return self._openvino.Model(results, parameters, "check")

    def _agree(self, found: np.ndarray, wanted: np.ndarray) -> bool:
        if wanted.dtype.kind != "f":
            return bool(np.array_equal(found, wanted))
        finite = np.isfinite(wanted)
        if np.array_equal(found, wanted):  # most are, and results may be large
            return bool(finite.any()) or not wanted.size
        if not finite.any() or not np.array_equal(np.isfinite(found), finite):
            return False
        if not finite.all():
            found, wanted = found[finite], wanted[finite]
        a, b = (v.astype(np.result_type(v, np.float32), copy=False) for v in (found, wanted))
        tolerance = max(self._tolerance, 2e-2 if wanted.dtype == np.float16 else 0)
        return float(np.abs(a - b).max()) <= tolerance * float(np.abs(b).max()) + 1e-30

    def _constant(self, name: str, parameter: Any) -> Any:
        if name not in self._constants:
            value = np.ascontiguousarray(self._weight(name))
            constant = self._openvino.op.Constant(value, shared_memory=True)
            self._constants[name] = constant, value
        constant, value = self._constants[name]
        shape = tuple(parameter.output(0).get_shape())
        if shape != value.shape:
            raise NotDynamic(f"the weight {name!r} is {value.shape}, and not {shape}")
        return constant.output(0)

    def _data(self, port: Any) -> np.ndarray:
        """Numbers that are all right as data, indices and lengths."""
        shape, kind = tuple(port.get_shape()), port.get_element_type().get_type_name()
        if kind == "boolean":
            return self._random.integers(0, 2, shape).astype(np.bool_)
        if kind in ("f16", "f32"):
            return self._random.uniform(0, 4, shape).astype(DTYPES[kind])
        return self._random.integers(0, 4, shape).astype(DTYPES[kind])


def _elsewhere(run: Callable[[], _T]) -> _T:
    """What `run` gives in a thread that ends then.

    A thread that OpenVINO has worked in keeps something of TBB's until it ends; if it forks, the child waits for TBB's
    threads, which did not come along, when it exits.
    """
    given: list[_T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            given.append(run())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="gluon_neuron check", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return run()  # the interpreter ends: no thread can be started, and nothing will fork
    thread.join()
    if failed:
        raise failed[0]
    return given[0]


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[-2:])[:300]
