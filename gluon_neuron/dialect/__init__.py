"""The array language that lowering rules are written in, and its implementations; importing it loads NumPy only."""

from __future__ import annotations

from .array import Array
from .base import Namespace
from .jax_ import JaxNamespace
from .numpy_ import NumpyNamespace
from .openvino_ import OpenVINONamespace

__all__ = ["Array", "JaxNamespace", "Namespace", "NumpyNamespace", "OpenVINONamespace"]
