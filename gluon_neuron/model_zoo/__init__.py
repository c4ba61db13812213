"""One-liners: compiled models of Gluon's vision zoo and of GluonCV, by name."""

from .catalog import names as names
from .zoo import get_model as get_model
from .zoo import get_network as get_network

__all__ = ["get_model", "get_network", "names"]
