"""The options as keywords: what type checkers, `inspect.signature` and `help()` have is what `CompileOptions` has."""

from __future__ import annotations

import inspect
import pydoc
import typing
from dataclasses import fields

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron import option_keywords
from gluon_neuron.compat import mx_neuron
from gluon_neuron.errors import OptionError
from gluon_neuron.option_keywords import CompileKeywords, option_texts, shows_options
from gluon_neuron.options import AUTO_CAST_TYPES, AUTO_CASTS, TARGETS, CompileOptions

FIELDS = {f.name: f.default for f in fields(CompileOptions)}
VERBS = (gluon_neuron.compile, gluon_neuron.analyze, gluon_neuron.model_zoo.get_model)
ARCHIVED = (mx.contrib.neuron.compile, mx_neuron.compile)


def test_type_checkers_have_the_fields():
    assert [*CompileKeywords.__annotations__] == [*FIELDS]
    assert not CompileKeywords.__required_keys__
    words = typing.get_type_hints(CompileKeywords)
    for name, allowed in (("target", TARGETS), ("auto_cast", AUTO_CASTS), ("auto_cast_type", AUTO_CAST_TYPES)):
        literal, other = typing.get_args(words[name])
        assert (typing.get_args(literal), other) == (allowed, str)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verbs_signature_names_each_option(verb):
    parameters = inspect.signature(verb).parameters
    shown = {n: p.default for n, p in parameters.items() if n in FIELDS}
    assert shown == FIELDS and [*shown] == [*FIELDS]
    assert all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    assert "options" not in parameters
    shown_as_written = str(inspect.signature(verb))
    assert "collections.abc" not in shown_as_written and "batch_sizes: int | Sequence[int] = ()" in shown_as_written
    hints = typing.get_type_hints(verb)
    assert {n: hints[n] for n in FIELDS} == typing.get_type_hints(CompileKeywords)


@pytest.mark.parametrize("verb", ARCHIVED)
def test_the_archived_verbs_take_more(verb):
    parameters = inspect.signature(verb).parameters
    assert {n: p.default for n, p in parameters.items() if n in FIELDS} == FIELDS
    assert parameters["compile_args"].kind is inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize("verb", [*VERBS, *ARCHIVED])
def test_help_has_each_text_once(verb):
    said = " ".join(pydoc.plain(pydoc.render_doc(verb)).split())
    assert [*option_texts()] == [*FIELDS]
    for name, text in option_texts().items():
        assert len(text) > 30 and said.count(f"{name}: {text}") == 1


def test_texts_are_not_needed(monkeypatch):
    def none(_):
        raise OSError("could not get source code")

    monkeypatch.setattr(option_keywords.inspect, "getsource", none)
    option_texts.cache_clear()
    try:

        @shows_options
        def verb(net: int, **options: CompileKeywords) -> None:
            """Do it."""

        assert verb.__doc__ == f"Do it.\n\nOptions: {', '.join(FIELDS)}."
        assert [*inspect.signature(verb).parameters] == ["net", *FIELDS]
    finally:
        option_texts.cache_clear()


def test_a_wrong_name_is_still_told():
    net = mx.gluon.nn.Dense(2)
    net.initialize()
    for verb in (gluon_neuron.compile, gluon_neuron.analyze):
        with pytest.raises(OptionError, match="'tarket'.*Did you mean 'target'"):
            verb(net, mx.nd.ones((1, 2)), tarket="cpu")
