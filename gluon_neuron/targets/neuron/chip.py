"""What the Neuron targets have in common: a compiler's run in a directory of its own, through the compile cache."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...artifact.container import Payload
from ...errors import CacheError, CompileError
from ..base import Program, RegionJob
from .compile_cache import Cache, bound, directory, key_of
from .neff import read_header
from .toolchain.commands import NEFF
from .toolchain.find import find, version
from .toolchain.precedence import cache_words
from .toolchain.process import Running

_logger = logging.getLogger(__name__)
_NOT_THE_COMPILERS = (
    "NEURON_RT_",
    "NEURON_CC_FLAGS",
    "NEURON_COMPILE_CACHE_URL",
    "NEURON_PROFILE",
    "NEURON_PROCESS_TAG",
)


@dataclass
class Compiler:
    """One of the two compilers as it is installed here, and the cache of what it made."""

    name: str
    path: Path = field(init=False)
    version: str = field(init=False)
    cache: Cache | None = field(init=False)

    def __post_init__(self) -> None:
        self.path = find(self.name)
        self.version = version(self.path)
        place, off = cache_words(os.environ)
        self.cache = None if off else Cache(directory(place), bound())
        self.made: dict[str, bytes] = {}


@dataclass(frozen=True)
class ChipTask:
    """Compiles one program, or takes it from the cache. `files` are what the compiler reads, by name; `payload` is the
    result but for its data and the number of cores."""

    compiler: Compiler
    job: RegionJob
    command: tuple[str, ...]
    files: Mapping[str, bytes]
    payload: Payload
    quality: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The key of the program in the cache."""
        return key_of(self.factors())

    def factors(self) -> dict[str, Any]:
        """All that decides what the program is. The files are the graph with its attributes, its signature, and the
        weights where they are baked in; the command has the target and every flag in force."""
        return {
            "target": self.payload.target,
            "compiler": [self.compiler.name, self.compiler.version],
            "gluon_neuron": __version__,
            "command": list(self.command),
            "environment": environment(os.environ),
            "files": {n: hashlib.sha256(data).hexdigest() for n, data in self.files.items()},
            "signature": self.payload.signature,
        }

    def __call__(self, running: Running) -> Program:
        """The program; raises CompileError. A cache that cannot be used is warned of, and done without."""
        start = time.perf_counter()
        data, cached = self._data(running)
        try:
            header = read_header(data)
        except ValueError as error:
            raise CompileError(f"What {self.compiler.name} wrote is not a NEFF: {error}.") from error
        given = self.payload
        program = {**given.program, "cores": header.cores}
        made = Payload(given.target, given.engine, given.engine_version, given.signature, program, data)
        return Program(made, self.command, cached, time.perf_counter() - start, self.quality)

    def _data(self, running: Running) -> tuple[bytes, bool]:
        key, cache = self.key, self.compiler.cache
        if key in self.compiler.made:
            return self.compiler.made[key], True
        if cache is None:
            data, cached = self._compile(running), False
        else:
            with ExitStack() as stack:
                usable = True
                try:
                    stack.enter_context(cache.locked(key, lambda: running.stopped))
                except CacheError as error:
                    _logger.warning("%s", error)
                    usable = False  # for writing; what is there can be read
                found = cache.get(key)
                if found is not None and not _is_neff(found[0]):
                    _logger.warning("compile cache: the entry of key %s is no NEFF and is made again", key)
                    found = None
                data, cached = (found[0], True) if found else (self._compile(running), False)
                if not cached and usable:
                    self._keep(cache, key, data)
        self.compiler.made[key] = data
        return data, cached

    def _keep(self, cache: Cache, key: str, data: bytes) -> None:
        about = {**self.factors(), "region": self.job.name}
        if not _is_neff(data):
            return  # the caller says so, and failures are not kept
        try:
            cache.put(key, data, about)
        except CacheError as error:
            # The program is there; only the next compile has to make it again.
            _logger.warning("%s", error)

    def _compile(self, running: Running) -> bytes:
        place = self._place()
        try:
            for name, content in self.files.items():
                (place / name).write_bytes(content)
            running.run(self.command, place, self.job.options.compiler_timeout, self.compiler.path)
            result = place / NEFF
            if not result.is_file():
                raise CompileError(f"{self.compiler.name} succeeded, but wrote no {NEFF}. Its directory: {place}")
            data = result.read_bytes()
        except CompileError:
            if running.stopped and self.job.keep is None:
                shutil.rmtree(place, ignore_errors=True)
            raise
        except OSError as error:
            raise CompileError(f"The directory {place} of {self.compiler.name} cannot be used: {error}.") from error
        if self.job.keep is None:
            shutil.rmtree(place, ignore_errors=True)
        return data

    def _place(self) -> Path:
        if self.job.keep is None:
            return Path(tempfile.mkdtemp(prefix="gluon_neuron-"))
        shutil.rmtree(self.job.keep, ignore_errors=True)
        self.job.keep.mkdir(parents=True)
        return self.job.keep.resolve()


def _is_neff(data: bytes) -> bool:
    try:
        read_header(data)
    except ValueError:
        return False
    return True


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a Neuron compiler may read."""
    found = {k: v for k, v in environ.items() if k.startswith("NEURON") and not k.startswith(_NOT_THE_COMPILERS)}
    return dict(sorted(found.items()))
