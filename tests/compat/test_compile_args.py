"""Each of the archived compile arguments changes something."""

from __future__ import annotations

import json
import logging
import warnings

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron import api
from gluon_neuron.artifact.container import unpack
from gluon_neuron.compat.compile_args import translate
from gluon_neuron.compat.flags import compose
from gluon_neuron.errors import CompileError, OptionError
from gluon_neuron.targets.cpu.target import CpuTarget
from gluon_neuron.targets.neuron.toolchain.words import value_of
from tests.agreement import agree
from tests.compat.nets import checkpoint, image, run
from tests.nets import artifact_name


@pytest.fixture(scope="module")
def given():
    return checkpoint()


def compiled(given, **compile_args):
    return mx.contrib.neuron.compile(*given, {"data": image()}, **compile_args)


def header(made):
    array = made[1][artifact_name(made[1])]
    return unpack(memoryview(array.asnumpy())).options


def test_an_unknown_name_is_answered_with_each_that_is_known_once():
    with pytest.raises(OptionError, match="Did you mean 'excl_node_names'") as raised:
        translate({"excl_node_name": ["x"]})
    known = str(raised.value).partition("Valid are: ")[2].partition(", and options")[0].split(", ")
    assert len(known) == len(set(known)) > 20


@pytest.mark.parametrize("name", ["--neuroncore-pipeline-cores", "--num-neuroncores", "num-neuroncores"])
def test_cores(given, name):
    assert header(compiled(given))["pipeline_cores"] == 1
    made = compiled(given, **{name: 2})
    assert header(made)["pipeline_cores"] == 2
    (node,) = (n for n in json.loads(made[0].tojson())["nodes"] if n["op"] == "_neuron_subgraph_op")
    assert node["attrs"]["__subgraph_opt_neuroncore__"] == "2"


def test_any_option_reaches_the_compiler(given):
    made = compiled(given, **{"--pipeline": "compile", "--some-new-option": 3, "flags": ["SaveTemps"]})
    assert header(made)["compiler_flags"] == ["--pipeline", "compile", "--some-new-option", "3", "SaveTemps"]


@pytest.mark.parametrize("flags", [["--fp32-cast matmult"], ["--fp32-cast", "matmult"], ["--fp32-cast=matmult"]])
def test_cast_changes_the_numbers(given, flags):
    x = image(1)
    made = compiled(given, flags=flags)
    assert header(made)["auto_cast"] == "matmult"
    exact, cast = run(*given, x)[0], run(*made, x)[0]
    assert 1e-6 < np.abs(exact - cast).max() < 1e-2


def test_cast_to_fp16_is_computed_exactly_and_says_so(given):
    with pytest.warns(RuntimeWarning, match="no fp16 arithmetic"):
        made = compiled(given, flags=["--fp32-cast", "matmult-fp16"])
    agree(run(*made, image(1))[0], run(*given, image(1))[0], 1e-4, 1e-5)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--fp32-cast all"], ("all", "bf16")),
        (["--fp32-cast", "matmult-bf16"], ("matmult", "bf16")),
        (["--fast-math", "none"], ("matmult", "bf16")),
        (["--fast-math fp32-cast-matmult-fp16 no-fast-relayout"], ("matmult", "fp16")),
        (["--fast-math", "all", "--fp32-cast", "matmult"], ("matmult", "bf16")),
        (["--auto-cast", "matmult", "--auto-cast-type", "tf32"], ("matmult", "tf32")),
        (["--auto-cast=none"], ("none", "bf16")),
    ],
)
def test_casts_of_both_compilers(flags, expected):
    found = translate({"flags": flags, "target": "inf1"})
    assert (found["auto_cast"], found["auto_cast_type"]) == expected


def test_excluded_nodes_stay(given):
    report = gluon_neuron.get_report(compiled(given, excl_node_names=["pool0", "fc0"])[0])
    assert {o.node for o in report.outside if o.category == "excluded"} == {"pool0", "fc0"}


def test_forced_nodes_are_compiled():
    small = mx.sym.Activation(mx.sym.var("data"), act_type="relu", name="relu")
    inputs = {"data": mx.nd.ones((2, 3))}
    left, _, _ = mx.contrib.neuron.compile(small, {}, {}, inputs)
    forced, _, _ = mx.contrib.neuron.compile(small, {}, {}, inputs, force_incl_node_names=["relu"])
    assert gluon_neuron.get_report(left).compiled_operators == 0
    assert gluon_neuron.get_report(forced).compiled_operators == 1


@pytest.mark.parametrize("name", ["excl_node_names", "force_incl_node_names"])
def test_names_that_match_no_node(given, name):
    with pytest.raises(OptionError, match="'pol0'.*'pool0'"):
        compiled(given, **{name: ["pol0"]})


def test_verbose_logs(given, caplog):
    compiled(given)
    assert not caplog.records
    compiled(given, **{"--verbose": "INFO"})
    assert "9 operators compiled for cpu" in caplog.text
    assert logging.getLogger("gluon_neuron").level == logging.NOTSET


@pytest.mark.parametrize(("value", "level"), [(0, 30), (1, 20), (2, 10), (35, 35), ("warn", 30), ("DEBUG", 10)])
def test_verbose_levels(value, level):
    from gluon_neuron.compat.verbosity import level_of

    assert level_of(str(value)) == level


def test_retry_leaves_out_only_what_fails(given, monkeypatch):
    compile_region = CpuTarget.compile

    def fails_on_pooling(self, work):
        if any(n.op == "Pooling" for n in work.graph.operators):
            raise CompileError("no pooling today")
        return compile_region(self, work)

    monkeypatch.setattr(CpuTarget, "compile", fails_on_pooling)
    whole = gluon_neuron.get_report(compiled(given)[0])
    single = gluon_neuron.get_report(compiled(given, op_by_op_compiler_retry=1)[0])
    assert whole.compiled_operators == 0
    assert {o.node for o in single.outside} == {"pool0"}
    assert single.outside[0].sentence == "no pooling today"
    assert gluon_neuron.get_report(compiled(given, op_by_op_compiler_retry=0)[0]).compiled_operators == 0


def test_retry_keeps_the_region_out_when_no_operator_fails_alone(given, monkeypatch):
    compile_region = CpuTarget.compile

    def fails_on_many(self, work):
        if len(work.graph.operators) > 1:
            raise CompileError("too many")
        return compile_region(self, work)

    monkeypatch.setattr(CpuTarget, "compile", fails_on_many)
    report = gluon_neuron.get_report(compiled(given, op_by_op_compiler_retry=True)[0])
    assert report.compiled_operators == 0
    assert {o.sentence for o in report.outside} == {"too many"}


def test_our_own_options_are_taken(given):
    assert header(compiled(given, num_threads=1))["num_threads"] == 1


@pytest.mark.parametrize(
    ("compile_args", "message"),
    [
        ({"flag": []}, "'flag'.*'flags'"),
        ({"force_include_node_names": []}, "'force_incl_node_names'"),
        ({"flags": "--fp32-cast matmult"}, "'flags' must be a list"),
        ({"flags": ["--fp32-cast 'matmult"]}, "cannot be read"),
        ({"flags": ["--fp32-cast", "matmul"]}, "'matmul'.*'matmult'"),
        ({"--neuroncore-pipeline-cores": 0}, "positive integer"),
        ({"--neuroncore-pipeline-cores": "two"}, "positive integer"),
        ({"op_by_op_compiler_retry": 2}, "must be 0 or 1"),
        ({"--verbose": "LOUD"}, "--verbose must be"),
        ({"work_dir": 3}, "work_dir"),
    ],
)
def test_wrong_arguments(given, compile_args, message):
    with pytest.raises(OptionError, match=message):
        compiled(given, **compile_args)


def test_words():
    assert compose({"--a": 1, "--b": None, "--c": ["x", "y"]}, ["--d e"]) == (
        "--a",
        "1",
        "--b",
        "--c",
        "x",
        "y",
        "--d",
        "e",
    )
    assert value_of(("--a", "1", "--a=2"), "--a") == "2"
    assert value_of(("--a",), "--a") == ""
    assert value_of(("--b", "1"), "--a") is None


def test_no_warning_without_reason(given):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        compiled(given, flags=["--fp32-cast", "all"])
    assert api.get_report(compiled(given)[0]).regions
