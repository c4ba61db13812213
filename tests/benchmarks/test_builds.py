"""Two builds are measured in turns: here this one beside itself."""

import sys

import pytest

from benchmarks import builds


def test_a_build_beside_itself(capsys):
    builds.main([sys.executable, "--rounds", "2", "--cases", "small:1"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| small:1")]
    (cells,) = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert len(cells) == 7
    for cell in (cells[1], *cells[3:]):
        assert float(cell.split(" ")[0]) > 0


def test_a_process_that_ends_says_so(tmp_path):
    with pytest.raises(RuntimeError, match="ended with 1"):
        builds.measure(sys.executable, "unheard_of:1", 1, {})
