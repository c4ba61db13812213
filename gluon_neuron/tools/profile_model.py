"""`gluon-neuron profile`: where the time of a call of a model goes that the line names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .answer import Answer
from .arrays_from_files import check_output
from .model_from_line import LineModel
from .ready_model import check_options, ready


def profile_model(
    model: LineModel,
    what: str,
    given: Mapping[str, np.ndarray[Any, Any]],
    options: Mapping[str, Any],
    *,
    sources: Sequence[Path] = (),
    seed: int = 0,
    calls: int = 20,
    warmup: int = 3,
    html: Path | None = None,
    trace: Path | None = None,
) -> Answer:
    """Profile the model on the given arrays, the rest drawn; one that is not compiled is, with `options`.

    `sources` are the files that are read, in whose place none is written. Raises InputError where a file could not be
    written, before anything is timed, and what `NeuronHybridBlock.profile` raises.
    """
    check_options(model, what, options)
    if html is not None:
        check_output(html, [".html"], sources)
    if trace is not None:
        check_output(trace, [".json"], sources)
    with model.front_end():
        arrays = model.arrays(given, seed)
        net = ready(model, what, arrays, options)
        found = net.profile(*model.arguments(arrays), calls=calls, warmup=warmup)
    lines = [str(found)]
    if html is not None:
        found.save(html)
        lines.append(f"Written: {html}")
    if trace is not None:
        found.save_trace(trace)
        lines.append(f"Written: {trace}")
    return Answer("\n".join(lines), {"model": what, **found.to_dict(), "html": html, "trace": trace})
