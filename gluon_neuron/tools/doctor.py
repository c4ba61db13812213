"""`gluon-neuron doctor`: what is installed, what is wrong, and what to do, however broken the libraries are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from .answer import Answer
from .ending import DONE, FOUND
from .installed import environment, versions
from .probes import MARK

_SECONDS = 300


@dataclass(frozen=True)
class Part:
    """Something that is looked at: its probe, what it is called, whether everything needs it, what to do, and which
    probes' parts it needs itself."""

    probe: str
    title: str
    needed: bool
    remedy: str
    needs: tuple[str, ...] = ()


_ALL = ("numpy", "mxnet", "openvino", "operator")

PARTS = (
    Part("numpy", "NumPy", True, "pip install --force-reinstall numpy"),
    Part("mxnet", "MXNet", True, "pip install requests && pip install --no-deps mxnet==1.9.1", ("numpy",)),
    Part("openvino", "OpenVINO", True, "pip install --force-reinstall 'openvino>=2026.4,<2027'", ("numpy",)),
    Part("operator", "native operator", True, "install gluon_neuron again; in a source tree: make native", ("mxnet",)),
    Part("compiling", "compiling for the CPU", True, "report this, with gluon-neuron gather-info", _ALL),
    Part("chips", "Neuron chips", True, "see docs/neuron.md, or compile with --target cpu"),
    Part("cache", "compile cache", True, "set NEURON_COMPILE_CACHE_URL to a directory that can be written"),
    Part(
        "jax",
        "jax, for inf2, trn1 and trn2",
        False,
        "pip install '.[neuronx]' in gluon_neuron's source tree",
        ("numpy",),
    ),
    Part(
        "gluoncv",
        "GluonCV, for its models",
        False,
        "pip install '.[gluoncv]' in gluon_neuron's source tree",
        ("mxnet",),
    ),
)


@dataclass(frozen=True)
class Finding:
    """What came of a part: "works", "missing" (and nothing needs it), "wrong", or "waits" for another that is; and what
    is to be said of it."""

    part: Part
    state: str
    said: str

    def __str__(self) -> str:
        line = f"{self.state:<8} {self.part.title}: {self.said}"
        return line if self.state in ("works", "waits") else f"{line}\n         To do: {self.part.remedy}."


def doctor(parts: Sequence[Part] = PARTS) -> Answer:
    """Try the parts, each in a process of its own; the Answer's status says whether something is wrong."""
    with ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)))) as pool:
        findings = _in_order(list(pool.map(_look, parts)))
    wrong = [f for f in findings if f.state == "wrong"]
    known, variables = versions(), dict(environment())
    lines = [
        f"gluon_neuron {known['gluon_neuron']}, Python {known['python']} ({sys.executable})",
        f"{known['system']}, {known['processor'] or 'processor not known'}, {known['cores']} cores",
        *(f"{name}={value}" for name, value in variables.items()),
        "",
        *map(str, findings),
        "",
        f"Wrong: {len(wrong)} of {len(findings)}." if wrong else "Nothing is wrong.",
    ]
    data = {
        "versions": known,
        "python": sys.executable,
        "environment": variables,
        "parts": [asdict(f.part) | {"state": f.state, "said": f.said} for f in findings],
        "problems": len(wrong),
    }
    return Answer("\n".join(lines), data, FOUND if wrong else DONE)


def _in_order(findings: Sequence[Finding]) -> list[Finding]:
    """What cannot work because another part does not waits for that one."""
    found: dict[str, Finding] = {}
    for finding in findings:
        part = finding.part
        lacks = [found[n].part.title for n in part.needs if n in found and found[n].state not in ("works", "missing")]
        if finding.state == "wrong" and lacks:
            finding = Finding(part, "waits", f"it needs {' and '.join(lacks)}")
        found[part.probe] = finding
    return list(found.values())


def _look(part: Part) -> Finding:
    # The same places for modules as here: `-c` alone would add the working directory.
    code = f"import sys; sys.path[:] = {sys.path!r}; from gluon_neuron.tools.probes import main; main({part.probe!r})"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(part, "wrong", f"it has not answered within {_SECONDS} seconds")
    result = next((line for line in done.stdout.splitlines() if line.startswith(MARK)), None)
    # One that answers and crashes when it ends is broken as well.
    if result is not None and done.returncode == 0:
        return Finding(part, "works", json.loads(result.removeprefix(MARK)))
    if done.returncode < 0:
        return Finding(part, "wrong", f"it crashed: {_signal(-done.returncode)}")
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    error, _, said = last.partition(": ")
    if not part.needed and (error == "ModuleNotFoundError" or "No module named" in last):
        return Finding(part, "missing", "not installed")
    told = said if error.rpartition(".")[2] in ("AssertionError", "CompilerMissingError") else last
    return Finding(part, "wrong", told)


def _signal(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} ({signal.strsignal(number)})"
    except ValueError:
        return f"signal {number}"
