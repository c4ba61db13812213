"""How `make` brings MXNet: by the extra, without its dependencies, or not at all."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def commands(load, monkeypatch):
    """Runs install.py's main as on some Python, with or without MXNet there; gives pip's words."""

    def run(minor: int, *, has_mxnet: bool = False, numpy: str = "", extras: str = "dev") -> list[tuple[str, ...]]:
        monkeypatch.setattr(sys, "version_info", (3, minor, 0, "final", 0))
        monkeypatch.setenv("NUMPY", numpy)
        module = load("install")
        found: list[tuple[str, ...]] = []
        monkeypatch.setattr(module, "pip", lambda *words: found.append(words))
        monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: has_mxnet or None)
        monkeypatch.setattr(module.importlib.metadata, "requires", lambda name: ["numpy<2", "graphviz<0.9"])
        module.main(extras.split())
        return found

    return run


def test_by_the_extra(commands):
    assert commands(12) == [("--editable", ".[mxnet,dev]")]
    assert commands(11) == [("--editable", ".[mxnet,dev]", "numpy==1.23.*")]
    assert commands(11, numpy="1.26") == [("--editable", ".[mxnet,dev]", "numpy==1.26.*")]


@pytest.mark.parametrize(
    ("minor", "numpy", "pinned"), [(13, "", ()), (13, "2.5", ("numpy==2.5.*",)), (12, "2", ("numpy==2.*",))]
)
def test_without_its_dependencies(commands, minor, numpy, pinned):
    first, second, third = commands(minor, numpy=numpy)
    assert first == ("--editable", ".[dev]", *pinned)
    assert second == ("--no-deps", "mxnet>=1.9.0,<1.10")
    assert third == ("graphviz<0.9",)


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_an_mxnet_that_is_there_stays(commands, minor):
    assert [words[:2] for words in commands(minor, has_mxnet=True)] == [("--editable", ".[dev]")]


def test_without_an_extra(commands):
    # As `make demo` does, the second time or where MXNet comes by itself.
    assert commands(12, has_mxnet=True, extras="") == [("--editable", ".")]
    assert commands(13, extras="")[0] == ("--editable", ".")
    assert commands(12, extras="") == [("--editable", ".[mxnet]")]
