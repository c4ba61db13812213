"""Where a flag comes from decides which wins: the caller's words, options, the environment, defaults."""

import warnings

import pytest

from gluon_neuron.errors import OptionError
from gluon_neuron.options import CompileOptions
from gluon_neuron.targets.neuron.toolchain.precedence import cache_words, resolve


def resolved(flags="", **given):
    return resolve(CompileOptions.make(given), given, {"NEURON_CC_FLAGS": flags})


def cast(options):
    return options.auto_cast, options.auto_cast_type


def test_nothing_said_changes_nothing():
    assert resolved() == CompileOptions()
    assert resolved(auto_cast="all", pipeline_cores=2) == CompileOptions(auto_cast="all", pipeline_cores=2)


@pytest.mark.parametrize("target", ["cpu", "inf2", "inf1"])
def test_the_environment_wins_over_defaults(target):
    assert cast(resolved("--auto-cast all", target=target)) == ("all", "bf16")
    assert resolved("--neuroncore-pipeline-cores 3", target=target, auto_cast="all").pipeline_cores == 3


def test_options_win_over_the_environment():
    found = resolved(
        "--auto-cast all --optlevel 1 --num-neuroncores=3", target="inf2", auto_cast="matmult", pipeline_cores=2
    )
    assert cast(found) == ("matmult", "bf16") and found.pipeline_cores == 2
    assert found.compiler_flags == ("--optlevel", "1")


def test_the_callers_words_win_over_all():
    words = ["--auto-cast", "none", "--optlevel=3"]
    found = resolved(
        "--auto-cast all --optlevel 1 --model-type transformer",
        target="inf2",
        auto_cast="matmult",
        compiler_flags=words,
    )
    assert cast(found) == ("none", "bf16")
    assert found.compiler_flags == ("--model-type", "transformer", "--auto-cast", "none", "--optlevel=3")


def test_mode_and_type_may_come_from_different_places():
    assert cast(resolved("--auto-cast-type fp16", target="inf2", compiler_flags=["--auto-cast=all"])) == ("all", "fp16")
    assert cast(resolved(target="trn1", auto_cast_type="tf32", compiler_flags=["--auto-cast=all"])) == ("all", "tf32")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--fp32-cast matmult-fp16", ("matmult", "fp16")),
        ("--fast-math none", ("matmult", "bf16")),
        ("--fast-math fp32-cast-all-fp16 fast-relayout", ("all", "fp16")),
    ],
)
def test_the_older_compilers_words_mean_the_same_everywhere(words, expected):
    assert cast(resolved(target="inf2", compiler_flags=words.split())) == expected
    assert cast(resolved(words, target="inf1")) == expected


def test_a_cast_that_the_cpu_lacks_is_computed_exactly_and_says_so():
    with pytest.warns(RuntimeWarning, match="no fp16 arithmetic"):
        assert cast(resolved("--auto-cast all --auto-cast-type fp16")) == ("none", "bf16")
    assert cast(resolved(auto_cast="all", auto_cast_type="fp16")) == ("all", "fp16")  # refused when it is compiled


def test_inf1_has_no_float32_products():
    with pytest.warns(RuntimeWarning, match="auto_cast='matmult'"):
        assert cast(resolved(target="inf1")) == ("matmult", "bf16")
    with pytest.raises(OptionError, match="does not multiply matrices in float32"):
        resolved(target="inf1", auto_cast="none")
    with pytest.raises(OptionError, match="tf32"):
        resolved(target="inf1", auto_cast="all", auto_cast_type="tf32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resolved(target="inf1", auto_cast="all")


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        ("--auto-cast 'all", "cannot be read"),
        ("--auto-cast al", "'al'.*Did you mean 'all'"),
        ("--fp32-cast matmul", "Did you mean 'matmult'"),
        ("--auto-cast-type int8", "--auto-cast-type"),
        ("--neuroncore-pipeline-cores=0", "positive integer"),
    ],
)
def test_what_cannot_be_understood(flags, match):
    with pytest.raises(OptionError, match=match):
        resolved(flags, target="inf2")


def test_words_for_the_cache_do_not_reach_the_compiler():
    flags = "--cache_dir=/var/tmp/x --no_cache --retry_failed_compilation -O1"
    assert resolved(flags, target="inf2").compiler_flags == ("-O1",)
    assert cache_words({"NEURON_CC_FLAGS": flags}) == ("/var/tmp/x", True)
    assert cache_words({}) == (None, False)
