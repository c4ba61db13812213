"""Preprocessing: which values it takes, what it crops, and how files keep it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gluon_neuron.errors import InputError
from gluon_neuron.preprocessing import Preprocessing


def test_there_and_back():
    made = Preprocessing(mean=[0, 0.5, np.float32(1)], std=(1, 2, 3), resize=300, size=np.int64(256), layout="NHWC")
    assert made.size == (256, 256) and made.mean == (0.0, 0.5, 1.0)
    assert Preprocessing.from_json(json.loads(json.dumps(made.to_json())) | {"of_later": 1}) == made
    assert Preprocessing.from_json({}) == Preprocessing()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mean": (1, 2)}, "mean"),
        ({"mean": "abc"}, "mean"),
        ({"mean": 0.5}, "mean"),
        ({"mean": (0, 0, float("nan"))}, "finite"),
        ({"std": (1, 0, 1)}, "none may be zero"),
        ({"resize": 0}, "resize"),
        ({"resize": 224.0}, "resize"),
        ({"size": (0, 4)}, "size"),
        ({"size": "224"}, "size"),
        ({"size": (1, 2, 3)}, "size"),
        ({"layout": "NHCW"}, "Did you mean 'NHWC'"),
    ],
)
def test_wrong_values(given, told):
    with pytest.raises(InputError, match=told):
        Preprocessing(**given)


def test_what_is_cropped():
    assert Preprocessing().crop((1, 3, 20, 30)) == (20, 30)
    assert Preprocessing(layout="NHWC").crop((1, 20, 30, 3)) == (20, 30)
    assert Preprocessing(size=8).crop((1, 3, 20, 30)) == (8, 8)
    assert Preprocessing().short_side(224, 224) == 256
    assert Preprocessing(resize=300).short_side(224, 224) == 300
    assert Preprocessing().short_side(10, 40) == 40
    for layout, shape in (("NCHW", (1, 20, 30, 3)), ("NHWC", (1, 3, 20, 30)), ("NCHW", (3, 20, 30))):
        with pytest.raises(InputError, match="Images need an input of shape"):
            Preprocessing(layout=layout).crop(shape)
