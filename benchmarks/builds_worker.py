"""One build of `benchmarks.builds`: run by path in that build's environment, told on standard input what to do.

It uses what every build has alike: `compile`, `load`, `export`, calls, and the nets of this folder's `sequences`.
"""

import importlib.util
import json
import resource
import sys
import time
from pathlib import Path

_CALLS, _UNCOUNTED = 8, 2


def _benchmarks():
    """This folder's package, and nothing else of this checkout: gluon_neuron is to be the environment's own."""
    folder = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        "benchmarks", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = module
    spec.loader.exec_module(module)


def _net(case):
    """The net of a case, initialized, and its sample."""
    import mxnet as mx

    mx.random.seed(0)
    name, _, batch = case.rpartition(":")
    if not name:
        from benchmarks.sequences import cases

        net, sample = dict(cases())[case]()
        net.initialize(mx.init.Uniform(0.05))
        return net, sample
    if name == "small":
        from benchmarks.contenders import small_network

        net, size = small_network(), (64, 64)
        net.initialize(mx.init.Xavier())
    else:
        from gluon_neuron.model_zoo import get_network
        from gluon_neuron.model_zoo.catalog import image_size_of

        net, size = get_network(name), image_size_of(name)
    return net, (mx.nd.random.uniform(-1, 1, (int(batch), 3, *size)),)


def _wait(found):
    for array in found if isinstance(found, list | tuple) else [found]:
        _wait(array) if isinstance(array, list | tuple) else array.wait_to_read()


def _say(answer):
    print(json.dumps(answer), flush=True)


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compile_and_call(case, exported, options):
    """Compile, export, then a burst of calls for each line of standard input."""
    import mxnet  # noqa: F401

    import gluon_neuron

    _ = gluon_neuron.compile  # what is imported on first use is not what is measured
    net, sample = _net(case)
    _wait(net(*sample))
    start = time.perf_counter()
    compiled = gluon_neuron.compile(net, sample, **json.loads(options))
    seconds = time.perf_counter() - start
    compiled.export(exported)
    import numpy as np

    np.savez(f"{exported}.npz", *[a.asnumpy() for a in sample])
    for _ in range(3):
        _wait(compiled(*sample))
    _say({"seconds": seconds, "mib": _peak()})
    for _ in sys.stdin:
        time.sleep(0.01)
        taken = []
        for _ in range(_CALLS):
            start = time.perf_counter()
            _wait(compiled(*sample))
            taken.append(time.perf_counter() - start)
        _say({"seconds": taken[_UNCOUNTED:]})


def load(exported):
    """Load the files and call once; what imports take is not counted."""
    import mxnet as mx
    import numpy as np

    import gluon_neuron

    held = np.load(f"{exported}.npz")
    sample = [mx.nd.array(held[n]) for n in held.files]
    _ = gluon_neuron.load  # imported on first use
    start, cpu = time.perf_counter(), time.process_time()
    net = gluon_neuron.load(exported)
    loaded = time.perf_counter() - start
    _wait(net(*sample))
    first, cpu = time.perf_counter() - start, time.process_time() - cpu
    _say({"seconds": loaded, "first": first, "cpu": cpu, "mib": _peak()})


if __name__ == "__main__":
    sys.path.pop(0)
    _benchmarks()
    {"compile": compile_and_call, "load": load}[sys.argv[1]](*sys.argv[2:])
