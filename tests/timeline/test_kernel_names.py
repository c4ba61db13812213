"""Kernels of hand-written programs, traced back to the operators of hand-written graphs."""

from __future__ import annotations

from gluon_neuron.engine.timed_runs import TimedKernel
from gluon_neuron.targets.cpu.kernels import Kernel
from gluon_neuron.timeline.kernel_names import depending, label_of, name_kernels


def graph(*nodes, heads=None):
    """A region's graph: a node is its name, operator ("null" for a variable) and the names that it reads."""
    place = {name: i for i, (name, *_) in enumerate(nodes)}
    made = [{"name": n, "op": op, "inputs": [[place[r], 0, 0] for r in reads]} for n, op, *reads in nodes]
    return {"nodes": made, "heads": [[place[h], 0, 0] for h in heads or [nodes[-1][0]]]}


NET = graph(
    ("x", "null"),
    ("w", "null"),
    ("turned", "transpose", "w"),
    ("conv", "Convolution", "x", "turned"),
    ("bn", "BatchNorm", "conv"),
    ("relu", "Activation", "bn"),
    ("end", "softmax", "relu"),
)


def timed(*rows):
    return [TimedKernel(name, kind, how, us) for name, kind, how, us in rows]


def labels(found, net=NET):
    return [label_of(net, each.nodes)[0] for each in found]


def test_a_kernel_that_bears_a_later_name_holds_what_it_reads():
    kernels = timed(
        ("x", "Parameter", "unknown", 0), ("Multiply_7", "Convolution", "brg", 9), ("relu", "Relu", "undef", 0)
    )
    described = [
        Kernel("x", "Input", "unknown", ("x",)),
        Kernel("bn/scaled", "Convolution", "brg", ("bn/scaled", "relu")),
    ]
    found = name_kernels(NET, {"x"}, kernels, described)
    # The transpose follows from a weight alone, and what was fused into another kernel is no row.
    assert labels(found) == ["", "conv + bn + relu"]
    assert [each.copies for each in found] == [True, False]


def test_names_with_parts_and_bodies():
    net = graph(("x", "null"), ("a", "f", "x"), ("a/b", "g", "a"), ("loop", "_foreach", "a/b"))
    net["nodes"][3]["subgraphs"] = [graph(("i", "null"), ("inner", "f", "i"))]
    kernels = timed(*((n, "K", "ref", 1) for n in ("a/1", "a/b/2", "inner/1", "loop", "a/const")))
    assert labels(name_kernels(net, {"x"}, kernels, None), net) == ["a", "a/b", "loop", "loop", ""]


def test_made_up_names_are_paired_by_place_even_where_some_kernels_differ():
    kernels = timed(("Multiply_1", "Convolution", "brg", 1), ("end", "Softmax", "jit", 2))
    described = [
        Kernel("folded", "Reshape", "other", ()),
        Kernel("relu", "Convolution", "brg", ("relu",)),
        Kernel("end", "Softmax", "jit", ("end",), ("relu",)),
    ]
    assert labels(name_kernels(NET, {"x"}, kernels, described)) == ["conv + bn + relu", "end"]


def test_the_engines_own_kernels_say_behind_what_they_stand():
    kernels = timed(("relu", "Convolution", "brg", 1), ("r", "Reorder", "reorder", 1), ("Split_3", "Split", "ref", 2))
    described = [
        Kernel("relu", "Convolution", "brg", ("relu",)),
        Kernel("r", "Reorder", "reorder", (), ("relu",)),
        Kernel("Split_9", "Split", "ref", ("Split_9",), ("r",)),
    ]
    found = name_kernels(NET, {"x"}, kernels, described)
    assert [each.copies for each in found] == [False, True, False]
    assert label_of(NET, found[2].behind)[0] == "conv + bn + relu" and found[2].nodes == ()


def test_an_operator_with_readers_in_two_kernels_is_in_neither():
    net = graph(("x", "null"), ("a", "f", "x"), ("b", "g", "a"), ("c", "h", "a"), heads=["b", "c"])
    kernels = timed(("b", "K", "ref", 1), ("c", "K", "ref", 1))
    assert labels(name_kernels(net, {"x"}, kernels, None), net) == ["b", "c"]


def test_what_depends_on_data():
    assert [NET["nodes"][i]["name"] for i in sorted(depending(NET, {"x"}))] == ["conv", "bn", "relu", "end"]
