"""Namespace: every function of the array language, with compositions for those that a library lacks."""

from __future__ import annotations

from .base_normalize import Normalize
from .base_recurrent import Recurrent
from .base_regions import Regions
from .base_resample import Resample
from .base_scatter import Scatter


class Namespace(Recurrent, Normalize, Resample, Regions, Scatter):
    """What a lowering rule knows as `xp`; the functions live in the modules `core` and `base_*`."""
