"""Who listens to a compile hears its phases in order, and nobody else's."""

from __future__ import annotations

import gluon_neuron
from gluon_neuron.compiler.phases import begins, listening
from tests.nets import conv_net, images


def test_phases_of_a_compile():
    heard = []
    with listening(heard.append):
        gluon_neuron.compile(conv_net(), images())
    begins("after")
    assert heard == ["export", "infer", "partition", "compile", "stitch", "load"]
