"""The machine's Neuron hardware, by device files, neuron-ls and the type of instance."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import native_library

INSTANCE = "GLUON_NEURON_INSTANCE"
"""The variable that says the type of instance where the machine does not, as in some containers ("inf2.xlarge")."""

_CHIPS: Mapping[str, str] = json.loads(Path(__file__).with_name("chips.json").read_text())
"""By family of instances, its chip; the native library is built with the same table."""
_DEVICE = re.compile(r"neuron\d+")


@dataclass(frozen=True)
class Sources:
    """Where to look."""

    dev: Path = Path("/dev")
    product_name: Path = Path("/sys/devices/virtual/dmi/id/product_name")
    neuron_ls: str | None = None
    """The command; by default the one on PATH, or where AWS installs it."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


@dataclass(frozen=True)
class Process:
    """A process that has a device open."""

    pid: int
    command: str
    runtime: str


@dataclass(frozen=True)
class Device:
    """One Neuron device, as neuron-ls describes it; `cores` are the numbers of its NeuronCores."""

    number: int
    cores: tuple[int, ...]
    memory: int
    connected_to: tuple[int, ...] = ()
    processes: tuple[Process, ...] = ()


@dataclass(frozen=True)
class Devices:
    """What there is.

    `chip` is the target that fits (None: no chip, or none that can be told); `files` the device files; `devices` what
    neuron-ls says; `library` the path of libnrt (None: not found); `visible` the number of NeuronCores that this
    process may use and `free` of those that no model of it uses (None: not known); `notes` what else was found, in
    sentences.
    """

    chip: str | None
    instance: str
    files: tuple[str, ...]
    devices: tuple[Device, ...]
    library: str | None
    total: int | None
    visible: int | None
    free: int | None
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"Instance: {self.instance or 'not known'}; chip: {self.chip or 'none'}",
            f"Device files: {', '.join(self.files) or 'none'}",
            f"Neuron runtime: {self.library or 'none'}",
            f"NeuronCores: {_count(self.total)}, {_count(self.visible)} for this process, {_count(self.free)} free",
        ]
        for d in self.devices:
            users = ", ".join(f"{p.pid} {p.command}" for p in d.processes)
            cores = ", ".join(map(str, d.cores))
            used = f", used by {users}" if users else ""
            lines.append(f"neuron{d.number}: cores {cores}, {d.memory / 2**30:.3g} GiB{used}")
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self) -> str:
        from ..pages.fragments import escaped, folded, table

        facts = [
            ("instance", self.instance or "not known"),
            ("chip", self.chip or "none"),
            ("device files", ", ".join(self.files) or "none"),
            ("Neuron runtime", self.library or "none"),
            ("NeuronCores", _count(self.total)),
            ("of these for this process", _count(self.visible)),
            ("of these free", _count(self.free)),
        ]
        parts = [table(("what there is", ""), facts)]
        if self.devices:
            rows = [
                (
                    *(f"neuron{d.number}", ", ".join(map(str, d.cores)), f"{d.memory / 2**30:.3g} GiB"),
                    ", ".join(f"{p.pid} {p.command}" for p in d.processes),
                )
                for d in self.devices
            ]
            parts.append(folded("Devices", table(("device", "cores", "memory", "used by"), rows)))
        parts += [f"<p>{escaped(note)}</p>" for note in self.notes]
        return f"<div>{''.join(parts)}</div>"


def devices(sources: Sources | None = None) -> Devices:
    """Look at the machine; starts no runtime, and takes no core from anybody."""
    where = sources or Sources()
    notes: list[str] = []
    instance = where.environ.get(INSTANCE, "") or _read(where.product_name)
    files = tuple(sorted(str(p) for p in where.dev.glob("neuron*") if _DEVICE.fullmatch(p.name)))
    found = _neuron_ls(where, notes)
    chip = _chip(instance, files, found, notes)
    runtime = native_library.neuron_runtime()
    if "why" in runtime and (files or chip):
        notes.append(f"{runtime['why'][:1].upper()}{runtime['why'][1:]}")
    total = runtime.get("total") or sum(len(d.cores) for d in found) or None
    visible = runtime.get("visible", _visible(where.environ, total, notes))
    if visible == -1:
        visible = None
        notes.append("The runtime cannot count the NeuronCores for this process: look at NEURON_RT_VISIBLE_CORES.")
    free = runtime.get("free", visible)
    return Devices(chip, instance, files, found, runtime.get("library"), total, visible, free, tuple(notes))


def _chip(instance: str, files: Sequence[str], found: Sequence[Device], notes: list[str]) -> str | None:
    named = _CHIPS.get(instance.partition(".")[0])
    if not files and not found:
        if named:
            notes.append(
                f"The instance is {instance}, but there is no device file /dev/neuron0: its driver is not installed "
                "(aws-neuronx-dkms), or the container was not given the device."
            )
        return None
    if named:
        return named
    # Inf2 and Trn1 have the same cores, so only the instance's name tells them apart.
    kinds = {(len(d.cores), d.memory >> 30) for d in found}
    if kinds == {(4, 8)}:
        return "inf1"
    if kinds and all(memory >= 90 for _, memory in kinds):
        return "trn2"
    notes.append(
        f"There are Neuron devices, but the type of instance ({instance or 'not readable'}) does not say of which "
        f"kind. Name the target, or set {INSTANCE}, as in {INSTANCE}=inf2.xlarge."
    )
    return None


def _neuron_ls(where: Sources, notes: list[str]) -> tuple[Device, ...]:
    command = where.neuron_ls or shutil.which("neuron-ls") or "/opt/aws/neuron/bin/neuron-ls"
    try:
        done = subprocess.run([command, "--json-output"], capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError:
        return ()
    except (OSError, subprocess.TimeoutExpired) as error:
        notes.append(f"{command} cannot be run: {error}.")
        return ()
    if done.returncode != 0:
        why = (done.stderr or done.stdout).strip().splitlines()
        notes.append(f"{command} ended with {done.returncode}: {why[-1] if why else 'it says nothing'}")
        return ()
    try:
        return tuple(_device(d) for d in json.loads(done.stdout))
    except (ValueError, KeyError, TypeError) as error:
        notes.append(f"{command} says what this version does not understand: {error!r}.")
        return ()


def _device(raw: Mapping[str, Any]) -> Device:
    number, count = int(raw["neuron_device"]), int(raw["nc_count"])
    cores = raw.get("neuroncore_ids") or range(number * count, (number + 1) * count)
    users = [
        Process(int(p["pid"]), str(p.get("command", "")), str(p.get("neuron_runtime_version", "")))
        for p in raw.get("neuron_processes") or ()
    ]
    peers = raw.get("connected_to") or ()
    return Device(number, tuple(map(int, cores)), int(raw["memory_size"]), tuple(map(int, peers)), tuple(users))


def _visible(environ: Mapping[str, str], total: int | None, notes: list[str]) -> int | None:
    listed = environ.get("NEURON_RT_VISIBLE_CORES", "")
    if listed:
        cores = visible_cores(listed)
        if cores is None:
            notes.append(f"NEURON_RT_VISIBLE_CORES={listed} is not a list of cores, such as 0, 1-3 or 0,2.")
        return None if cores is None else len(cores)
    wanted = environ.get("NEURON_RT_NUM_CORES", "")
    return int(wanted) if wanted.isdigit() and int(wanted) else total


def visible_cores(text: str) -> tuple[int, ...] | None:
    """The cores that NEURON_RT_VISIBLE_CORES names ("0", "1-3", "0,2-4"); None when it cannot be read."""
    cores: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if found is None or int(found[2] or found[1]) < int(found[1]):
            return None
        cores += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(cores)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _count(n: int | None) -> str:
    return "a number not known" if n is None else str(n)
