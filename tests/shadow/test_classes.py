"""What the corpus holds: every class of layers that Gluon and GluonCV export, enough nets, and mostly compiled ones."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import gluoncv.nn
import pytest
from mxnet import gluon

from .corpus import corpus
from .run import front_end, kinds

NETS = corpus()
GLUONCV = [f"gluoncv.nn.{m.name}" for m in pkgutil.iter_modules(gluoncv.nn.__path__)]
MODULES = [
    *("mxnet.gluon.nn", "mxnet.gluon.rnn", "mxnet.gluon.loss"),
    *("mxnet.gluon.contrib.nn", "mxnet.gluon.contrib.rnn", "mxnet.gluon.contrib.cnn"),
    *GLUONCV,
]
# Classes that nobody makes blocks of: what they are for is derived from them.
ABSTRACT = {
    *("Block", "HybridBlock", "RecurrentCell", "HybridRecurrentCell", "ModifierCell", "Loss"),
}


def exported(module):
    """The classes of blocks that a module exports, of which another may be the home."""
    found = importlib.import_module(module)
    blocks = [v for v in vars(found).values() if inspect.isclass(v) and issubclass(v, gluon.Block)]
    # GluonCV's modules import Gluon's classes for themselves.
    return {b for b in blocks if not b.__name__.startswith("_") and (module not in GLUONCV or b.__module__ == module)}


@pytest.fixture(scope="module")
def held():
    """The classes that the nets are made of."""
    with front_end("nd"):
        return set().union(*(kinds(net.make()) for net in NETS.values() if "nd" in net.front_ends))


@pytest.mark.parametrize("module", MODULES)
def test_every_class_is_in_a_net(module, held):
    classes = exported(module)
    assert classes
    assert {c.__name__ for c in classes - held} - ABSTRACT == set()


def test_what_is_abstract_exists():
    assert {c.__name__ for m in MODULES for c in exported(m)} >= ABSTRACT


def test_there_are_enough_nets():
    for name, count in {"nd": 150, "np": 40}.items():
        nets = [net for net in NETS.values() if name in net.front_ends and net.error is None]
        assert len(nets) >= count
        # Of each it is asserted, where it runs, that this is so.
        assert sum(net.compiled for net in nets) >= 0.7 * len(nets)
