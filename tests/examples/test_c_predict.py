"""The C predict example: built against the wheel's headers, it gives MXNet's numbers without any Python."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.engine import native_library
from tests.agreement import agree
from tests.compat.nets import SHAPE, checkpoint, image, run

SOURCE = Path(__file__).parents[2] / "examples" / "c_predict" / "predict.cc"
WHEEL = Path(mx.__file__).parent


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    made = tmp_path_factory.mktemp("predict") / "predict"
    compiler = os.environ.get("CXX") or shutil.which("g++") or "c++"
    command = [compiler, "-O1", "-std=c++17", str(SOURCE), "-o", str(made), f"-I{WHEEL / 'include'}"]
    subprocess.run([*command, f"-L{WHEEL}", "-lmxnet", f"-Wl,-rpath,{WHEEL}"], check=True)
    return made


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    made = str(tmp_path_factory.mktemp("model") / "net")
    mx.model.save_checkpoint(made, 0, *mx.contrib.neuron.compile(*checkpoint(), {"data": image()}))
    return made


def predict(program, prefix, x, **environment):
    shape = ",".join(map(str, x.shape))
    return subprocess.run(
        [str(program), str(native_library.FILE), prefix, "0", "data", shape],
        input=np.ascontiguousarray(x.asnumpy()).tobytes(),
        capture_output=True,
        check=False,
        env={**os.environ, "GLUON_NEURON_OPENVINO": str(native_library.openvino_library()), **environment},
    )


def test_numbers(program, prefix):
    x = image(1)
    done = predict(program, prefix, x)
    assert done.returncode == 0, done.stderr.decode()
    found = np.frombuffer(done.stdout, np.float32).reshape(SHAPE[0], -1)
    agree(found, run(*checkpoint(), x)[0], 1e-4, 1e-5)


def test_links_no_python(program):
    linked = subprocess.run(
        ["ldd", str(program), str(native_library.FILE)], capture_output=True, text=True, check=True
    ).stdout
    assert "libmxnet" in linked
    assert "libpython" not in linked


def test_another_batch_runs_the_program_for_any_shape(program, prefix):
    x = image(batch=3)
    done = predict(program, prefix, x)
    assert done.returncode == 0, done.stderr.decode()
    agree(np.frombuffer(done.stdout, np.float32).reshape(3, -1), run(*checkpoint(), x)[0], 1e-4, 1e-5)


def test_without_one_another_batch_needs_a_compiler(tmp_path, program):
    compiled = mx.contrib.neuron.compile(*checkpoint(), {"data": image()}, dynamic=False)
    mx.model.save_checkpoint(str(tmp_path / "net"), 0, *compiled)
    done = predict(program, str(tmp_path / "net"), image(batch=3))
    assert done.returncode == 1
    assert b"compiled were float32[2,3,8,8]" in done.stderr


def test_missing_engine(program, prefix):
    done = predict(program, prefix, image(), GLUON_NEURON_OPENVINO="/nonexistent/libopenvino_c.so")
    assert done.returncode == 1
    assert b"pip install 'openvino" in done.stderr
