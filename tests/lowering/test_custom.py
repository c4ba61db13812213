"""The guide to rules for one's own operators, run as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gluon_neuron
from gluon_neuron.lowering.registry import rules
from tests.agreement import agree

GUIDE = Path(__file__).parents[2] / "docs" / "custom-operators.md"


def test_guide(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    try:
        for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL):
            exec(compile(block, str(GUIDE), "exec"), found)
        before, after, net, x = (found[n] for n in ("before", "after", "net", "x"))
        assert before.report.compiled_operators == 2
        assert {o.category for o in before.report.outside} == {"cannot be compiled"}
        assert not after.report.outside
        assert len(after.report.regions) == 1
        expected = net(x).asnumpy()
        agree(before(x), expected, 1e-3, 1e-5)
        agree(after(x), expected, 1e-3, 1e-5)
        after.export(str(tmp_path / "mish"))
        loaded = gluon_neuron.load(str(tmp_path / "mish"))
        agree(loaded(x), expected, 1e-3, 1e-5)
    finally:
        rules().pop("Custom:mish", None)  # type: ignore[attr-defined]
        found.clear()  # MXNet keeps the registered class, and with it the guide's nets
