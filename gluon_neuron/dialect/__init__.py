"""The array language that lowering rules are written in, and its implementations; importing it loads NumPy only."""

from __future__ import annotations

from .base import Namespace
from .in_jax.namespace import JaxNamespace
from .in_numpy.namespace import NumpyNamespace
from .in_openvino.namespace import OpenVINONamespace
from .strict_array import Array

__all__ = ["Array", "JaxNamespace", "Namespace", "NumpyNamespace", "OpenVINONamespace"]
