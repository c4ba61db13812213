"""Archives for multi-model-server, and the handler that runs in its workers."""

from .archive import archive

__all__ = ["archive"]
