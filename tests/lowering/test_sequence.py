"""Operators over padded sequences agree with MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op

X = np.arange(12, dtype=np.float32).reshape(3, 4)
CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def floats(*values):
    return np.array(values, np.float32)


# Lengths past the end are left out: MXNet writes and reads outside its memory then.
@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize(("axis", "lengths"), [(0, (0, 1, 2)), (1, (0, 3))])
def test_sequence_mask(dtype, axis, lengths):
    attrs = {"use_sequence_length": True, "value": -1.5, "axis": axis}
    check_op("SequenceMask", [CUBE.astype(dtype), np.array(lengths, dtype)], attrs)
    check_op("SequenceMask", [CUBE.astype(dtype)], {"value": -1.5, "axis": axis})


def test_sequence_mask_cuts_fractions():
    check_op("SequenceMask", [X, floats(1, 2.5, 0, 3)], {"use_sequence_length": True})


@pytest.mark.parametrize(("axis", "lengths"), [(0, (2, 1, 2)), (1, (1, 3))])
def test_sequence_last(axis, lengths):
    check_op("SequenceLast", [CUBE, floats(*lengths)], {"use_sequence_length": True, "axis": axis})
    check_op("SequenceLast", [CUBE], {"axis": axis})
    check_op("SequenceLast", [X], {"axis": axis})


def test_sequence_reverse():
    check_op("SequenceReverse", [CUBE, floats(1, 2, 0)], {"use_sequence_length": True})
    check_op("SequenceReverse", [X, floats(1, 2.7, 3, 0)], {"use_sequence_length": True})
    check_op("SequenceReverse", [CUBE])
