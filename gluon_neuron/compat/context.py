"""`mx.neuron(i)`: the context that old scripts bind to; data and results stay in host memory."""

from __future__ import annotations

import mxnet as mx

from ..errors import OptionError


class NeuronContext(mx.Context):
    """A host context that knows which NeuronCore is meant. MXNet has no way to add a device type of its own."""

    # str() must stay "cpu(i)": MXNet's C++ side reads it.

    def __repr__(self) -> str:
        return f"neuron({self.device_id})"


def neuron(device_id: int = 0) -> NeuronContext:
    """The context of NeuronCore `device_id`; everything that takes an MXNet context takes it.

    On a machine without NeuronCores it is the host, and so is where its arrays report to be: `cpu(device_id)`.
    """
    if isinstance(device_id, bool) or not isinstance(device_id, int) or device_id < 0:
        raise OptionError(f"A NeuronCore's index must be 0 or a positive integer, not {device_id!r}.")
    return NeuronContext("cpu", device_id)
