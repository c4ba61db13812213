"""fine_tune: the compiled net follows the training of the original, and a server takes weights without a program."""

from __future__ import annotations

import re

from tests.examples.notebooks import number, pair, text_of


def test_what_it_claims(tmp_path):
    text = text_of("fine_tune", tmp_path)
    assert number(text, "accuracy of MXNet's net with the old camera") > 0.9
    followed = {}
    for camera in ("old", "new"):
        found = re.search(rf"compiled net with the {camera} camera: ([\d.]+) before, ([\d.]+) after", text)
        followed[camera] = float(found[1]), float(found[2])
    assert followed["old"][0] > 0.9 and followed["old"][1] > 0.85
    assert followed["new"][0] < 0.5 and followed["new"][1] > 0.8
    # The server's net, before and after it was given the weights.
    for camera in ("old", "new"):
        served = [float(a) for a in re.findall(rf"in service with the {camera} camera: ([\d.]+)", text)]
        assert served == [*followed[camera]]
    same, all_of_them = pair(text, "parameters that are the same objects")
    assert same == all_of_them > 100
    assert "The compiled model agrees with the reference" in text
    assert pair(text, "programs that changed") == (0, 1)
    changed, weights = pair(text, "weights and statistics that changed")
    assert changed == weights == all_of_them
    took = re.search(r"compiling took ([\d.]+) s, redeploying ([\d.]+) s", text)
    assert float(took[2]) < float(took[1])
