"""Pieces of HTML: escaped, and readable where a viewer drops what it does not know."""

import re

import pytest

from gluon_neuron.pages.fragments import Markup, bar, counted, escaped, folded, lines, table, visible
from tests.pages.reports import HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_are_escaped(text):
    for made in (escaped(text), folded(text, ""), table((text,), ((text,),)), lines(text)):
        assert set(re.findall(r"</?([a-z]+)", made)) <= {
            *("details", "summary", "table", "thead", "tbody", "tr", "th", "td", "pre"),
        }
        made.encode()


def test_what_is_not_seen_is_named():
    assert visible("a\u202eb\u200b\0\ud800é漢") == "a‹U+202E›b‹U+200B›‹U+0000›‹U+D800›é漢"


def test_bar():
    made = bar(0.75)
    assert 'value="0.7500"' in made and made.endswith("75.0%")
    assert re.sub("<.*?>", "", made) == "█" * 15 + "░" * 5 + " 75.0%"
    assert [re.sub("<.*?>", "", bar(x)).count("█") for x in (-1, 0, 1, 2)] == [0, 0, 20, 20]


def test_markup_is_put_in_as_it_is():
    assert ">1 &lt; 2<" in table(("a",), (("1 < 2",),))
    assert "><b>2</b><" in table(("a",), ((Markup("<b>2</b>"),),))


def test_counted():
    assert [counted(n, "region") for n in (0, 1, 1234)] == ["0 regions", "1 region", "1,234 regions"]
