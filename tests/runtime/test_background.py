"""The thread that nobody waits for: one thing after the other, errors, forks, the end of the process."""

import logging
import os
import threading
import time

import pytest

from gluon_neuron.runtime import background
from tests.nets import run_python


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    monkeypatch.setattr(background, "_PATIENCE", 0)
    monkeypatch.setattr(background, "_REST", 0.1)
    assert background.wait()
    yield
    assert background.wait()


def test_one_after_the_other_on_one_thread():
    done, inside = [], threading.Lock()

    def job(i):
        assert inside.acquire(blocking=False)
        done.append((i, threading.current_thread().name))
        inside.release()

    for i in range(5):
        background.submit(i, lambda i=i: job(i))
    assert background.wait()
    assert done == [(i, "gluon_neuron programs") for i in range(5)]


def test_a_key_waits_once_and_the_oldest_is_forgotten():
    held, begun, done = threading.Event(), threading.Event(), []
    background.submit("first", lambda: (begun.set(), held.wait(30)))
    assert begun.wait(30)
    for i in range(background.MOST + 3):
        background.submit(i, lambda i=i: done.append(i))
        background.submit(i, lambda: done.append("twice"))
    assert background.waiting() == background.MOST
    assert not background.wait(0.01)
    held.set()
    assert background.wait()
    assert done == list(range(3, background.MOST + 3))


def test_an_error_is_logged_and_the_next_thing_is_done(caplog):
    done = []
    with caplog.at_level(logging.ERROR):
        background.submit("wrong", lambda: 1 / 0)
        background.submit("right", lambda: done.append(1))
        assert background.wait()
    assert done and "ZeroDivisionError" in caplog.text


def test_where_no_thread_can_be_started_nothing_is_done(monkeypatch):
    """As at the end of Python, from 3.12 on."""
    for _ in range(100):  # an earlier one ends when it has had nothing to do
        if background._state.thread is None:
            break
        time.sleep(0.1)

    def start(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    done = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        background.submit("lost", lambda: done.append("lost"))
        assert background.waiting() == 0
    background.submit("found", lambda: done.append("found"))
    assert background.wait()
    assert done == ["found"]


def test_a_forked_child_has_a_thread_of_its_own():
    held, begun = threading.Event(), threading.Event()
    background.submit("parent's", lambda: (begun.set(), held.wait(30)))
    assert begun.wait(30)
    background.submit("parent's next", lambda: None)
    child = os.fork()
    if child == 0:
        done = []
        background.submit("child's", lambda: done.append(1))
        os._exit(0 if background.wait(20) and done == [1] else 1)
    held.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_end_of_the_process_waits_for_what_runs_and_forgets_the_rest():
    code = """
        import threading, time
        from gluon_neuron.runtime import background
        begun = threading.Event()
        background.submit(1, lambda: (begun.set(), time.sleep(0.2), print("ran")))
        background.submit(2, lambda: print("not wanted"))
        begun.wait(30)
    """
    assert run_python(code) == "ran\n"
