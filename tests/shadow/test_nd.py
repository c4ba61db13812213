"""Each net under mx.nd: what it compiles to gives what MXNet gives, and the net stays as it was."""

from __future__ import annotations

import pytest

from tests.static import static_programs_alone  # noqa: F401

from .corpus import corpus
from .run import run

NETS = {n: net for n, net in corpus().items() if "nd" in net.front_ends}


@pytest.mark.parametrize("name", NETS)
def test_agrees(name):
    run(NETS[name])
