"""Compiling a region holds no second copy of the weights."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import sys

import mxnet as mx

from gluon_neuron.frontend.infer import annotate
from gluon_neuron.compiler.cut_region import cut_out
from gluon_neuron.compiler.pack import finish, prepare
from gluon_neuron.frontend.symbol import from_symbol
from gluon_neuron.options import CompileOptions
from gluon_neuron.lowering.cost import worth_a_region
from gluon_neuron.partition.partition import partition
from gluon_neuron.targets.registry import get_target
from gluon_neuron.targets.refusals import refusals


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compiled(units):
    x = mx.sym.var("data")
    for i in range(4):
        x = mx.sym.FullyConnected(x, num_hidden=units, name=f"fc{i}", flatten=False)
    args = {f"fc{i}_weight": mx.nd.ones((units, units)) for i in range(4)}
    args.update({f"fc{i}_bias": mx.nd.ones((units,)) for i in range(4)})
    mx.nd.waitall()
    before = peak()
    model = from_symbol(x, args, {}, {"data": mx.nd.zeros((1, units))})
    graph = annotate(model.symbol.tojson(), model.all_specs(), model.is_np)
    target, options = get_target("cpu"), CompileOptions(dynamic=sys.argv[1] == "dynamic")
    (region,) = partition(graph, model.inputs, refusals(target, graph), worth_a_region, options).regions
    cut = cut_out(0, region, [graph], model, options)
    made = finish(cut, prepare(cut, target), options, model.is_np)
    return peak() - before, len(made.artifact)


compiled(8)  # what libraries take at their first use
grown, size = compiled(4096)
print(grown, size)
"""


# What is derived for other shapes is run once, and the engine lays the weights out anew to run it.
@pytest.mark.parametrize(("kind", "limit"), [("static", 64), ("dynamic", 320)])
def test_weights_are_not_copied(kind, limit):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    grown, size = map(float, done.stdout.split())
    assert grown < limit, f"{grown} MiB for weights of 256 MiB"
    assert size < 100_000
