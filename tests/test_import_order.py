"""MXNet gets the operator right after its own import, whoever imports it, however, and in whatever order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nets import run_python

READY = (
    "import mxnet as mx; from gluon_neuron.runtime import registration; "
    "assert mx.contrib.neuron and mx.neuron(1) and registration.is_registered(); print('ready')"
)


@pytest.mark.parametrize(
    "first",
    [
        "import gluon_neuron",
        "import mxnet; import gluon_neuron",
        "import gluon_neuron; from mxnet import gluon",
        "import gluon_neuron; import importlib.util; assert importlib.util.find_spec('mxnet')",
        "import gluon_neuron; gluon_neuron.compile",
        "import gluon_neuron, mx_neuron",
        # Any of our modules may be the first that imports MXNet.
        "import gluon_neuron.runtime.placement",
        "import gluon_neuron.compat.context",
        "import gluon_neuron.block",
        "import gluon_neuron, importlib; importlib.reload(gluon_neuron)",
        "import gluon_neuron, sys; [sys.modules.pop(n) for n in list(sys.modules) if n.startswith('gluon_neuron')]; "
        "import gluon_neuron",
    ],
)
def test_either_order(first):
    assert run_python(f"{first}\n{READY}") == "ready\n"


def test_looking_for_mxnet_does_not_import_it():
    code = """
    import sys, importlib.util, gluon_neuron
    for _ in range(2):
        assert importlib.util.find_spec("mxnet").name == "mxnet"
    assert "mxnet" not in sys.modules
    import mxnet
    print(type(mxnet.__spec__.loader).__name__, type(mxnet.__loader__).__name__)
    """
    assert run_python(code) == "SourceFileLoader SourceFileLoader\n"


def test_an_import_that_fails_can_be_tried_again(tmp_path):
    """As after an installation in a running notebook."""
    broken = tmp_path / "mxnet"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('half installed')")
    code = f"""
    import sys, importlib
    sys.path.insert(0, {str(tmp_path)!r})
    import gluon_neuron
    for _ in range(2):
        try:
            import mxnet
        except ImportError as error:
            assert str(error) == "half installed"
        else:
            raise AssertionError("it was imported")
    sys.path.remove({str(tmp_path)!r})
    importlib.invalidate_caches()
    {READY}
    """
    assert run_python(code) == "ready\n"


@pytest.mark.parametrize(
    "names",
    [
        ("mxnet", "gluon_neuron"),
        ("gluon_neuron.api", "mxnet", "gluon_neuron.runtime.session", "gluon_neuron"),
        # What MXNet's import is followed by, which then waits for a thread that waits for MXNet.
        ("gluon_neuron.runtime.registration", "mxnet", "gluon_neuron.compat.neuron"),
    ],
)
def test_threads_that_import_at_once(names):
    code = f"""
    import faulthandler, importlib, sys, threading, time
    faulthandler.dump_traceback_later(120, exit=True)
    sys.setswitchinterval(1e-5)
    start = threading.Barrier({len(names)})
    def run(name):
        start.wait()
        try:
            importlib.import_module(name)
        except BaseException as error:
            failed.append(error)
    failed = []
    threads = [threading.Thread(target=run, args=(n,)) for n in {names}]
    for t in threads: t.start()
    for t in threads: t.join()
    assert not failed, failed
    import gluon_neuron, mxnet as mx
    end = time.monotonic() + 60
    while not hasattr(mx, "neuron") and time.monotonic() < end:
        time.sleep(0.01)
    {READY}
    """
    for _ in range(2):
        assert run_python(code) == "ready\n"


def test_a_library_that_is_missing_is_a_warning(tmp_path):
    code = """
    import warnings, gluon_neuron
    from pathlib import Path
    from gluon_neuron.engine import native_library
    native_library.FILE = Path("/nonexistent/libgluon_neuron.so")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import mxnet as mx
    (said,) = [w for w in caught if issubclass(w.category, RuntimeWarning)]
    assert "Compiled models cannot run in this process: The native operator" in str(said.message)
    assert mx.nd.ones(1).asscalar() == 1
    print("done")
    """
    assert run_python(code) == "done\n"


def test_importing_is_quick_because_it_imports_little():
    # No limit on the time: what it imports is what takes it.
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import gluon_neuron"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
        env={k: v for k, v in os.environ.items() if not k.startswith("COV")},
    )
    names = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "gluon_neuron" in names
    assert not {"numpy", "mxnet", "openvino", "jax", "tqdm", "tabulate", "asyncio", "multiprocessing"} & names
