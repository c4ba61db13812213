"""Signature: what a served model takes and gives, as the archive's signature.json says it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..preprocessing import Preprocessing

FILE = "signature.json"
PREFIX = "model"
LABELS = "synset.txt"
IMAGE, JSON = "image/jpeg", "application/json"


def read_labels(path: Path) -> list[str]:
    """A label for each line of a file; only "\\n" ends one, so that a label may hold what else breaks lines."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read().removesuffix("\n").split("\n")


@dataclass(frozen=True)
class Signature:
    """The input's name, shape (the batch first) and dtype, and what is done before and after the model."""

    data_name: str
    data_shape: tuple[int, ...]
    dtype: str
    input_type: str
    preprocessing: Preprocessing
    softmax: bool
    top: int

    def write(self, folder: Path) -> None:
        """Write signature.json, with the keys that the archived package's template reads."""
        inputs = [{"data_name": self.data_name, "data_shape": self.data_shape, "dtype": self.dtype}]
        own = {"preprocessing": self.preprocessing.to_json(), "softmax": self.softmax, "top": self.top}
        text = {"inputs": inputs, "input_type": self.input_type, "output_type": JSON, "gluon_neuron": own}
        (folder / FILE).write_text(json.dumps(text, indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Signature:
        """The inverse of `write`; raises InputError for a file that `write` did not make."""
        try:
            raw: Any = json.loads((folder / FILE).read_text())
            (data,), own = raw["inputs"], raw["gluon_neuron"]
            return cls(
                data["data_name"],
                tuple(data["data_shape"]),
                data["dtype"],
                raw["input_type"],
                Preprocessing.from_json(own["preprocessing"]),
                own["softmax"],
                own["top"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{folder / FILE} is not a signature of gluon_neuron.serve.archive: {error!r}.") from error
