"""The options of a compile on a line: each field of CompileOptions, and the same values to choose from."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

from gluon_neuron import options
from gluon_neuron.errors import OptionError
from gluon_neuron.options import CompileOptions
from gluon_neuron.tools import options_from_line
from gluon_neuron.tools.commands_machine import Chip
from gluon_neuron.tools.options_from_line import AutoCast, AutoCastType, Target, takes_options


def chosen(**given):
    @takes_options
    def function(options):
        return options

    defaults = {n: p.default for n, p in inspect.signature(function).parameters.items()}
    return function(**{**defaults, **given})


def test_what_is_not_chosen_is_not_passed_on():
    assert chosen() == {}


def test_choices_are_those_of_the_options():
    assert [t.value for t in Target] == list(options.TARGETS)
    assert [c.value for c in Chip] == [t for t in options.TARGETS if t not in ("auto", "cpu")]
    assert [t.value for t in AutoCast] == list(options.AUTO_CASTS)
    assert [t.value for t in AutoCastType] == list(options.AUTO_CAST_TYPES)


def test_every_option_can_be_said(tmp_path):
    given = chosen(
        target=Target.inf1,
        auto_cast=AutoCast.all,
        auto_cast_type=AutoCastType.fp16,
        dynamic=["data:0", "1:-1=1..9"],
        dynamic_batch=True,
        batch_size=[2, 4],
        further_shape=["8,3", "a:b:1,2 c:7,"],
        bucket=["a:b:1=64,128"],
        padding=["a:b:1=-1.5", "0:1"],
        inline_weights=True,
        exclude_node=["n"],
        exclude_operator=["o"],
        include_node=["i"],
        threads=3,
        cores="0-2",
        pipeline_cores=2,
        compiler_flag=["-O3"],
        compiler_jobs=1,
        compiler_timeout=2.5,
        op_by_op_retry=True,
        work_dir=tmp_path,
        strict=True,
    )
    assert set(given) == {f.name for f in fields(CompileOptions)}
    made = CompileOptions.make(given)
    assert made.shapes == ((8, 3), {"a:b": (1, 2), "c": (7,)})
    assert made.dynamic == {"data": {0: None}, 1: {-1: (1, 9)}}
    assert made.buckets == {"a:b": {1: (64, 128)}}
    assert made.padding == {"a:b": {1: -1.5}, 0: {1: 0}}
    assert made.cores == (0, 1, 2) and made.batch_sizes == (2, 4)


def test_dynamic():
    assert chosen(no_dynamic=True) == {"dynamic": False}
    assert chosen(dynamic=["batch"]) == {"dynamic": "batch"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"dynamic": ["data"]}, "--dynamic 'data' must name an input and an axis, as in --dynamic data:1=1..512"),
        ({"dynamic": ["data:0", "batch"]}, "no other beside it"),
        ({"dynamic": ["data:0", "data:0=1..2"]}, "twice"),
        ({"dynamic": ["data:0"], "no_dynamic": True}, "exclude each other"),
        ({"bucket": ["data:1"]}, "--bucket 'data:1'"),
        ({"padding": ["data:1=e"]}, "no number"),
        ({"further_shape": ["a:1 2"]}, "--further-shape 'a:1 2'"),
        ({"further_shape": [""]}, "--further-shape ''"),
        ({"cores": "x"}, "--cores 'x'"),
    ],
)
def test_errors(given, told):
    with pytest.raises(OptionError, match=told.replace(".", r"\.")):
        chosen(**given)


def test_the_signature_is_the_functions_and_the_options():
    @takes_options
    def function(a: int, options: dict[str, object], b: int = 1, as_json: bool = False) -> None:
        """Text."""

    names = list(inspect.signature(function).parameters)
    shared = list(inspect.signature(options_from_line._compile_options).parameters)
    assert names == ["a", "b", *shared, "as_json"] and function.__doc__ == "Text."
