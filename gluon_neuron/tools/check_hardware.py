"""`gluon-neuron check-hardware`: tries everything on this machine's NeuronCores, and writes a report to send back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..engine.devices import devices
from ..errors import ExportError, OptionError, nearest
from .installed import environment, versions

_SECONDS = 3600
_NO_RUNTIME = {"GLUON_NEURON_NRT": os.devnull, "GLUON_NEURON_STRICT": "0"}
_STRICT = {"GLUON_NEURON_STRICT": "1"}


@dataclass(frozen=True)
class Outcome:
    """What became of one check of one model."""

    check: str
    model: str
    passed: bool
    seconds: float
    facts: Mapping[str, Any]

    @property
    def short(self) -> str:
        """The facts that fit a line of a table."""
        kept = {k: v for k, v in self.facts.items() if k not in ("passed", "report", "log")}
        return "; ".join(f"{k} {v:.2g}" if isinstance(v, float) else f"{k} {v}" for k, v in kept.items())


def check_hardware(
    output: str | os.PathLike[str],
    target: str | None = None,
    models: Sequence[str] = (),
    checks: Sequence[str] = (),
) -> tuple[str, bool]:
    """Run the checks, each in its own process; write report.md, report.json and logs to a new directory.

    Without `target` it is the machine's chip. Returns the report, and whether all passed. Raises ExportError when the
    directory exists or cannot be written, OptionError without a chip and for names that are not there.
    """
    from .hardware_checks import CHECKS, MODELS

    place = Path(output)
    if place.exists():
        raise ExportError(f"{place} exists already; give the name of a new directory.")
    for name in checks:
        if name not in CHECKS:
            raise OptionError(f"There is no check {name!r}.{nearest(name, CHECKS)} They are {', '.join(CHECKS)}.")
    found = devices()
    chip = target or found.chip
    if chip is None or chip == "cpu":
        raise OptionError(f"There is no Neuron chip to be checked here; name one with --target if there is.\n{found}")
    try:
        place.mkdir(parents=True)
    except OSError as error:
        raise ExportError(f"{place} cannot be written: {error}.") from error
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="gluon_neuron-check-") as folder:
        for model in models or MODELS:
            for check in checks or CHECKS:
                outcomes.append(_run(check, model, chip, folder, place))
                last = outcomes[-1]
                print(f"{'passed' if last.passed else 'FAILED'}  {check} of {model}: {last.short}", flush=True)
    text = _markdown(chip, str(found), outcomes)
    (place / "report.md").write_text(text, encoding="utf-8")
    record = {
        "target": chip,
        "devices": asdict(found),
        "versions": {**versions(), **_tools()},
        "environment": dict(environment()),
        "outcomes": [asdict(o) for o in outcomes],
    }
    (place / "report.json").write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    return text, all(o.passed for o in outcomes)


def _run(check: str, model: str, target: str, folder: str, place: Path) -> Outcome:
    command = [sys.executable, "-m", "gluon_neuron.tools.hardware_checks", check, model, target, folder]
    extra = _NO_RUNTIME if check == "runs_on_cpu" else _STRICT
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, env={**os.environ, **extra}, check=False
        )
        log, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        log, status, done = f"{error}", 124, None
    seconds = round(time.perf_counter() - start, 1)
    (place / f"{check}-{model}.log").write_text(log, encoding="utf-8")
    if done is not None and status == 0:
        facts = json.loads(done.stdout.strip().splitlines()[-1])
    else:
        lines = log.strip().splitlines() or ["it said nothing"]
        facts = {"passed": False, "status": status, "error": lines[-1]}
    return Outcome(check, model, bool(facts["passed"]), seconds, facts)


def _tools() -> dict[str, str]:
    found = {}
    for tool in ("neuronx-cc", "neuron-cc"):
        path = shutil.which(tool)
        if path:
            done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=120, check=False)
            found[f"{tool} on PATH"] = (done.stdout + done.stderr).strip()
    return found


def _markdown(target: str, found: str, outcomes: Sequence[Outcome]) -> str:
    from tabulate import tabulate

    rows = [(o.model, o.check, "passed" if o.passed else "FAILED", o.seconds, o.short) for o in outcomes]
    table = tabulate(rows, ("model", "check", "", "s", "found"), tablefmt="github")
    count = sum(o.passed for o in outcomes)
    reports = [f"## {o.model}\n\n```\n{o.facts['report']}\n```\n" for o in outcomes if "report" in o.facts]
    head = f"# gluon_neuron on {target}: {count} of {len(outcomes)} checks passed\n"
    return "\n".join([head, f"```\n{found}\n```\n", table, "", *reports])
