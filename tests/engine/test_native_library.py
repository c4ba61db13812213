"""The native library is loaded or says why not, and finds OpenVINO or says what to install."""

import ctypes
import importlib.util
import json
import os

import pytest

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.errors import NativeLibraryError
from tests.nets import run_python
from tests.runtime.tiny import RUN


def test_version_is_the_packages():
    assert native_library.version() == gluon_neuron.__version__


def test_missing(tmp_path):
    with pytest.raises(NativeLibraryError, match=r"none.so is missing.*C\+\+ compiler.*its source tree"):
        native_library.open_library(tmp_path / "none.so")


def test_another_mxnet():
    raw = ctypes.CDLL(str(native_library.FILE))
    assert raw.initialize(10901) == 1
    assert raw.initialize(20000) == 0
    assert raw._msgSize() == 1
    text = ctypes.c_char_p()
    raw._msgGet(0, ctypes.byref(text))
    assert text.value == b"gluon_neuron works with MXNet 1.9, not with version number 20000"
    assert raw._msgSize() == 0


def test_statistics_are_cut_off_at_the_buffers_end():
    raw = native_library.functions()
    needed = raw.gn_stats(None, 0)
    assert set(json.loads(ctypes.string_at(_stats(raw, needed + 1)))) == set(native_library.stats())
    for size in (1, 2, needed):
        assert len(ctypes.string_at(_stats(raw, size))) == size - 1


def _stats(raw, size):
    buffer = ctypes.create_string_buffer(b"\xff" * (size + 8), size + 8)
    raw.gn_stats(buffer, size)
    assert buffer.raw[size:] == b"\xff" * 8
    return buffer


def test_only_its_interface_is_exported():
    # Anything else might be taken from, or take the place of, what MXNet has of the same name.
    raw = ctypes.CDLL(str(native_library.FILE))
    for name in ("gn_epoch", "_opVersion", "initialize"):
        assert hasattr(raw, name)
    for name in ("_ZN2gn5epochEv", "_ZN5mxnet3ext16CustomStatefulOpC1Ev", "_ZN5mxnet3ext16CustomStatefulOpD1Ev"):
        assert not hasattr(raw, name)


def test_openvino_is_found_without_importing_it(monkeypatch):
    found = native_library.openvino_library()
    assert found is not None and found.name.startswith("libopenvino_c.so") and found.exists()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert native_library.openvino_library() is None


def test_openvino_at_a_wrong_place():
    code = RUN + (
        """
    for _ in range(2):
        said = message()
        assert "gluon_neuron: node region0: OpenVINO's C library could not be opened. The CPU engine needs" in said
        assert "pip install 'openvino" in said and "GLUON_NEURON_OPENVINO" in said and "/nonexistent/lib.so" in said
    # It is looked for again at each call, so that a long-lived process can be put right.
    native_library.functions().gn_set_openvino(str(native_library.openvino_library()).encode())
    assert np.allclose(run(), tiny.reference(region)(values)[0], 1e-3, 1e-3)
    native_library.functions().gn_set_openvino(b"/nonexistent/lib.so")
    run()
    print("done")
"""
    )
    assert run_python(code, env={**os.environ, "GLUON_NEURON_OPENVINO": "/nonexistent/lib.so"}) == "done\n"


def test_a_library_that_is_not_openvino():
    code = RUN + (
        """
    said = message()
    assert "This OpenVINO lacks ov_core_create. The CPU engine needs OpenVINO: pip install 'openvino" in said, said
    print("done")
"""
    )
    assert run_python(code, env={**os.environ, "GLUON_NEURON_OPENVINO": str(native_library.FILE)}) == "done\n"
