"""The archived packages' names and conventions, for scripts written for them.

MXNet is imported here, before any module of this folder, for the reason that `runtime` gives.
"""

import mxnet  # noqa: F401
