"""docs/command-line.md names every command and every status, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from gluon_neuron.tools.cli import app
from gluon_neuron.tools.ending import STATUSES

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


def rows(heading):
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `?([\w-]+)`? \| (.*) \|$", table, re.M))


def test_commands():
    assert set(rows("command")) == {c.name for c in app.registered_commands}


def test_statuses():
    found = rows("status")
    assert {int(s) for s in found} == set(STATUSES)
    for status, meaning in STATUSES.items():
        assert found[str(status)].startswith(meaning.partition(":")[0])


def test_options():
    group = typer.main.get_command(app)
    known = {o for c in [group, *group.commands.values()] for p in c.params for o in p.opts}
    named = set(re.findall(r"--[a-z][a-z-]*", PAGE)) - {"--help"}
    assert named and named <= known
