"""Literals of attributes, as Python itself reads them, and from many threads."""

import ast
from concurrent.futures import ThreadPoolExecutor

import pytest

from gluon_neuron.graph.literal import literal

TEXTS = [
    *("()", "[]", "(1, 1)", "[1,-1]", "2", "-2", "+3", "(2,)", "[2,]", "(1)", "((1, 2), (3, 4))", "[[1], []]", "1, 2"),
    *("(None, 3)", "(True, False)", "None", "1e-05", "(0.5, 1.)", "(.5,1e3,-2.5E-3)", " ( 1 , 2 ) ", "((((1,),),),)"),
    *("'a'", '"b"', "('a', 'b')", "['FullyConnected', \"Dot\"]", "('a, b',)", "()\n", "1,", "18446744073709551616"),
    *("{}", "{'data0': {1: (1, 512)}, 'b': None,}", "{(1, 2): [3]}", "({},)"),
]
BAD = [
    *("", " ", ",", "(", ")", "(1", "1)", "(1]", "(1 2)", "(1,,2)", "(,)", "[,1]", "three", "Truely", "nan", "inf"),
    *(
        "'a",
        "1 2",
        "()()",
        "{1}",
        "{1: }",
        "{[1]: 2}",
        "(1: 2)",
        "{1: 2: 3}",
        "f(1)",
        "__import__('os')",
        "1L",
        "--1",
        "(1, 2",
        "(" * 100_000,
        "1" * 10 + "x",
    ),
]


@pytest.mark.parametrize("text", TEXTS)
def test_reads_as_python_does(text):
    expected = ast.literal_eval(text)
    found = literal(text)
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:12])
def test_refuses(text):
    with pytest.raises(ValueError):
        literal(text)


def test_reads_in_many_threads():
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(literal, ["(1, (2, 3))"] * 2000)) == {(1, (2, 3))}
