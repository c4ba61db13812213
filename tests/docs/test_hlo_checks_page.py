"""docs/hlo-checks.md is what the checker's codes say."""

from __future__ import annotations

from pathlib import Path

from docs.hlo_checks_page import page
from gluon_neuron.hlo.codes import CODES, NOT_READ

PAGE = Path(__file__).parents[2] / "docs" / "hlo-checks.md"


def test_page_is_not_stale():
    assert page() == PAGE.read_text(), "run `make docs` and commit docs/hlo-checks.md"


def test_page_names_every_code():
    rows = [line.split("|")[1].strip() for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert {r for r in rows if r != "code"} == CODES.keys() | NOT_READ.keys()
