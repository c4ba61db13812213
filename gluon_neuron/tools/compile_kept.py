"""`gluon-neuron compile-kept`: compiles a region again from the files that SUBGRAPH_INFO=1 kept of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import mxnet as mx
import numpy as np

from .. import api
from ..errors import InputError
from ..frontend import files


def compile_kept(prefix: str | os.PathLike[str], output: str | os.PathLike[str] | None = None) -> str:
    """Compile `PREFIX-symbol.json` as `PREFIX-signature.json` says; returns the report.

    With `output`, the compiled checkpoint is written there. Raises InputError when a file is missing or damaged, and
    what `gluon_neuron.compile` raises.
    """
    symbol_path, params_path = files.paths(prefix, 0)
    try:
        signature = json.loads(Path(f"{os.fspath(prefix)}-signature.json").read_text())
        samples = {n: mx.nd.zeros(s["shape"], dtype=np.dtype(s["dtype"])) for n, s in signature["inputs"].items()}
        options = dict(signature["options"])
        symbol = mx.sym.load(str(symbol_path))
    except (OSError, ValueError, KeyError, TypeError, mx.base.MXNetError) as error:
        raise InputError(
            f"{os.fspath(prefix)} is not what SUBGRAPH_INFO=1 keeps of a region: {str(error).splitlines()[0]}"
        ) from error
    args, aux = files.read_params(params_path, False)
    # A region that was worth compiling within its model is compiled by itself too.
    options["include_nodes"] = [n["name"] for n in json.loads(symbol.tojson())["nodes"] if n["op"] != "null"]
    made, new_args, new_aux = api.compile(symbol, samples, args=args, aux=aux, **options)
    if output is not None:
        arrays = {**{f"arg:{n}": a for n, a in new_args.items()}, **{f"aux:{n}": a for n, a in new_aux.items()}}
        files.write(output, 0, made.tojson(remove_amp_cast=False), arrays, False)
    return str(api.get_report(made))
