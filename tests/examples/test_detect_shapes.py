"""detect_shapes: the detector finds shapes in pictures that it has not seen, and compiled it draws MXNet's boxes."""

from __future__ import annotations

from tests.examples.notebooks import number, text_of


def test_what_it_claims(tmp_path):
    text = text_of("detect_shapes", tmp_path)
    theirs, ours = number(text, "mAP of MXNet"), number(text, "mAP of the compiled net")
    assert theirs >= 0.8
    assert abs(ours - theirs) < 1e-3
    assert number(text, "boxes that both found") > 200
    assert number(text, "largest distance between MXNet's boxes and the compiled net's") < 1
    assert "The compiled model agrees with the reference" in text
    # The page explains this partition.
    assert "92 of 97 operators" in text and "_contrib_box_nms        1" in text and "slice_axis              4" in text
    assert "the loaded net finds the same: True" in text
    assert {"boxes.png", "partition.png", "shapes-symbol.json"} <= {p.name for p in tmp_path.iterdir()}
