"""Runs one compiler in a process group of its own, which does not outlive what started it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from ....errors import CompileError
from .precedence import VARIABLE

LOG = "compiler.log"
_ERROR = re.compile(r"\b(error|fatal|exception|critical)\b|\[?NCC_[A-Z]{4}\d+", re.IGNORECASE)
_GRACE = 5.0


def environment() -> dict[str, str]:
    """The compiler's environment: ours, without an allocator that it cannot run under, and without the variable whose
    words are on the command line already."""
    chosen = {k: v for k, v in os.environ.items() if k != VARIABLE}
    preloaded = re.split(r"[ :]+", chosen.get("LD_PRELOAD", ""))
    kept = [p for p in preloaded if p and "libtcmalloc" not in p]
    if kept:
        chosen["LD_PRELOAD"] = ":".join(kept)
    else:
        chosen.pop("LD_PRELOAD", None)
    return chosen


class Running:
    """The compilers that run now; `stop` kills them all, and none is started afterwards."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def run(self, command: Sequence[str], directory: Path, timeout: float | None, program: Path | None = None) -> None:
        """Run `command` in `directory`, whose log gets its output; `program` is the path of its first word.

        Raises CompileError, with the log's place and the last line that speaks of an error, when it fails, is stopped
        by a signal, or takes more than `timeout` seconds.
        """
        log = directory / LOG
        with log.open("wb") as out:
            out.write(f"$ {shlex.join(command)}\n".encode())
            out.flush()
            process = self._start(command, directory, out, program)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                raise CompileError(
                    f"{command[0]} was stopped after {timeout:g} s (option compiler_timeout). Its log: {log}"
                ) from None
            finally:
                with self._lock:
                    self._running.discard(process)
                kill(process)
        if self._stopped:
            raise CompileError(f"{command[0]} was stopped.")
        if status:
            how = f"status {status}" if status > 0 else f"signal {signal.Signals(-status).name}"
            raise CompileError(f"{command[0]} ended with {how}: {last_error(log)} Its log: {log}")

    def stop(self) -> None:
        """Kill every compiler with all that it started."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            kill(process)

    def _start(
        self, command: Sequence[str], directory: Path, out: object, program: Path | None
    ) -> subprocess.Popen[bytes]:
        words = [str(program or command[0]), *command[1:]]
        with self._lock:
            if self._stopped:
                raise CompileError(f"{command[0]} was not started.")
            try:
                process = subprocess.Popen(
                    words,
                    cwd=directory,
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=out,  # type: ignore[call-overload]
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise CompileError(f"{command[0]} cannot be started: {error}.") from error
            self._running.add(process)
            return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and its whole group: politely, then for good."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _signal(process, number):
            break
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
    _signal(process, signal.SIGKILL)  # what it left in its group
    process.wait()


def last_error(log: Path) -> str:
    """The last line of a log that speaks of an error, else the last that says anything."""
    lines = [text for line in log.read_text(errors="replace").splitlines()[1:] if (text := line.strip(" *=-\t"))]
    speaking = [line for line in lines if _ERROR.search(line)]
    return (speaking or lines or ["it said nothing."])[-1][:500]


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
