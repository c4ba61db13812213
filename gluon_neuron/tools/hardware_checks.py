"""The checks of a machine with NeuronCores; each runs in a process of its own, and prints what it found as JSON."""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

import gluon_neuron

from ..errors import GluonNeuronError
from ..model_zoo import get_network
from ..model_zoo.catalog import image_size_of

TOLERANCE = {"none": 1e-3, "matmult": 3e-2}
"""Differences that are accepted, as shares of the output's range. bfloat16 has 8 bits; inf1 has nothing wider."""

CALLS = 50
Facts = dict[str, Any]


def small(shape: tuple[int, ...]) -> mx.gluon.HybridBlock:
    """A convolutional net of two layers, for a quick look."""
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(8, 3, activation="relu"), mx.gluon.nn.BatchNorm(), mx.gluon.nn.GlobalAvgPool2D())
    net.add(mx.gluon.nn.Flatten(), mx.gluon.nn.Dense(10))
    return net


def lstm(shape: tuple[int, ...]) -> mx.gluon.HybridBlock:
    """A recurrent net of two layers, over (steps, batch, features)."""
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.rnn.LSTM(128, num_layers=2, input_size=shape[2]), mx.gluon.nn.Dense(10, flatten=False))
    return net


_OWN: Mapping[str, tuple[Callable[[tuple[int, ...]], mx.gluon.HybridBlock], tuple[int, ...]]] = {
    "small": (small, (1, 3, 32, 32)),
    "lstm": (lstm, (20, 1, 64)),
}
MODELS = (*_OWN, "squeezenet1.1", "mobilenetv2_1.0", "resnet50_v1")


def network(name: str) -> tuple[mx.gluon.HybridBlock, tuple[int, ...]]:
    """A net of MODELS, or of the model zoo, with weights that are the same in every process; and its input's shape."""
    mx.random.seed(7)
    np.random.seed(7)
    if name in _OWN:
        make, shape = _OWN[name]
        net = make(shape)
        net.initialize(mx.init.Xavier())
    else:
        net, shape = get_network(name), (1, 3, *image_size_of(name))
    net(mx.nd.zeros(shape)).wait_to_read()
    return net, shape


def samples(shape: tuple[int, ...], count: int = 3) -> list[mx.nd.NDArray]:
    """Inputs that are the same in every process."""
    random = np.random.RandomState(3)
    return [mx.nd.array(random.uniform(-1, 1, shape).astype("float32")) for _ in range(count)]


def difference(got: Any, wanted: Any) -> float:
    """The largest difference of two results, as a share of the second's range; infinite where one is not finite."""
    a, b = (x.asnumpy().astype("float64") for x in (got, wanted))
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.abs(a - b).max() / max(float(np.ptp(b)), 1e-12))


def _tolerance(target: str, cast: str = "none") -> float:
    return TOLERANCE["matmult" if target == "inf1" else cast]


def compiles(model: str, target: str, folder: Path, cast: str = "none") -> Facts:
    """Compile, compare with MXNet, export. Not by strict=True, which the files would keep: they run on the CPU too."""
    net, shape = network(model)
    start = time.perf_counter()
    made = gluon_neuron.compile(net, mx.nd.zeros(shape), target=target, auto_cast=cast)
    seconds = time.perf_counter() - start
    wanted = [net(x) for x in samples(shape)]
    worst = max(difference(made(x), y) for x, y in zip(samples(shape), wanted))
    made.export(str(folder / f"{model}-{cast}"))
    mx.nd.save(str(folder / f"{model}-{cast}.expected"), wanted)
    failed = [o.sentence for o in made.report.outside if o.category == "compile failed"]
    return {
        "passed": bool(made.report.regions)
        and not failed
        and worst <= TOLERANCE["matmult" if target == "inf1" else cast],
        "difference": worst,
        **({"failed": failed[0]} if failed else {}),
        "seconds": round(seconds, 2),
        "operators": f"{made.report.compiled_operators} of {made.report.operators}",
        "report": str(made.report),
    }


def compiles_bf16(model: str, target: str, folder: Path) -> Facts:
    """The same with products in bfloat16."""
    return compiles(model, target, folder, "matmult")


def runs(model: str, target: str, folder: Path) -> Facts:
    """The exported files in a new process, on the chip and nowhere else (the process is started with strict)."""
    return _runs(model, folder)


def runs_on_cpu(model: str, target: str, folder: Path) -> Facts:
    """The same files where no runtime is (the process is started without): the CPU program, which says so."""
    return _runs(model, folder)


def _runs(model: str, folder: Path) -> Facts:
    _, shape = network(model)
    wanted = mx.nd.load(str(folder / f"{model}-none.expected"))
    start = time.perf_counter()
    loaded = gluon_neuron.load(str(folder / f"{model}-none"))
    inputs = samples(shape)
    loaded(inputs[0]).wait_to_read()
    seconds = time.perf_counter() - start
    worst = max(difference(loaded(x), y) for x, y in zip(inputs, wanted))
    ms = []
    for _ in range(CALLS):
        start = time.perf_counter()
        loaded(inputs[0]).wait_to_read()
        ms.append(1e3 * (time.perf_counter() - start))
    cuts = statistics.quantiles(ms, n=100)
    return {
        "passed": worst <= _tolerance(loaded.report.target),
        "difference": worst,
        "load_and_first_call_s": round(seconds, 2),
        "ms_p50_p90_p99": [round(cuts[i], 3) for i in (49, 89, 98)],
    }


def sees_new_weights(model: str, target: str, folder: Path) -> Facts:
    """New weights of the original block are what the next call computes with."""
    net, shape = network(model)
    made = gluon_neuron.compile(net, mx.nd.zeros(shape), target=target, strict=True)
    x = samples(shape, 1)[0]
    before = made(x).asnumpy()
    shared = made.collect_params()
    name, weight = next((n, p) for n, p in net.collect_params().items() if n.endswith("weight"))
    if name not in shared:
        return {"passed": True, "skipped": f"{target} bakes the weights into its programs"}
    weight.set_data(weight.data() * 1.5 + 0.01)
    after = made(x)
    worst = difference(after, net(x))
    changed = bool(np.abs(after.asnumpy() - before).max() > 0)
    return {"passed": changed and worst <= _tolerance(target), "difference": worst, "changed": changed}


def survives_nan(model: str, target: str, folder: Path) -> Facts:
    """NaN in the data does not fail a call, and the next one computes as before. Not every operator keeps NaN."""
    _, shape = network(model)
    loaded = gluon_neuron.load(str(folder / f"{model}-none"))
    x = samples(shape, 1)[0]
    share = float(np.isnan(loaded(x * np.nan).asnumpy()).mean())
    worst = difference(loaded(x), mx.nd.load(str(folder / f"{model}-none.expected"))[0])
    return {"passed": worst <= _tolerance(loaded.report.target), "difference": worst, "share_of_nan": share}


def shares_cores(model: str, target: str, folder: Path) -> Facts:
    """Two nets on two NeuronCores, from two threads, beside one alone."""
    visible = gluon_neuron.devices().visible or 0
    if visible < 2:
        return {"passed": True, "skipped": f"there are {visible} NeuronCores for this process, and it takes two"}
    _, shape = network(model)
    nets = [gluon_neuron.load(str(folder / f"{model}-none"), ctx=_core(i)) for i in range(2)]
    data = [x.as_in_context(_core(i)) for i, x in enumerate(samples(shape, 2))]

    def call(i: int) -> None:
        for _ in range(CALLS):
            nets[i](data[i]).wait_to_read()

    def together(*which: int) -> float:
        threads = [threading.Thread(target=call, args=(i,)) for i in which]
        start = time.perf_counter()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return time.perf_counter() - start

    for i in range(2):
        nets[i](data[i]).wait_to_read()
    alone, both = together(0), together(0, 1)
    return {"passed": True, "throughput_of_two": round(2 * alone / both, 2)}


def refuses_too_many_cores(model: str, target: str, folder: Path) -> Facts:
    """A core that does not exist is an error that says how many there are."""
    visible = gluon_neuron.devices().visible or 0
    _, shape = network(model)
    try:
        loaded = gluon_neuron.load(str(folder / f"{model}-none"), ctx=_core(visible + 7))
        loaded(samples(shape, 1)[0].as_in_context(_core(visible + 7))).wait_to_read()
    except (GluonNeuronError, mx.base.MXNetError) as error:
        return {"passed": True, "message": str(error).rpartition("gluon_neuron: ")[2].strip()}
    return {"passed": False, "message": "it ran"}


def _core(index: int) -> Any:
    return mx.neuron(index)


CHECKS: Mapping[str, Callable[[str, str, Path], Facts]] = {
    f.__name__: f
    for f in (
        compiles,
        compiles_bf16,
        runs,
        runs_on_cpu,
        sees_new_weights,
        survives_nan,
        shares_cores,
        refuses_too_many_cores,
    )
}


def main(check: str, model: str, target: str, folder: str) -> None:
    """Run one check and print its facts as the last line."""
    print(json.dumps(CHECKS[check](model, target, Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])
