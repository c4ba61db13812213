"""The command lines are what the compilers publish, with every precision stated; their doubles parse each."""

import itertools
import json

import pytest

from gluon_neuron.graph.spec import Spec
from gluon_neuron.options import CompileOptions
from gluon_neuron.targets.neuron.toolchain.commands import neuron_cc, neuronx_cc
from tests.doubles import neuron_cc as old_double
from tests.doubles import neuronx_cc as new_double

FILES = ["region-symbol.json", "region-0000.params"]


def old(**options):
    return neuron_cc(FILES, {"data": Spec((1, 3), "float32")}, ["out_output"], CompileOptions(target="inf1", **options))


def test_neuronx_cc():
    assert " ".join(neuronx_cc("module.hlo.pb", "trn1", CompileOptions())) == (
        "neuronx-cc compile module.hlo.pb --framework XLA --target trn1 --output file.neff "
        "--auto-cast none --auto-cast-type bf16"
    )


def test_neuron_cc():
    command = old(auto_cast="matmult", pipeline_cores=4)
    config = command.pop(command.index("--io-config") + 1)
    assert json.loads(config) == {"inputs": {"data": [[1, 3], "float32"]}, "outputs": ["out_output"]}
    assert " ".join(command) == (
        "neuron-cc compile region-symbol.json region-0000.params --framework MXNET --io-config --output file.neff "
        "--neuroncore-pipeline-cores 4 --fast-math fp32-cast-matmult-bf16 no-fast-relayout"
    )


@pytest.mark.parametrize(
    ("mode", "kind"), list(itertools.product(("none", "matmult", "all"), ("bf16", "fp16", "tf32", "fp8_e4m3")))
)
def test_every_cast_of_neuronx_cc(mode, kind):
    command = neuronx_cc("m", "inf2", CompileOptions(auto_cast=mode, auto_cast_type=kind))
    given = new_double.parser().parse_args(command[1:])
    assert (given.auto_cast, given.auto_cast_type) == (mode, kind)


@pytest.mark.parametrize(("mode", "kind"), list(itertools.product(("matmult", "all"), ("bf16", "fp16"))))
def test_every_cast_of_neuron_cc(mode, kind):
    given = old_double.parser().parse_args(old(auto_cast=mode, auto_cast_type=kind)[1:])
    assert len(given.fast_math) == 2 and all(word in old_double.FAST_MATH for word in given.fast_math)
    assert given.fast_math[0].startswith(f"fp32-cast-{mode}") and ("fp16" in given.fast_math[0]) == (kind == "fp16")


def test_words_of_the_caller():
    words = (
        "--model-type",
        "transformer",
        "--auto-cast",
        "all",
        "--fp32-cast=all",
        "--neuroncore-pipeline-cores",
        "2",
        "-O1",
    )
    command = neuronx_cc("m", "inf2", CompileOptions(auto_cast="matmult", compiler_flags=words))
    assert command[-3:] == ["--model-type", "transformer", "-O1"]
    assert command.count("--auto-cast") == 1 and "--neuroncore-pipeline-cores" not in command
    command = old(auto_cast="matmult", compiler_flags=(*words[4:7], "--verbose", "35"))
    assert command[-3:] == ["--fp32-cast=all", "--verbose", "35"] and "--fast-math" not in command


def test_what_is_compiled_and_for_what_is_not_for_words_to_say():
    words = ("--target=trn2", "--framework", "MXNET", "--output", "elsewhere")
    command = neuronx_cc("m", "inf2", CompileOptions(compiler_flags=words))
    assert command == neuronx_cc("m", "inf2", CompileOptions())
