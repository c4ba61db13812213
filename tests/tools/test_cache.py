"""`gluon-neuron cache` lists, prunes and clears."""

import pytest

from gluon_neuron.targets.neuron.compile_cache import Cache, key_of
from gluon_neuron.tools.cli import main
from tests.tools.line import document


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURON_COMPILE_CACHE_URL", str(tmp_path))
    made = Cache(tmp_path)
    for target in ("inf2", "trn1"):
        about = {"target": target, "compiler": ["neuronx-cc", "2.1"], "region": "region 0"}
        made.put(key_of({"target": target}), bytes(5000), about)
    return made


def test_list(cache, capsys):
    assert main(["cache", "list"]) == 0
    said = capsys.readouterr().out
    assert "2 programs" in said and "at most 10 GiB" in said
    assert all(word in said for word in (key_of({"target": "inf2"})[:12], "trn1", "neuronx-cc 2.1", "region 0"))


def test_json(cache, capsys):
    listed = document(capsys, "cache", "list")
    assert {p["target"] for p in listed["programs"]} == {"inf2", "trn1"} and listed["bytes_at_most"] == 10 << 30
    pruned = document(capsys, "cache", "prune", "--size", "6K")
    assert [p["target"] for p in pruned["removed"]] == ["inf2"] and [p["target"] for p in pruned["left"]] == ["trn1"]


def test_an_empty_one(tmp_path, capsys):
    assert main(["cache", "list", "--dir", str(tmp_path / "none")]) == 0
    assert "0 programs (0 B)" in capsys.readouterr().out


def test_prune(cache, capsys):
    assert main(["cache", "prune", "--size", "6K"]) == 0
    assert "removed 1 program" in capsys.readouterr().out
    assert [e.about["target"] for e in cache.entries()] == ["trn1"]


def test_clear(cache, capsys):
    assert main(["cache", "clear"]) == 0
    assert "removed 2 programs" in capsys.readouterr().out and cache.entries() == []


@pytest.mark.parametrize("words", [["list", "--dir", "s3://x/y"], ["prune", "--size", "big"]])
def test_errors(words, capsys):
    assert main(["cache", *words]) == 3
    assert "gluon-neuron cache:" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["list", "prune", "clear"])
def test_a_file_is_no_cache(action, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["cache", action, "--dir", str(tmp_path / "file")]) == 3
    assert "file, which is no directory" in capsys.readouterr().err
