"""`gluon-neuron verify`: whether a model gives compiled what it gives in MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import api
from ..errors import InputError
from ..graph.spec import Spec
from .answer import Answer
from .ending import DONE, FOUND
from .model_from_line import LineModel
from .ready_model import check_options, ready


def verify_model(
    model: LineModel,
    what: str,
    reference: LineModel | None,
    given: Mapping[str, np.ndarray[Any, Any]],
    options: Mapping[str, Any],
    *,
    samples: int = 1,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
) -> Answer:
    """Compare on the given arrays, the rest drawn, `samples` times with other draws.

    A model that is not compiled is, with `options`; without `reference` it is the operators that the files hold. The
    Answer's status says whether something differs. Raises InputError for models of different inputs.
    """
    check_options(model, what, options)
    with model.front_end():
        drawn = [model.arrays(given, seed + k * len(model.names)) for k in range(samples)]
        first = drawn[0]
        compiled = ready(model, what, first, options)
        if reference is None:
            original = model.reference(first)
        else:
            _check_same(model.names, reference, first)
            original = reference.runs(first)
        calls = [model.arguments(arrays) for arrays in drawn]
        found = api.verify(compiled, original, calls, rtol, atol)
    inputs = {n: str(Spec(a.shape, str(a.dtype))) for n, a in first.items()}
    data = {**found.to_dict(), "samples": samples, "seed": seed, "inputs": inputs}
    text = f"{found}\nInputs: {', '.join(f'{n} {s}' for n, s in inputs.items())}; {_drawn(given, samples, seed)}."
    return Answer(text, data, DONE if found else FOUND)


def _drawn(given: Mapping[str, Any], samples: int, seed: int) -> str:
    files = f"{', '.join(given)} from files, " if given else ""
    return f"{files}{samples} sample{'s' if samples > 1 else ''}, seed {seed}"


def _check_same(names: Sequence[str], reference: LineModel, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    if reference.names != tuple(names):
        raise InputError(
            f"The two models have different inputs: {', '.join(names)}, and those of the reference are "
            f"{', '.join(reference.names)}."
        )
    reference.specs = {n: Spec(a.shape, str(a.dtype)) for n, a in arrays.items()}
