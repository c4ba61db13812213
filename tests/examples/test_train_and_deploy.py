"""train_and_deploy: the net learns, and the compiled one, loaded elsewhere too, reads the same."""

from __future__ import annotations

import re

from tests.examples.notebooks import number, pair, text_of


def test_what_it_claims(tmp_path):
    text = text_of("train_and_deploy", tmp_path)
    before = number(text, "accuracy of the trained net")
    assert before > 0.97
    assert number(text, "accuracy of the compiled net") == before
    assert pair(text, "predictions that differ")[0] == 0
    assert "The compiled model agrees with the reference" in text
    assert number(text, "largest difference between the processes") < 1e-5
    assert number(text, "largest difference of SymbolBlock.imports") < 1e-5
    # On the CPU, and for the chip.
    assert len(re.findall(r"(\d+) of \1 operators", text)) == 2
    assert len(re.findall(r"^batch \d+: [\d.]+ ms compiled, [\d.]+ ms in MXNet", text, re.M)) == 3
    assert {"digits-symbol.json", "digits.png", "speed.png"} <= {p.name for p in tmp_path.iterdir()}
