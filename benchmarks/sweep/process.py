"""Holds a worker process: asks it for one model after the other, and replaces it when it dies, hangs or has grown."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]


class Worker:
    """Walks models in a process of their own, started when it is needed.

    `timeout` is in seconds for one model, `memory` the most that the process may take in MiB; one that still holds a
    quarter of it after an answer is replaced. A context manager.
    """

    def __init__(self, timeout: float, memory: int) -> None:
        self._timeout = timeout
        self._memory = memory
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def walk(self, package: str, name: str) -> dict[str, Any]:
        """The record of a model; "crashed" or "timeout" as its stage when the process did not answer.

        A process that ended may have been short of memory that models before this one left behind, which MXNet does
        not survive; so only the end of one that had walked no other counts.
        """
        used = self._process is not None
        record = self._ask(package, name)
        return self._ask(package, name) if used and record["stage"] == "crashed" else record

    def _ask(self, package: str, name: str) -> dict[str, Any]:
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        start = time.monotonic()
        process.stdin.write(f"{package} {name}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], self._timeout)
        line = process.stdout.readline() if ready else ""
        if line:
            record: dict[str, Any] = json.loads(line)
            if self._resident() > self._memory / 4:
                self._stop()
        else:
            stage = "crashed" if ready else "timeout"
            self._stop()
            record = {"package": package, "name": name, "stage": stage, "error": _ending(process.returncode, ready)}
        record["total"] = round(time.monotonic() - start, 2)
        return record

    def _start(self) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sweep.worker", str(self._memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        return self._process

    def _stop(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def _resident(self) -> float:
        """The memory of the worker, in MiB."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(t for t in status.splitlines() if t.startswith("VmRSS:")).split()[1]) / 1024


def _ending(code: int | None, answered: object) -> str:
    if not answered:
        return "no answer in time"
    name = signal.Signals(-code).name if code is not None and code < 0 else f"exit status {code}"
    return f"the process ended: {name}"
