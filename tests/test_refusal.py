"""Categories are their words wherever a report is kept, and reports of earlier versions are read."""

import json
import pickle

import pytest

from gluon_neuron.refusal import Category, Refusal
from gluon_neuron.report import REASONS, Outside, Report

WORDS = [
    *("no rule", "not for inference", "cannot be compiled", "not yet", "attribute", "dtype", "shape", "target"),
    *("slower", "excluded", "small", "compile failed"),
]
REPORT = Report("cpu", "openvino", 2, 9, (), (Outside("fc0", "FullyConnected", Category.SMALL, "too little work"),))


def test_the_list_is_closed_and_has_its_words():
    assert [str(c) for c in Category] == WORDS == list(REASONS)
    assert all(REASONS[c] == c.description for c in Category)
    assert not any(type(word) is Category for word in REASONS)


@pytest.mark.parametrize("word", WORDS)
def test_a_category_is_its_word(word):
    category = Category(word)
    assert category == word and hash(category) == hash(word) and f"{category}" == word
    assert json.dumps([category]) == json.dumps([word])
    assert {category} == {word}


def test_a_refusal_unpacks():
    category, sentence = Refusal(Category.DTYPE, "why")
    assert category is Category.DTYPE and sentence == "why"


def test_a_word_becomes_its_category():
    assert Outside("n", "op", "slower", "why").category is Category.SLOWER


def test_json_has_the_word():
    (raw,) = REPORT.to_dict()["outside"]
    assert type(raw["category"]) is str and raw["category"] == "small"
    assert Report.from_dict(json.loads(json.dumps(REPORT.to_dict()))) == REPORT


def test_pickles_have_the_word():
    assert b"Category" not in pickle.dumps(REPORT)
    read = pickle.loads(pickle.dumps(REPORT))
    assert read == REPORT and read.outside[0].category is Category.SMALL


def test_a_word_of_a_later_version_is_kept():
    made = Outside("n", "op", "too hot", "why")
    assert made.category == "too hot" and pickle.loads(pickle.dumps(made)) == made
