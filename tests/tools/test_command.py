"""A function as a command: what is printed where, and which status an error has."""

from __future__ import annotations

import json
import sys

import pytest

from gluon_neuron.errors import CompileError
from gluon_neuron.tools.answer import Answer
from gluon_neuron.tools.command import carry_out


def answering(answer):
    def function():
        print("on the way")
        return answer

    return function


def failing(error):
    def function():
        raise error

    return function


def test_text(capsys):
    assert carry_out("x", answering(Answer("found", {}, 1)), False) == 1
    assert capsys.readouterr() == ("found\n", "on the way\n")


def test_json_is_alone(capsys):
    assert carry_out("x", answering(Answer("found", {"a": 1})), True) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"a": 1} and err == "on the way\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CompileError("two\n  lines"), "two lines"),
        (FileNotFoundError(2, "No such file or directory", "a b"), "a b: No such file or directory"),
        (OSError("odd"), "odd"),
        (MemoryError(), "There is not enough memory."),
    ],
)
def test_explained_errors(capsys, error, said):
    assert carry_out("x", failing(error), False) == 3
    assert capsys.readouterr() == ("", f"gluon-neuron x: {said}\n")


def test_mxnets_errors_are_explained(capsys):
    import mxnet as mx

    def function():
        mx.nd.dot(mx.nd.ones((2, 3)), mx.nd.ones((2, 3)))

    assert carry_out("x", function, False) == 3
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("gluon-neuron x: MXNet says: ") and err.count("\n") == 1
    assert "Stack trace" not in err


def test_a_defect_shows_where_it_is(capsys):
    assert carry_out("x", failing(KeyError("lost")), False) == 4
    err = capsys.readouterr().err
    assert "Traceback" in err and "KeyError: 'lost'" in err and "defect" in err


def test_ctrl_c(capsys):
    assert carry_out("x", failing(KeyboardInterrupt()), False) == 130
    assert capsys.readouterr() == ("", "")


def test_an_error_that_nobody_reads(monkeypatch):
    class Closed:
        def write(self, text):
            raise BrokenPipeError

        flush = write

    monkeypatch.setattr(sys, "stderr", Closed())
    assert carry_out("x", failing(CompileError("no")), False) == 3
