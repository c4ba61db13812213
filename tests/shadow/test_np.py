"""Each net that MXNet's NumPy front end takes, under it: as test_nd."""

from __future__ import annotations

import pytest

from .corpus import corpus
from .run import front_end, run

NETS = {n: net for n, net in corpus().items() if "np" in net.front_ends}


@pytest.mark.parametrize("name", NETS)
def test_agrees(name):
    with front_end("np"):
        run(NETS[name])
