"""A folder for files that a library only gives by way of the disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, which is removed at the end of the block.

    `tempfile.TemporaryDirectory` is removed when Python ends as well, under the hands of a thread of MXNet's that
    compiles for another shape, for which MXNet waits only afterwards.
    """
    folder = tempfile.mkdtemp(prefix="gluon_neuron-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
