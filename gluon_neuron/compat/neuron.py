"""`mx.contrib.neuron`: compiles a symbol, its arguments and auxiliary states, as the package for MXNet 1.5 did."""

from __future__ import annotations

from typing import Any

import mxnet as mx

from .._version import __version__ as __version__
from ..errors import BlockError
from ..option_keywords import shows_options
from .compile_args import translate
from .verbosity import logged

Arrays = dict[str, mx.nd.NDArray]


@shows_options
def compile(
    sym: mx.sym.Symbol, args: Arrays, aux: Arrays, inputs: dict[str, Any], **compile_args: Any
) -> tuple[mx.sym.Symbol, Arrays, Arrays]:
    """Compile a symbol; returns the new partitioned symbol and the new args and aux for `save_checkpoint` or `bind`.

    `args` and `aux` are dicts of name to array, as `mx.model.load_checkpoint` gives them, and stay as they are;
    `inputs` is a dict of input name to array, of the shape and dtype to compile for. `compile_args`: options of the
    Neuron compiler (`**{'--neuroncore-pipeline-cores': 2}`), `flags`, `excl_node_names`, `force_incl_node_names`,
    `work_dir`, `op_by_op_compiler_retry`, and the fields of `gluon_neuron.CompileOptions`.

    Raises InputError, UninitializedError, OptionError, and what `gluon_neuron.compile` raises.
    """
    if not isinstance(sym, mx.sym.Symbol):
        raise BlockError(
            f"The first argument must be a Symbol, not a {type(sym).__module__}.{type(sym).__name__}. "
            "Blocks are compiled by gluon_neuron.compile(net, sample) or mx_neuron.compile(net, inputs=...)."
        )
    from .. import api  # late: a process that only runs models does not need the compiler

    with logged(compile_args):
        made: tuple[mx.sym.Symbol, Arrays, Arrays] = api.compile(
            sym, inputs, args=args, aux=aux, **translate(compile_args)
        )
    return made
