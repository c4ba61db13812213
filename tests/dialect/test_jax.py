"""What is particular to the language in jax: its leaves, its loops, and the forms it must not write."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.dialect import JaxNamespace
from gluon_neuron.dialect.in_jax.importing import wide_types
from gluon_neuron.dialect.in_jax.program import hlo_module
from gluon_neuron.dialect.in_jax.recurrent import Loops
from gluon_neuron.errors import DialectError
from gluon_neuron.hlo.module import read
from tests.agreement import agree
from tests.nets import run_python

from .conformance import random
from .jax_runs import leaves_of, run_in_jax


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "reason"),
    [
        ("b", (2, 3), "float32", "no value"),
        ("a", (3, 2), "float32", r"not float32\[3, 2\]"),
        ("a", (2, 3), "int32", r"not int32\[2, 3\]"),
    ],
)
def test_leaves_are_what_was_given(name, shape, dtype, reason):
    with pytest.raises(DialectError, match=reason):
        JaxNamespace({"a": random(2, 3)}).parameter(name, shape, dtype)


def test_64_bit_types_are_not_cut_in_silence():
    xp = JaxNamespace({"a": np.int64([2**40])})
    with pytest.raises(DialectError, match="wide_types"):
        xp.parameter("a", (1,), "int64")
    with wide_types():
        assert int(xp.value(xp.parameter("a", (1,), "int64"))[0]) == 2**40


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("layer", "gates"), [("lstm", 4), ("gru", 3), ("rnn", 1)])
def test_a_loop_gives_what_the_written_out_steps_give(layer, gates, reverse, monkeypatch):
    states = ("h", "c") if layer == "lstm" else ("h",)
    inputs = {"x": random(19, 2, 3), **{s: random(2, 4, seed=k) for k, s in enumerate(states)}}
    for k, shape in enumerate(((gates * 4, 3), (gates * 4, 4), (gates * 4,), (gates * 4,))):
        inputs[f"w{k}"] = random(*shape, low=-0.5, high=0.5, seed=k)

    def build(xp):
        return getattr(xp, layer)(*leaves_of(xp, inputs), reverse=reverse)

    specs = {n: (v.shape, v.dtype.name) for n, v in inputs.items()}
    assert [i.opcode for i in read(hlo_module(build, specs)).instructions].count("while") == 1
    looped = run_in_jax(build, inputs)
    monkeypatch.delattr(Loops, "_steps")
    assert not [i for i in read(hlo_module(build, specs)).instructions if i.opcode == "while"]
    for one, other in zip(looped, run_in_jax(build, inputs), strict=True):
        agree(one, other, 1e-5, 1e-6)


def test_values_that_are_known_are_not_computed_at_run_time():
    def build(xp):
        table = xp.constant(np.arange(12, dtype=np.float32).reshape(3, 4))
        return [xp.add(xp.parameter("a", (4,), "float32"), xp.sum(xp.exp(table), 0))]

    opcodes = [i.opcode for i in read(hlo_module(build, {"a": ((4,), "float32")})).entry.instructions]
    assert set(opcodes) <= {"parameter", "constant", "add", "tuple"}


def test_one_value_is_no_large_constant():
    def build(xp):
        return [xp.multiply(xp.parameter("a", (50, 60), "float32"), xp.full((50, 60), 3, "float32"))]

    entry = read(hlo_module(build, {"a": ((50, 60), "float32")})).entry
    assert [i.shape.dims for i in entry.instructions if i.opcode == "constant"] == [()]


@pytest.mark.parametrize("layer", ["sort", "largest"])
def test_order_is_found_by_comparing_integers(layer):
    def build(xp):
        a = xp.parameter("a", (5, 6), "float32")
        return [xp.argsort(a, 1, descending=True)] if layer == "sort" else [xp.argmax(a, 1)]

    module = read(hlo_module(build, {"a": ((5, 6), "float32")}))
    for i in module.instructions:
        if i.opcode == "sort":
            assert [c.opcode for c in i.called[0].instructions if c.opcode != "parameter"] == ["compare"]
            assert {p.shape.type for p in i.called[0].parameters} == {"s32"}
        if i.opcode == "reduce":
            assert len(i.operands) == 2
    assert ("sort" if layer == "sort" else "reduce") in {i.opcode for i in module.instructions}


@pytest.mark.parametrize("error", ["ImportError('no jax')", "RuntimeError('jaxlib is\\n older')"])
def test_without_jax_a_target_says_so_before_any_work(error):
    code = f"""
        import sys

        class Blocker:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("jax", "jaxlib"):
                    raise {error}

        sys.meta_path.insert(0, Blocker())
        import mxnet as mx, gluon_neuron

        class Net(mx.gluon.HybridBlock):
            def hybrid_forward(self, F, x):
                print("traced")
                return x

        for verb in (gluon_neuron.analyze, gluon_neuron.compile):
            for target in ("inf2", "trn1", "trn2"):
                try:
                    verb(Net(), mx.nd.ones((1,)), target=target)
                except gluon_neuron.errors.EngineError as said:
                    assert "[neuronx]" in str(said) and len(str(said).splitlines()) == 1, said
                    print("refused")
    """
    assert run_python(code) == "refused\n" * 6
