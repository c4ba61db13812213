"""The commands of the pages exist, and take the options that the pages give them."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from gluon_neuron.tools.cli import app
from tests.docs.fences import ROOT, every_fence

FROM_ELSEWHERE = {"bash", "cat", "cmake", "ctest", "curl", "jq", "multi-model-server", "neuron-profile", "source"}
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
SETTING = re.compile(r"[A-Z_]+=")
_HERE = re.compile(r"<<(\w+)\n.*?^\1$", re.M | re.S)


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command of a script: without what is set before it, comments and the texts that it is given."""
    text = _HERE.sub("", text).replace("\\\n", " ")
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split = True
        words = list(lexer)
        while words:
            end = next((i for i, w in enumerate(words) if set(w) <= set("&|;")), len(words))
            command, words = words[:end], words[end + 1 :]
            command = [w for i, w in enumerate(command) if not SETTING.match(w) or i]
            cut = next((i for i, w in enumerate(command) if set(w) <= set("<>")), len(command))
            if command[:cut]:
                yield command[:cut]


def what_is_wrong(words: list[str]) -> str | None:
    """Why a command of a page cannot be what it says, or None."""
    name, *rest = words
    if name == "gluon-neuron":
        return wrong_options(rest)
    if name == "make":
        unknown = [w for w in rest if "=" not in w and w not in TARGETS]
        return f"no target {unknown}" if unknown else None
    if name.endswith("python") and rest[:1] == ["-m"]:
        return None if importlib.util.find_spec(rest[1]) else f"no module {rest[1]}"
    if name == "bash" and not (ROOT / rest[0]).is_file():
        return f"no file {rest[0]}"
    if name == "pip":
        return None if rest[:1] == ["install"] else f"pip {rest}"
    return None if name in FROM_ELSEWHERE else f"no command {name}"


def wrong_options(words: list[str]) -> str | None:
    """As `what_is_wrong` for the words behind `gluon-neuron`; its options are parsed, and no value is looked at."""
    group = typer.main.get_command(app)
    if words[0].startswith("-"):
        known = {o for p in group.params for o in p.opts}
        return None if words[0] in known else f"no option {words[0]}"
    command = group.commands.get(words[0])
    if command is None:
        return f"no command {words[0]}"
    context = command.context_class(command, info_name=words[0])
    try:
        command.make_parser(context).parse_args(list(words[1:]))
    except Exception as error:
        return str(getattr(error, "message", error) or type(error).__name__)
    return None


@pytest.mark.parametrize("fence", [f for f in every_fence() if f.language == "sh"], ids=str)
def test_commands(fence):
    found = list(commands(fence.text))
    assert found
    assert [(" ".join(words), wrong) for words in found if (wrong := what_is_wrong(words))] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("gluon-neuron compile net --shapes data:1", True),
        ("gluon-neuron compil net", True),
        ("gluon-neuron run out/net cat.jpg --top 3  # a comment", False),
        ("make nothing", True),
        ("A=b make venv", False),
        ("python -m benchmarks.nothing", True),
        ("bash examples/nothing.sh", True),
        ("frobnicate", True),
        ("gluon-neuron inspect net --json | jq .", False),
        ("gluon-neuron inspect net | frobnicate", True),
    ],
)
def test_what_is_wrong(line, wrong):
    assert any(what_is_wrong(words) for words in commands(line)) == wrong
