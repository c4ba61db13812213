"""The folder of a thread that still works when Python ends stays, and none is left otherwise."""

import pytest

from gluon_neuron.targets.scratch import scratch_folder
from tests.nets import run_python


def test_it_is_removed_whatever_happens():
    with pytest.raises(KeyError), scratch_folder() as folder:
        (folder / "file").write_text("x")
        raise KeyError
    assert not folder.exists()


def test_a_thread_that_works_when_python_ends():
    code = """
        import atexit, threading, time

        # What is registered first is called last: MXNet waits for its threads there.
        atexit.register(lambda: print(at[0].exists(), end_of_work.set(), thread.join(60), at[0].exists()))
        from gluon_neuron.targets.scratch import scratch_folder
        at, inside, end_of_work = [], threading.Event(), threading.Event()

        def work():
            with scratch_folder() as folder:
                at.append(folder)
                inside.set()
                end_of_work.wait(60)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        inside.wait(60)
    """
    assert run_python(code) == "True None None False\n"
