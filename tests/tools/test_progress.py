"""Progress: phases on a terminal, nothing elsewhere."""

from __future__ import annotations

import io

from gluon_neuron.compiler.phases import begins
from gluon_neuron.tools.progress import shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for target in ("cpu", "inf2"):
        with shown(f"Compiling [net] for {target}", target):
            for phase in ("export", "infer", "partition", "compile", "stitch", "load", "partition", "compile"):
                begins(phase)
    assert "Compiling [net] for cpu: " in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_elsewhere(capsys):
    with shown("Compiling net", "cpu"):
        begins("compile")
    assert capsys.readouterr() == ("", "")
