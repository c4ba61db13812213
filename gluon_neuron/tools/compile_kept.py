"""`gluon-neuron compile-kept`: compiles a region again from the files that SUBGRAPH_INFO=1 kept of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import mxnet as mx
import numpy as np

from .. import api
from ..errors import InputError
from ..graph.model_files import paths
from ..report import Report
from ..stitch import files
from .answer import Answer


def compile_kept(prefix: str | os.PathLike[str], output: str | os.PathLike[str] | None = None) -> Answer:
    """Compile `PREFIX-symbol.json` as `PREFIX-signature.json` says, for each shape it names; answers with the reports.

    With `output`, the compiled checkpoint is written there, the one for the K-th further shape to `OUTPUT-K`. Raises
    InputError when a file is missing or damaged, and what `gluon_neuron.compile` raises.
    """
    symbol_path, params_path = paths(prefix, 0)
    try:
        signature = json.loads(Path(f"{os.fspath(prefix)}-signature.json").read_text())
        samples = [
            {n: mx.nd.zeros(s["shape"], dtype=np.dtype(s["dtype"])) for n, s in inputs.items()}
            for inputs in signature["inputs"]
        ]
        options = dict(signature["options"])
        symbol = mx.sym.load(str(symbol_path))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, mx.base.MXNetError) as error:
        raise InputError(
            f"{os.fspath(prefix)} is not what SUBGRAPH_INFO=1 keeps of a region: {str(error).splitlines()[0]}"
        ) from error
    args, aux = files.read_params(params_path, False)
    # A region that was worth compiling within its model is compiled by itself too.
    options["include_nodes"] = [n["name"] for n in json.loads(symbol.tojson())["nodes"] if n["op"] != "null"]
    reports: list[Report] = []
    written: list[Path] = []
    for number, sample in enumerate(samples):
        made, new_args, new_aux = api.compile(symbol, sample, args=args, aux=aux, **options)
        reports.append(api.get_report(made))
        if output is not None:
            arrays = {**{f"arg:{n}": a for n, a in new_args.items()}, **{f"aux:{n}": a for n, a in new_aux.items()}}
            place = f"{os.fspath(output)}-{number}" if number else output
            written += files.write(place, 0, made.tojson(remove_amp_cast=False), arrays, False)
    data = {"reports": [r.to_dict() for r in reports], "written": written}
    return Answer("\n\n".join(map(str, reports)), data)
