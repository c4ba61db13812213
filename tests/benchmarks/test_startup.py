"""Starts with a cache on disk are measured beside those without."""

import pytest

from benchmarks import startup


@pytest.mark.slow
def test_a_start_with_a_cache_beside_one_without(capsys):
    startup.main(["--rounds", "1", "--cases", "small:1", "--cold"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| small:1")]
    (cells,) = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
    assert len(cells) == 9
    for cell in cells[1:8]:
        assert float(cell.split(" ")[0]) > 0


def test_a_cache_that_is_not_found_again_is_no_figure(monkeypatch, tmp_path):
    found = {"seconds": 1.0, "first": 1.0, "cpu": 1.0, "mib": 1.0}

    def start(exported, library, cache):
        if cache is not None:
            cache.mkdir(exist_ok=True)
            (cache / f"{len(list(cache.iterdir()))}.blob").touch()
        return found

    monkeypatch.setattr(startup, "_worker", lambda *a: "")
    monkeypatch.setattr(startup, "_start", start)
    with pytest.raises(RuntimeError, match="did not find in its cache"):
        startup.measure("small:1", 1, tmp_path)


def test_a_process_that_fails_says_so(tmp_path):
    with pytest.raises(RuntimeError, match="unheard_of"):
        startup.measure("unheard_of:1", 1, tmp_path)
