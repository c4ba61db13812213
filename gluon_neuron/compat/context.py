"""`mx.neuron(i)`: the context that old scripts bind to; data and results stay in host memory."""

from __future__ import annotations

import mxnet as mx

from ..errors import OptionError


class NeuronContext(mx.Context):
    """The host, and which NeuronCore is meant. MXNet has no way to add a device type of its own.

    For MXNet it is `cpu(0)` whatever the core, so that arrays in host memory, where `load_checkpoint` puts them, can be
    bound to any core without a copy, as the archived packages' scripts do.
    """

    # str() must stay "cpu(0)": MXNet's C++ side reads it.

    def __init__(self, core: int) -> None:
        super().__init__("cpu", 0)
        self.core = core
        """The NeuronCore's index."""

    def __repr__(self) -> str:
        return f"neuron({self.core})"

    def __eq__(self, other: object) -> bool:
        """Cores differ from each other, but each is where the host's arrays are."""
        return self.core == other.core if isinstance(other, NeuronContext) else super().__eq__(other)

    __hash__ = mx.Context.__hash__


def neuron(device_id: int = 0) -> NeuronContext:
    """The context of NeuronCore `device_id`; everything that takes an MXNet context takes it.

    Its arrays are in host memory and report to be there: `cpu(0)`.
    """
    if isinstance(device_id, bool) or not isinstance(device_id, int) or device_id < 0:
        raise OptionError(f"A NeuronCore's index must be 0 or a positive integer, not {device_id!r}.")
    return NeuronContext(device_id)
