"""`gluon-neuron verify`: whether a model gives compiled what it gives in MXNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .. import api
from ..errors import InputError
from ..graph.spec import Spec
from ..runtime import background
from .answer import Answer
from .ending import DONE, FOUND
from .model_from_line import Compiled, LineModel
from .progress import shown
from .run_model import called

_FIRST_CALLS = 2


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
    if isinstance(model, Compiled) and options:
        raise InputError(
            f"{what} is compiled already, so {', '.join(options)} would change nothing; compile it anew with these."
        )
    with model.front_end():
        drawn = [model.arrays(given, seed + k * len(model.names)) for k in range(samples)]
        first = drawn[0]
        if isinstance(model, Compiled):
            compiled = model.runs(first)
        else:
            with shown(f"Compiling {what}", str(options.get("target", "auto"))):
                compiled = model.compiled(first, options)
        if reference is None:
            original = model.reference(first)
        else:
            _check_same(model.names, reference, first)
            original = reference.runs(first)
        calls = [model.arguments(arrays) for arrays in drawn]
        _settle(compiled, calls[0])
        found = api.verify(compiled, original, calls, rtol, atol)
    inputs = {n: str(Spec(a.shape, str(a.dtype))) for n, a in first.items()}
    data = {
        "agrees": bool(found),
        "rtol": found.rtol,
        "atol": found.atol,
        "atol_of_range": found.atol_of_range,
        "of_range": found.of_range,
        "why": found.why,
        "samples": samples,
        "seed": seed,
        "inputs": inputs,
        "differences": [asdict(d) for d in found.differences],
    }
    text = f"{found}\nInputs: {', '.join(f'{n} {s}' for n, s in inputs.items())}; {_drawn(given, samples, seed)}."
    return Answer(text, data, DONE if found else FOUND)


def _settle(compiled: Any, arguments: Sequence[Any]) -> None:
    """Have the program ready that is to be compared: MXNet's own operators have the first calls of another shape."""
    for _ in range(_FIRST_CALLS):
        called(compiled, arguments)
    background.wait()


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
