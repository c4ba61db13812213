"""The header of a NEFF is read as it is published."""

import pytest

from gluon_neuron.targets.neuron.neff import HEADER_SIZE, read_header
from tests.doubles import neff


@pytest.mark.parametrize("cores", [1, 4])
def test_cores(cores):
    data = neff.pack(neff.Neff(cores, {}, {"x": b"y"}))
    assert read_header(data).cores == cores
    assert read_header(data).data_size == len(data) - HEADER_SIZE


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "0 bytes"),
        (b"text" * 1000, "names a header"),
        (neff.pack(neff.Neff(1, {}, {"x": b"y"}))[:-1], "promises"),
    ],
)
def test_what_is_none(data, match):
    with pytest.raises(ValueError, match=match):
        read_header(data)
