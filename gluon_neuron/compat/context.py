"""`mx.neuron(i)`: the context that old scripts bind to; data and results stay in host memory."""

from __future__ import annotations

from ..errors import OptionError
from ..runtime.context import NeuronContext


def neuron(device_id: int = 0) -> NeuronContext:
    """The context of NeuronCore `device_id`; everything that takes an MXNet context takes it.

    What is bound or loaded on it runs on that core, and on those behind it if it was compiled for several. On a machine
    without NeuronCores it is the host, and so is where its arrays report to be: `cpu(device_id)`.
    """
    if isinstance(device_id, bool) or not isinstance(device_id, int) or device_id < 0:
        raise OptionError(f"A NeuronCore's index must be 0 or a positive integer, not {device_id!r}.")
    return NeuronContext("cpu", device_id)
