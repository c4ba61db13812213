"""Attribute strings as MXNet's versions write them."""

import pytest

from gluon_neuron.errors import GraphError
from gluon_neuron.graph.attrs import Attrs


def attrs(**raw):
    return Attrs(raw, "node 'n' (op)")


def test_tuples():
    a = attrs(kernel="(3, 3)", shape="[1,-1]", one="2", old="(2L, 3L)", nothing="None", empty="()")
    assert a.ints("kernel") == (3, 3)
    assert a.ints("shape") == (1, -1)
    assert a.ints("one") == (2,)
    assert a.ints("old") == (2, 3)
    assert a.ints("nothing", (1, 1)) == (1, 1)
    assert a.ints("absent", ()) == ()
    assert a.ints("empty") == ()
    assert attrs(end="(None, 3)").optional_ints("end") == (None, 3)
    assert attrs(sizes="(0.5, 1)").numbers("sizes") == (0.5, 1.0)


def test_scalars():
    a = attrs(flag="True", no="0", eps="1e-05", n="4", f="4.0", inf="inf")
    assert a.flag("flag") and not a.flag("no") and a.flag("absent", True)
    assert a.number("eps") == 1e-5 and a.number("inf") == float("inf")
    assert a.single("eps") != 1e-5 and abs(a.single("eps") - 1e-5) < 1e-12 and a.single("absent", 0.5) == 0.5
    assert a.single("inf") == float("inf")
    assert a.integer("n") == 4 and a.integer("f") == 4 and a.integer("absent", 7) == 7


@pytest.mark.parametrize(
    "read",
    [
        lambda a: a.ints("bad"),
        lambda a: a.flag("bad"),
        lambda a: a.integer("bad"),
        lambda a: a.number("bad"),
        lambda a: a.single("huge"),
        lambda a: a.ints("half"),
        lambda a: a.integer("absent"),
        lambda a: a.ints("absent"),
    ],
)
def test_malformed_names_the_node(read):
    with pytest.raises(GraphError, match="node 'n'"):
        read(attrs(bad="three", huge="1e300", half="(1.5, 2)"))
