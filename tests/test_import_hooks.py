"""What follows MXNet's import happens once, whoever imports it first; `.pth` file, switch, and processes started."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PTH = "gluon_neuron_mxnet.pth"
LINE = 'import sys; exec("try:\\n import _gluon_neuron_hook\\nexcept ImportError:\\n pass")\n'
LACKS = sys.version_info >= (3, 12) or not hasattr(__import__("numpy"), "alltrue")


def run(command, **environment):
    """A process that has the environment's variables, but none that would help MXNet."""
    kept = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "GLUON_NEURON_NO_HOOK")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**kept, **environment})


def told(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def libraries(folder, *without):
    """A folder with what is installed here, but for what has one of these names."""
    folder.mkdir()
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(place).iterdir():
            if entry.suffix != ".pth" and not entry.name.startswith(("_gluon_neuron", "gluon_neuron", *without)):
                (folder / entry.name).symlink_to(entry)
    return folder


def source(folder):
    """A folder with this package alone, as an installation has it: not the whole checkout."""
    for name in ("gluon_neuron", "_gluon_neuron_hook"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The interpreter of an environment where the package and its .pth file are installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    site.rmdir()
    source(libraries(site))
    (site / PTH).write_text(LINE)
    return folder / "env" / "bin" / "python"


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A folder that `pip install --target` filled: it may be on the path, and .pth files are not read there."""
    return source(libraries(tmp_path_factory.mktemp("target") / "libraries"))


ARM = "libarmpl_lp64_mp.so"
FINDERS = "[type(f).__name__ for f in sys.meta_path].count('MxnetFinder')"


def test_mxnet_first(environment):
    code = f"import mxnet as mx, sys; print(mx.nd.ones(2).sum().asscalar(), {FINDERS}, 'gluon_neuron' in sys.modules)"
    assert told(run([environment, "-c", code])) == "2.0 1 False"


def test_the_package_after_mxnet(environment):
    code = f"import sys, mxnet as mx, gluon_neuron; print(mx.contrib.neuron.__name__, {FINDERS})"
    assert told(run([environment, "-c", code])) == "gluon_neuron.compat.neuron 1"


def test_the_package_before_mxnet(environment):
    code = f"import sys, gluon_neuron, mxnet as mx; print(mx.contrib.neuron.__name__, {FINDERS})"
    assert told(run([environment, "-c", code])) == "gluon_neuron.compat.neuron 1"


def test_processes_that_a_process_starts(environment, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("""
import multiprocessing, subprocess, sys

def ones(n):
    import mxnet as mx
    return float(mx.nd.ones(n).sum().asscalar())

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(ones, [2, 3]))
    print(subprocess.run([sys.executable, "-c", "import mxnet; print(mxnet.__version__)"], check=True,
                         stdout=subprocess.PIPE, text=True).stdout.strip()[:4])
""")
    assert told(run([environment, script])).split("\n") == ["[2.0, 3.0]", "1.9."]


def test_the_start_of_python_imports_the_hook_alone(environment):
    code = "import sys; print(sorted(sys.modules))"
    with_hook = told(run([environment, "-c", code]))
    without = told(run([environment, "-I", "-S", "-c", "import os, site, sys; print(sorted(sys.modules))"]))
    # Beside what reading a .pth file takes.
    assert set(eval(with_hook)) - set(eval(without)) - {"encodings.utf_8_sig", "sitecustomize"} == {
        "_gluon_neuron_hook"
    }


def test_switched_off(environment):
    finders = f"import sys; print({FINDERS})"
    assert told(run([environment, "-c", finders], GLUON_NEURON_NO_HOOK="1")) == "0"
    assert told(run([environment, "-c", finders], GLUON_NEURON_NO_HOOK="")) == "1"
    # The package itself does what it needs.
    code = f"import gluon_neuron, mxnet, sys; print({FINDERS})"
    assert told(run([environment, "-c", code], GLUON_NEURON_NO_HOOK="1")) == "1"
    done = run([environment, "-c", "import mxnet"], GLUON_NEURON_NO_HOOK="1")
    assert (done.returncode != 0) == LACKS


@pytest.mark.parametrize(("first", "options"), [("gluon_neuron", ["-S"]), ("_gluon_neuron_hook", [])])
def test_where_no_pth_file_is_read(target, first, options):
    code = f"import {first}, mxnet as mx, sys; print(mx.nd.ones(2).sum().asscalar(), {FINDERS})"
    assert told(run([sys.executable, *options, "-c", code], PYTHONPATH=str(target))) == "2.0 1"


def test_a_package_that_another_made_by_hand():
    # As a program has it that uses parts of this package, and not what its import does.
    code = """
import sys, types
sys.modules["gluon_neuron"] = types.ModuleType("gluon_neuron")
sys.modules["gluon_neuron"].__path__ = [sys.argv[1]]
import _gluon_neuron_hook, mxnet
print(_gluon_neuron_hook.__name__)
"""
    done = run([sys.executable, "-c", code, ROOT / "gluon_neuron"], PYTHONPATH=str(ROOT))
    assert told(done) == "_gluon_neuron_hook"


FAILS_ONCE = """
import sys
import gluon_neuron.import_hooks as hooks, _gluon_neuron_hook.mxnet_names as names
del names._import._due[:]
calls = []
hooks.when_imported(lambda: calls.append(sys.modules["mxnet"].there))
hooks.when_imported(lambda: calls.append("again"))
import importlib
for i in range(3):
    try:
        import mxnet
    except ZeroDivisionError:
        print("failed", calls)
    importlib.invalidate_caches()
print(calls, mxnet.there)
hooks.when_imported(lambda: calls.append("at once"))
print(calls)
"""


def test_actions_wait_for_an_import_that_succeeds_and_happen_once(tmp_path):
    (tmp_path / "mxnet.py").write_text("""
import sys
sys.tries = getattr(sys, "tries", 0) + 1
1 / (sys.tries - 1)
there = True
""")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    assert told(run([sys.executable, "-S", "-c", FAILS_ONCE], PYTHONPATH=path)).split("\n") == [
        "failed []",
        "[True, 'again'] True",
        "[True, 'again', 'at once']",
    ]


def test_on_arm_the_error_names_all_the_libraries(tmp_path):
    (tmp_path / "mxnet").mkdir()
    (tmp_path / "mxnet" / "__init__.py").write_text("raise OSError(WHY)".replace("WHY", repr(f"{ARM}: cannot open")))
    code = "import _gluon_neuron_hook\ntry:\n import mxnet\nexcept OSError as error: print(error)"
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    said = told(run([sys.executable, "-S", "-c", code], PYTHONPATH=path))
    assert said.startswith(f"{ARM}: cannot open. ")
    assert "libarmpl_lp64_mp.so, libamath.so and libastring.so" in said and "LD_LIBRARY_PATH" in said


@pytest.fixture(scope="module")
def without_mxnet(tmp_path_factory):
    """What is on the path where everything but MXNet is installed."""
    return str(source(libraries(tmp_path_factory.mktemp("without") / "libraries", "mxnet")))


SENTENCE = "MXNet 1.9 is not installed; this needs it: pip install requests && pip install --no-deps mxnet==1.9.1"


def test_without_mxnet_one_line_says_what_to_install(without_mxnet):
    code = """
import gluon_neuron
gluon_neuron.CompileOptions, gluon_neuron.Report, gluon_neuron.rule, gluon_neuron.devices
for statement in (
    "gluon_neuron.compile",
    "gluon_neuron.load",
    "gluon_neuron.analyze",
    "gluon_neuron.verify",
    "gluon_neuron.NeuronHybridBlock",
    "gluon_neuron.model_zoo.get_model",
    "from gluon_neuron import compile",
    "import mx_neuron",
):
    try:
        exec(statement)
    except gluon_neuron.errors.GluonNeuronError as error:
        assert isinstance(error, ImportError) and error.name == "mxnet"
        print(error)
"""
    assert told(run([sys.executable, "-S", "-c", code], PYTHONPATH=without_mxnet)).split("\n") == [SENTENCE] * 8


def test_without_mxnet_the_command_says_so(without_mxnet):
    code = "import sys; from gluon_neuron.tools.cli import main; sys.exit(main(['check-model', 'x']))"
    done = run([sys.executable, "-S", "-c", code], PYTHONPATH=without_mxnet)
    assert (done.returncode, done.stderr) == (3, f"gluon-neuron check-model: {SENTENCE}\n")


def test_another_missing_module_is_not_taken_for_mxnet():
    from gluon_neuron.import_hooks import needs_mxnet

    with pytest.raises(ModuleNotFoundError, match="No module named 'unheard_of'") as caught, needs_mxnet():
        import unheard_of  # noqa: F401
    assert type(caught.value) is ModuleNotFoundError


@pytest.mark.parametrize(
    "before",
    [
        "import _gluon_neuron_hook, importlib; importlib.reload(_gluon_neuron_hook)",
        "import gluon_neuron; [sys.modules.pop(n) for n in list(sys.modules) if 'gluon_neuron' in n]; "
        "import gluon_neuron",
        "import mxnet; [sys.modules.pop(n) for n in list(sys.modules) if 'gluon_neuron' in n]; import gluon_neuron, "
        "mxnet.contrib.text",
    ],
    ids=["reloaded", "purged", "purged after MXNet"],
)
def test_one_finder_after_a_reload(environment, before):
    code = f"import sys; {before}; import mxnet as mx; print(mx.nd.ones(2).sum().asscalar(), {FINDERS})"
    assert told(run([environment, "-c", code])) == "2.0 1"


def test_beside_a_finder_that_asks_all_others(environment):
    code = f"""
import sys
class Asks:
    def find_spec(self, name, path=None, target=None):
        specs = (f.find_spec(name, path, target) for f in sys.meta_path if f is not self and hasattr(f, "find_spec"))
        return next((s for s in specs if s is not None), None)
sys.meta_path.insert(0, Asks())
import mxnet as mx
print(mx.nd.ones(2).sum().asscalar(), {FINDERS})
"""
    assert told(run([environment, "-c", code])) == "2.0 1"


def test_a_finder_for_parts_of_mxnet_that_comes_later(environment, tmp_path):
    # pytest's, which looks for mxnet.test_utils.
    (tmp_path / "test_a.py").write_text("""
def test_a():
    import mxnet as mx
    mx.test_utils.assert_almost_equal(mx.nd.ones(2), mx.nd.ones(2))
""")
    done = run([environment, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "test_a.py"])
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_specs_can_be_copied(environment):
    code = """
import copy, pickle, importlib.util
spec = importlib.util.find_spec("mxnet")
print(copy.copy(spec.loader).name, copy.deepcopy(spec).name, pickle.loads(pickle.dumps(spec.loader)).name)
"""
    assert told(run([environment, "-c", code])) == "mxnet mxnet mxnet"
