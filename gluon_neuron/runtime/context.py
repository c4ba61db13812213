"""NeuronContext: a host context that knows which NeuronCore is meant."""

from __future__ import annotations

import mxnet as mx


class NeuronContext(mx.Context):
    """MXNet has no way to add a device type of its own: to MXNet it is `cpu(i)`, and so is where its arrays are."""

    # str() must stay "cpu(i)": MXNet's C++ side reads it.

    def __repr__(self) -> str:
        return f"neuron({self.device_id})"
