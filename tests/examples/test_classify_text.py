"""classify_text: the transformer understands negation, and one compiled program serves every length."""

from __future__ import annotations

import re

from tests.examples.notebooks import number, text_of


def test_what_it_claims(tmp_path):
    text = text_of("classify_text", tmp_path)
    accuracy = number(text, "accuracy of MXNet")
    assert accuracy > 0.95
    assert number(text, "accuracy of compiled") == accuracy
    assert number(text, "largest difference of a score") < 1e-4
    assert "The compiled model agrees with the reference" in text
    assert re.search(r"(\d+) of \1 operators", text), "everything is compiled"
    assert "one program for axis 0 of data from 1 to 4096; axis 1 of data from 1 to 1024." in text
    lengths = re.search(r"in (\d+) different lengths", text)
    stalls = re.search(r"first calls of (\d+) lengths, compiled: slowest ([\d.]+) ms", text)
    assert stalls[1] == lengths[1] and int(lengths[1]) > 40
    # Far more than any of them takes, even where the machine does much else, and less than a compile.
    assert float(stalls[2]) < 1000
    # "not good", and two good things beside a bad one.
    bad, good = (float(found) for found in re.findall(r"^([\d.]+) good: ", text, re.M))
    assert bad < 0.5 < good
