"""Builds the double, starts its worker, and asks it what happened."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]


def build(folder: Path) -> Path:
    """Compile libnrt.so into the folder."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None, "The double of libnrt needs a C compiler."
    library = folder / "libnrt.so.1"
    sources = sorted(str(p) for p in FOLDER.glob("*.c"))
    flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread"]
    subprocess.run([compiler, *flags, *sources, "-o", str(library), "-lm"], check=True)
    return library


@contextmanager
def worker(folder: Path) -> Iterator[str]:
    """A running worker's socket."""
    path = str(folder / "worker")
    command = [sys.executable, "-m", "tests.doubles.libnrt.worker", path]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    try:
        yield path
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


class Double:
    """The double that is loaded into this process."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.double_count.restype = ctypes.c_uint64
        self._library.double_count.argtypes = [ctypes.c_char_p]
        self._library.double_violation.restype = ctypes.c_char_p
        self._library.double_fail.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
        self._library.double_set_exec_ms.argtypes = [ctypes.c_double]
        self._library.double_clock.restype = ctypes.c_size_t
        self._library.double_clock.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_double), ctypes.c_size_t]

    def count(self, what: str) -> int:
        """Calls of a function, or "alive model" (tensor, set, info, bytes), "written", "read", "violations"."""
        return int(self._library.double_count(what.encode()))

    @property
    def violation(self) -> str:
        """The first breach of the contract since the last reset."""
        return str(self._library.double_violation().decode())

    def fail(self, function: str, status: int, nth: int = 1) -> None:
        """Let the nth call from now return a status."""
        self._library.double_fail(function.encode(), status, nth)

    def set_exec_ms(self, ms: float) -> None:
        """Let every execution keep its cores that long."""
        self._library.double_set_exec_ms(ms)

    def clock(self, core: int) -> list[tuple[float, float]]:
        """When the core computed."""
        pairs = (ctypes.c_double * 8192)()
        n = self._library.double_clock(core, pairs, 4096)
        return [(pairs[2 * i], pairs[2 * i + 1]) for i in range(n)]

    def reset(self) -> None:
        """Forget counts, clocks and faults; what is alive stays counted."""
        self._library.double_reset()
