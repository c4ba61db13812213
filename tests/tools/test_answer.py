"""An answer as JSON: every kind of value, and nothing that JSON does not have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from gluon_neuron.tools.answer import Answer


class Kind(str, Enum):
    ONE = "one"


@dataclass
class Held:
    path: Path
    values: tuple[float, ...]


def test_values():
    data = {
        "held": Held(Path("a b"), (1.5, float("inf"))),
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "number": np.float32(0.5),
        "nan": np.array([np.nan, 1]),
        Kind.ONE: [Kind.ONE, {"x": ()}, None, True],
        3: "ä\n\ud800",
        "empty": {},
    }
    text = Answer("", data).json
    assert json.loads(text) == {
        "held": {"path": "a b", "values": [1.5, None]},
        "array": [[0, 1, 2], [3, 4, 5]],
        "number": 0.5,
        "nan": [None, 1],
        "one": ["one", {"x": []}, None, True],
        "3": "ä\n\ud800",
        "empty": {},
    }
    assert text.isascii() and '"array": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]' in text


def test_layout():
    assert Answer("", {"a": [{"b": 1}, {}]}).json == '{\n  "a": [\n    {\n      "b": 1\n    },\n    {}\n  ]\n}'
