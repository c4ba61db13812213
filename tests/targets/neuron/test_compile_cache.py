"""The compile cache: whole entries or none, locks that end with their holder, a bound that it keeps."""

import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from gluon_neuron.errors import CacheError, CompileError
from gluon_neuron.targets.neuron.compile_cache import DEFAULT_SIZE, Cache, bound, directory, key_of
from tests.doubles.install import ROOT


def key(number):
    return key_of({"number": number})


def filled(folder, *numbers, size=1000):
    """A cache with a program of `size` bytes for each number, used one second after the other, a day ago."""
    cache = Cache(folder)
    for i, number in enumerate(numbers):
        cache.put(key(number), bytes(size), {"number": number})
        used = time.time() - 86400 + i
        os.utime(cache._path(key(number)) / "entry.json", (used, used))
    return cache


def numbers(cache):
    return [e.about["number"] for e in cache.entries()]


def test_what_is_kept_comes_back(tmp_path, caplog):
    caplog.set_level(logging.INFO, "gluon_neuron")
    cache = Cache(tmp_path / "new" / "place")
    assert cache.get(key(1)) is None
    cache.put(key(1), b"program", {"target": "inf2"})
    assert cache.get(key(1)) == (b"program", {"target": "inf2"})
    assert f"miss, key {key(1)}" in caplog.text and f"hit, key {key(1)}" in caplog.text


def test_a_key_does_not_depend_on_order():
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1}) != key_of({"a": 1, "b": [3]})


@pytest.mark.parametrize("damage", ["program", "about", "no program"])
def test_a_damaged_entry_counts_as_none_and_goes(damage, tmp_path, caplog):
    cache = filled(tmp_path, 1)
    path = cache._path(key(1))
    if damage == "program":
        (path / "file.neff").write_bytes(b"other")
    elif damage == "about":
        (path / "entry.json").write_text("{")
    else:
        (path / "file.neff").unlink()
    assert cache.get(key(1)) is None
    if damage != "no program":
        assert not path.exists() and "damaged" in caplog.text
    cache.put(key(1), b"new", {})
    assert cache.get(key(1)) == (b"new", {})


def hashed(**changes):
    digest = hashlib.sha256(bytes(1000)).hexdigest()
    made = {"key": key(1), "sha256": digest, "about": {}, **changes}
    return json.dumps({n: v for n, v in made.items() if v is not None})


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "[]",
            "null",
            "1",
            '"text"',
            "[" * 100000,
            "\x00\x01",
            hashed(about=None),
            hashed(about=1),
            hashed(about=[]),
        ),
        *(hashed(key=None), hashed(key=key(2)), hashed(sha256=None), hashed(sha256=5)),
    ],
)
def test_foreign_and_garbled_entries_count_as_none(text, tmp_path, caplog):
    cache = filled(tmp_path, 1, 3)
    (cache._path(key(1)) / "entry.json").write_text(text)
    assert key(3) in [e.key for e in cache.entries()]
    assert cache.get(key(1)) is None and "damaged" in caplog.text
    cache.put(key(1), b"new", {})
    assert cache.get(key(1)) == (b"new", {})
    assert cache.prune(0, keep=key(1)) and not cache.clear()[1:]


@pytest.mark.parametrize("kind", ["file", "link", "folder in the place of a file"])
def test_what_is_no_entry_gives_way(kind, tmp_path):
    cache = filled(tmp_path, 1)
    path = cache._path(key(1))
    if kind == "folder in the place of a file":
        (path / "file.neff").unlink()
        (path / "file.neff").mkdir()
    else:
        shutil.rmtree(path)
        path.write_text("x") if kind == "file" else path.symlink_to(tmp_path / "absent")
    assert cache.get(key(1)) is None
    cache.put(key(1), b"new", {})
    assert cache.get(key(1)) == (b"new", {})


def test_the_least_recently_used_go_first(tmp_path):
    cache = filled(tmp_path, 1, 2, 3)
    assert cache.get(key(1)) is not None  # and is the one used last now
    assert numbers(cache) == [1, 3, 2]
    assert [e.about["number"] for e in cache.prune(2 * cache.entries()[0].size)] == [2]
    assert numbers(cache) == [1, 3]


def test_writing_keeps_the_bound_but_never_drops_what_was_written(tmp_path):
    filled(tmp_path, 1, 2)
    cache = Cache(tmp_path, size=3000)
    cache.put(key(3), bytes(1000), {"number": 3})
    assert numbers(cache) == [3, 2]
    cache.put(key(4), bytes(9000), {"number": 4})
    assert numbers(cache) == [4]


def test_clear(tmp_path):
    cache = filled(tmp_path, 1, 2)
    assert len(cache.clear()) == 2
    assert cache.entries() == [] and cache.get(key(1)) is None


def test_an_entry_is_there_at_once_or_not_at_all(tmp_path):
    """Readers during many rewrites see the one or the other program, whole."""
    cache = filled(tmp_path, 1)
    stop, seen, wrong = threading.Event(), 0, []

    def read():
        nonlocal seen
        while not stop.is_set():
            path = cache._path(key(1))
            try:
                data = (path / "file.neff").read_bytes()
                json.loads((path / "entry.json").read_text())
            except FileNotFoundError:
                continue
            seen += 1
            if len(data) not in (1000, 500_000):
                wrong.append(len(data))

    thread = threading.Thread(target=read)
    thread.start()
    for i in range(40):
        cache.put(key(1), bytes(500_000 if i % 2 else 1000), {})
    stop.set()
    thread.join()
    assert seen and not wrong


def test_what_a_killed_writer_left_is_no_entry_and_goes_in_time(tmp_path):
    cache = filled(tmp_path, 1)
    left = cache._path(key(1)).parent / ".abandoned"
    left.mkdir()
    (left / "entry.json").write_text('{"key": "x", "about": {"number": 9}}')
    assert numbers(cache) == [1]
    cache.prune(DEFAULT_SIZE)
    assert left.exists()
    os.utime(left, (time.time() - 7200,) * 2)
    cache.prune(DEFAULT_SIZE)
    assert not left.exists() and numbers(cache) == [1]


HOLD = """
import sys, time
from pathlib import Path
from tests.doubles.command_line import leave_mxnet_out
leave_mxnet_out()
from gluon_neuron.targets.neuron.compile_cache import Cache
with Cache(Path(sys.argv[1])).locked(sys.argv[2]):
    print("held", flush=True)
    time.sleep(100)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), key(1)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_ends_with_a_killed_holder(tmp_path, holder):
    cache = Cache(tmp_path)
    with cache.locked(key(2)):
        pass
    with pytest.raises(CompileError, match="while it waited"), cache.locked(key(1), lambda: True):
        pass
    threading.Timer(0.3, holder.send_signal, [signal.SIGKILL]).start()
    with cache.locked(key(1)):
        assert holder.wait() == -signal.SIGKILL


def test_threads_of_one_process_wait_for_each_other(tmp_path):
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        with Cache(tmp_path).locked(key(1)):
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert most == 1


@pytest.mark.parametrize("url", ["/var/tmp/c", "file:///var/tmp/c"])
def test_a_local_place(url):
    assert str(directory(None, {"NEURON_COMPILE_CACHE_URL": url})) == "/var/tmp/c"
    assert str(directory("/other", {"NEURON_COMPILE_CACHE_URL": url})) == "/other"


def test_without_a_place_it_is_the_users(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert str(directory(None, {})) == "/somewhere/gluon_neuron/neuron"


@pytest.mark.parametrize("url", ["s3://bucket/x", "https://example.org/c"])
def test_a_place_that_is_not_local(url):
    with pytest.raises(CacheError, match=f"{url}.*NEURON_COMPILE_CACHE_URL to a local path"):
        directory(None, {"NEURON_COMPILE_CACHE_URL": url})


@pytest.mark.parametrize(
    ("text", "size"), [("", DEFAULT_SIZE), ("123", 123), ("500M", 500 * 2**20), ("1.5 GiB", 3 * 2**29)]
)
def test_bound(text, size):
    assert bound({"GLUON_NEURON_CACHE_SIZE": text}) == size


def test_a_bound_that_cannot_be_read():
    with pytest.raises(CacheError, match="GLUON_NEURON_CACHE_SIZE is 'much'"):
        bound({"GLUON_NEURON_CACHE_SIZE": "much"})


def test_a_place_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="cannot be used"), Cache(tmp_path / "file").locked(key(1)):
        pass
