"""Refusals have a category and a sentence; reports keep categories as words, and those of earlier versions are read."""

import json
import pickle

import pytest

from gluon_neuron.refusal import Category, Refusal
from gluon_neuron.report import REASONS, Outside, RegionReport, Report

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


OLD_PICKLE = (
    b"ccopy_reg\n_reconstructor\np0\n(cgluon_neuron.report\nReport\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n"
    b"(dp5\nVtarget\np6\nVcpu\np7\nsVengine\np8\nVopenvino\np9\nsVoperators\np10\nI2\nsVflops\np11\nI9\n"
    b"sVregions\np12\n(g0\n(cgluon_neuron.report\nRegionReport\np13\ng2\nNtp14\nRp15\n(dp16\nVname\np17\n"
    b"Vregion\np18\nsg10\nI1\nsg11\nI9\nsVinputs\np19\n(Vdata\np20\ntp21\nsVoutputs\np22\n(Vout\np23\ntp24\n"
    b"sVprograms\np25\n(tsVparts\np26\nI4\nsbtp27\nsVoutside\np28\n(g0\n(cgluon_neuron.report\nOutside\np29\n"
    b"g2\nNtp30\nRp31\n(dp32\nVnode\np33\nVfc0\np34\nsVop\np35\nVFullyConnected\np36\nsVcategory\np37\n"
    b"Vsmall\np38\nsVsentence\np39\nVtoo little work\np40\nsbtp41\nsVseconds\np42\n(dp43\nsb."
)
OLD_JSON = {
    "target": "cpu",
    "engine": "openvino",
    "operators": 2,
    "flops": 9,
    "seconds": {},
    "regions": [{"name": "region", "operators": 1, "flops": 9, "inputs": ["data"], "outputs": ["out"], "parts": 4}],
    "outside": [{"node": "fc0", "op": "FullyConnected", "category": "small", "sentence": "too little work"}],
}


@pytest.mark.parametrize("read", [pickle.loads(OLD_PICKLE), Report.from_dict(OLD_JSON)], ids=["pickle", "json"])
def test_reports_of_earlier_versions_are_read(read):
    region = RegionReport("region", 1, 9, ("data",), ("out",), batch_parts=4)
    assert read == Report("cpu", "openvino", 2, 9, (region,), REPORT.outside)
    assert read.regions[0].parts == 4
    assert pickle.loads(pickle.dumps(read)) == read == Report.from_dict(json.loads(json.dumps(read.to_dict())))
    assert "region in 4" in str(read)
