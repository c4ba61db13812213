"""Namespace: every function of the array language, with compositions for those that a library lacks."""

from __future__ import annotations

from .functions.normalize import Normalize
from .functions.recurrent import Recurrent
from .functions.resample import Resample
from .functions.roi import Roi
from .functions.scatter import Scatter


class Namespace(Recurrent, Normalize, Resample, Roi, Scatter):
    """What a lowering rule knows as `xp`; the functions live in the modules `core` and `base_*`."""
