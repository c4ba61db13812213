"""port_inferentia_script: the archived package's script runs with one import more, and gives MXNet's numbers."""

from __future__ import annotations

import re

from tests.examples.notebooks import number, text_of


def test_what_it_claims(tmp_path):
    text = text_of("port_inferentia_script", tmp_path)
    accuracy = number(text, "accuracy of MXNet")
    assert accuracy > 0.95
    assert number(text, "accuracy of the compiled symbol") == accuracy
    assert number(text, "largest difference of a probability") < 1e-4
    read = re.search(r"read: \[([\d ]+)\] of \[([\d ]+)\]", text)
    assert sum(a == b for a, b in zip(read[1].split(), read[2].split(), strict=True)) >= 7
    assert re.search(r"SoftmaxOutput +1 +softmax +excluded by the option exclude_nodes", text)
    precise, coarse = (
        float(re.search(rf"{name}: accuracy [\d.]+, largest difference ([\d.e+-]+)", text)[1])
        for name in ("float32", "bfloat16 products")
    )
    assert precise < 1e-4 < coarse < 0.1
    assert "Unknown compile argument 'excl_node_name'. Did you mean 'excl_node_names'?" in text
    assert "The compiled model agrees with the reference" in text
    assert {"lenet_compiled-symbol.json", "lenet_compiled-0000.params"} <= {p.name for p in tmp_path.iterdir()}
