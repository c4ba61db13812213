"""The archived names are in place after `import gluon_neuron`, and real packages of those names are not shadowed."""

from __future__ import annotations

import os
import subprocess
import sys

import mxnet as mx

import gluon_neuron


def python(code, *words, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_names_are_there():
    from mxnet.contrib import neuron

    assert gluon_neuron.__version__
    assert mx.contrib.neuron is neuron
    assert callable(neuron.compile)
    assert callable(mx.neuron)


def test_import_statements_of_old_scripts():
    code = "import gluon_neuron; import mxnet.contrib.neuron as n; import mx_neuron as m; print(n.__name__, m.__name__)"
    assert python(code) == "gluon_neuron.compat.neuron mx_neuron"


def test_real_plugin_wins(tmp_path):
    (tmp_path / "mx_neuron.py").write_text("real = True")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    assert python("import gluon_neuron, mx_neuron; print(mx_neuron.real)", PYTHONPATH=path) == "True"
    assert python("import mx_neuron, gluon_neuron, mx_neuron; print(mx_neuron.real)", PYTHONPATH=path) == "True"


def test_module_of_another_mxnet_is_kept():
    code = """
import mxnet as mx, types
mx.contrib.neuron, mx.neuron = types.SimpleNamespace(real=1), "real"
import gluon_neuron
print(mx.contrib.neuron.real, mx.neuron)
"""
    assert python(code) == "1 real"


def test_module_file_of_another_mxnet_is_kept(tmp_path):
    (tmp_path / "neuron.py").write_text("real = 2")
    code = """
import sys, mxnet as mx
mx.contrib.__path__.append(sys.argv[1])  # as if MXNet had come with it
import gluon_neuron
assert not hasattr(mx.contrib, "neuron")
from mxnet.contrib import neuron
print(neuron.real, mx.contrib.neuron.real)
"""
    assert python(code, str(tmp_path)) == "2 2"


def test_not_there_before():
    assert python("import mxnet as mx; print(hasattr(mx.contrib, 'neuron'), hasattr(mx, 'neuron'))") == "False False"


def test_spec_of_the_plugin():
    import importlib.util

    assert importlib.util.find_spec("mx_neuron") is not None
    assert importlib.util.find_spec("mx_neurons") is None
