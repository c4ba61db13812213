"""Modules of earlier releases are found by the names that they had, and are today's."""

import importlib
import importlib.util
import pickle
import sys

import pytest

from gluon_neuron import moved
from tests.golden import FOLDER
from tests.nets import run_python

RELEASES = sorted(p.parent.name for p in FOLDER.glob("*/modules.txt"))
# They wrote pages of this repository, or casts into programs, and were no use to anybody else.
GONE = {"gluon_neuron.tools.hlo_checks_page", "gluon_neuron.tools.operators_page", "gluon_neuron.dialect.casting"}


@pytest.mark.parametrize("release", RELEASES)
def test_every_module_of_a_release_is_found(release):
    names = set((FOLDER / release / "modules.txt").read_text().split())
    assert len(names) > 200
    assert {n for n in names if importlib.util.find_spec(n) is None} <= GONE


@pytest.mark.parametrize(("old", "new"), moved.MOVED.items())
def test_it_is_the_same_module(old, new):
    today = importlib.import_module(f"gluon_neuron.{new}")
    spec = today.__spec__
    assert importlib.import_module(f"gluon_neuron.{old}") is today
    assert today.__name__ == f"gluon_neuron.{new}" and today.__spec__ is spec and spec.name == today.__name__


def test_no_row_hides_a_module():
    root = FOLDER.parents[1] / "gluon_neuron"
    places = [root.joinpath(*name.split(".")) for name in moved.MOVED]
    assert not [p for p in places if p.with_suffix(".py").exists() or (p / "__init__.py").exists()]


def test_old_names_first():
    run_python(
        """
        import gluon_neuron.frontend.metadata
        from gluon_neuron.frontend import parameters
        import gluon_neuron.targets.compilers.find as find
        from gluon_neuron.targets.cpu import CASTS, CpuTarget
        import gluon_neuron.stitch.metadata, gluon_neuron.stitch.parameters
        import gluon_neuron.targets.cpu.target, gluon_neuron.targets.neuron.toolchain.find
        assert gluon_neuron.frontend.metadata.Metadata is gluon_neuron.stitch.metadata.Metadata
        assert parameters is gluon_neuron.stitch.parameters
        assert find is gluon_neuron.targets.neuron.toolchain.find
        assert CpuTarget is gluon_neuron.targets.cpu.target.CpuTarget
        """
    )


def test_a_class_is_unpickled_by_its_old_name():
    from gluon_neuron.stitch.metadata import Metadata

    assert pickle.loads(b"cgluon_neuron.frontend.metadata\nMetadata\n.") is Metadata


def test_what_never_was_is_not_found():
    assert importlib.util.find_spec("gluon_neuron.frontend.metadatas") is None
    with pytest.raises(ModuleNotFoundError, match=r"gluon_neuron\.special"):
        importlib.import_module("gluon_neuron.special")
    with pytest.raises(ImportError, match="CpuTargets"):
        from gluon_neuron.targets.cpu import CpuTargets  # noqa: F401


def test_other_packages_names_are_theirs():
    (finder,) = [f for f in sys.meta_path if isinstance(f, moved._Finder)]
    assert finder.find_spec("frontend.metadata") is None
    assert finder.find_spec("other.frontend.metadata") is None
    assert finder.find_spec("gluon_neuron") is None


def test_installed_once():
    before = list(sys.meta_path)
    moved.install()
    assert sys.meta_path == before
