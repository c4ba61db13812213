"""Files take their places whole: beside what killed processes left, what living ones write, and through links."""

import os
import re
import signal
import stat
import time

import pytest

from gluon_neuron.stitch import in_place


def put(folder, content, names=("a", "b")):
    in_place.put([(folder / n, lambda part: part.write_text(content)) for n in names])


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def in_child(action):
    """The process number of a child that runs the action and is then killed, or sleeps."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(1)
    return child


def killed_at(monkeypatch_of_os, folder, at):
    """A child that is killed just before its call number `at` of os.replace."""
    replace, done = os.replace, []

    def dying(source, target):
        if len(done) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(target)
        replace(source, target)

    def action():
        setattr(os, monkeypatch_of_os, dying)
        put(folder, "killed")

    return os.waitpid(in_child(action), 0)


def test_writes_all_and_leaves_nothing_beside(tmp_path):
    for content in ("one", "two"):
        put(tmp_path, content)
        assert names(tmp_path) == ["a", "b"]
        assert [(tmp_path / n).read_text() for n in "ab"] == [content] * 2


@pytest.mark.parametrize("at", [0, 1])
def test_what_a_killed_process_left_goes_with_the_next(tmp_path, at):
    put(tmp_path, "before")
    _, status = killed_at("replace", tmp_path, at)
    assert status == signal.SIGKILL
    assert len(names(tmp_path)) > 2
    put(tmp_path, "after", names=["another"])
    assert names(tmp_path) == ["a", "another", "b"]
    assert (tmp_path / "b").read_text() == "before"


def test_what_a_living_process_writes_stays(tmp_path):
    def slowly(part):
        part.write_text("living")
        (tmp_path / "begun").touch()
        while not (tmp_path / "go").exists():
            time.sleep(0.01)

    child = in_child(lambda: (signal.alarm(30), in_place.put([(tmp_path / "a", slowly)]), os._exit(0)))
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    part = [n for n in names(tmp_path) if n.startswith(".")]
    assert len(part) == 1
    put(tmp_path, "other")
    assert part[0] in names(tmp_path)
    (tmp_path / "go").touch()
    assert os.waitpid(child, 0)[1] == 0
    assert (tmp_path / "a").read_text() == "living"
    assert names(tmp_path) == ["a", "b", "begun", "go"]


@pytest.mark.parametrize(
    "name", [".a.xyz", ".gluon_neuron-part-", ".gluon_neuron-part-0123", "gluon_neuron-part-0123456789abcdef"]
)
def test_what_only_looks_alike_stays(tmp_path, name):
    (tmp_path / name).write_text("the user's")
    put(tmp_path, "new")
    assert (tmp_path / name).read_text() == "the user's"


def test_a_folder_of_such_a_name_stays(tmp_path):
    (tmp_path / ".gluon_neuron-part-0123456789abcdef").mkdir()
    put(tmp_path, "new")
    assert ".gluon_neuron-part-0123456789abcdef" in names(tmp_path)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("relative", [True, False])
def test_a_link_stays_and_its_file_is_replaced(tmp_path, there, relative):
    real = tmp_path / "real"
    real.mkdir()
    if there:
        (real / "target").write_text("old")
    (tmp_path / "a").symlink_to("real/target" if relative else real / "target")
    put(tmp_path, "new")
    assert (tmp_path / "a").is_symlink()
    assert (real / "target").read_text() == "new"
    assert names(real) == ["target"]
    assert names(tmp_path) == ["a", "b", "real"]


@pytest.mark.parametrize("to", ["nowhere/target", "a"])
def test_a_link_to_no_place_is_an_error(tmp_path, to):
    (tmp_path / "a").symlink_to(to)
    with pytest.raises(OSError, match="No such file|Too many levels"):
        put(tmp_path, "new")
    assert names(tmp_path) == ["a"]


def test_modes_are_kept(tmp_path):
    put(tmp_path, "old")
    (tmp_path / "a").chmod(0o640)
    put(tmp_path, "new")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_file_system_without_links(tmp_path, monkeypatch):
    put(tmp_path, "old")

    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    replace, done = os.replace, []

    def failing(source, target):
        if len(done) == 1:
            done.append(0)
            raise OSError(28, "No space left on device")
        done.append(0)
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="No space"):
        put(tmp_path, "new")
    assert [(tmp_path / n).read_text() for n in "ab"] == ["old"] * 2
    assert names(tmp_path) == ["a", "b"]


def test_names_are_never_too_long(tmp_path):
    name = "n" * 255
    put(tmp_path, "new", names=[name])
    assert names(tmp_path) == [name]
    assert re.fullmatch("n+", name)


def test_an_error_names_the_file_that_was_to_be_written(tmp_path):
    path = tmp_path / "none" / "a.txt"
    with pytest.raises(FileNotFoundError) as raised:
        in_place.put([(path, lambda part: part.write_text("a"))])
    assert raised.value.filename == str(path) and "-part-" not in str(raised.value)
