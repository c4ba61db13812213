"""`mx_neuron`: compiles a symbol or a block, as the plug-in for MXNet 1.8 did."""

from __future__ import annotations

from typing import Any

import mxnet as mx

from .._version import __version__ as __version__
from ..errors import InputError
from ..option_keywords import shows_options
from . import neuron
from .compile_args import translate
from .verbosity import logged


@shows_options
def compile(obj: Any, args: Any = None, aux: Any = None, inputs: Any = None, **compile_args: Any) -> Any:
    """Compile a Symbol, which gives `(symbol, args, aux)`, or a HybridBlock, which gives a block.

    `inputs` is a dict of input name to array (a hybridized block calls its inputs data, or data0, data1, ...); `args`
    and `aux` go with a Symbol. `compile_args` and errors are those of `mx.contrib.neuron.compile`.
    """
    if inputs is None:
        raise InputError("compile() needs inputs: a dict of input name to array.")
    if isinstance(obj, mx.sym.Symbol):
        return neuron.compile(obj, args, aux, inputs, **compile_args)
    from .. import api  # late: a process that only runs models does not need the compiler

    with logged(compile_args):
        return api.compile(obj, inputs, args=args, aux=aux, **translate(compile_args))
