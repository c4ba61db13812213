"""Runs compiled regions in MXNet: the operator's registration, bound sessions, placement, and MXNet's private names.

MXNet is imported here, before any module of this folder: the hook that follows its import (see `import_hooks`) needs
them whole, and would find the one that imported MXNet half made.
"""

import mxnet  # noqa: F401
