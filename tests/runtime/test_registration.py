"""The operator is registered once, or it is said why not."""

import shutil
from pathlib import Path

import pytest

from gluon_neuron.engine import native_library
from gluon_neuron.errors import NativeLibraryError
from gluon_neuron.runtime import registration
from tests.nets import run_python
from tests.runtime.tiny import RUN


def test_loading_again_changes_nothing(counters):
    registration.register()
    registration.register()
    assert native_library.open_library(native_library.FILE).gn_epoch() >= 1


def test_a_second_copy_would_take_the_operator_over(tmp_path):
    copy = shutil.copy(native_library.FILE, tmp_path / "copy.so")
    with pytest.raises(NativeLibraryError, match="Another library in this process has registered _neuron_subgraph_op"):
        registration.register_file(Path(copy))


@pytest.mark.parametrize("content", [b"", b"not a library"])
def test_not_a_library(tmp_path, content):
    (tmp_path / "bad.so").write_bytes(content)
    with pytest.raises(NativeLibraryError, match=r"MXNet 1\.9.* cannot load the native operator .*bad\.so: "):
        registration.load_into_mxnet(tmp_path / "bad.so")


def test_beside_an_mxnet_in_the_global_scope():
    """A C++ program links MXNet, whose symbols then come before the library's own; several threads load at once."""
    code = (
        """
    import ctypes, importlib.util, threading
    folder = importlib.util.find_spec("mxnet").submodule_search_locations[0]
    ctypes.CDLL(folder + "/libmxnet.so", ctypes.RTLD_GLOBAL)
    from gluon_neuron.engine import native_library
    from gluon_neuron.runtime import registration
    threads = [threading.Thread(target=registration.register) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
"""
        + RUN
        + """
    assert np.allclose(run(), tiny.reference(region)(values)[0], 1e-3, 1e-3)
    print("done")
"""
    )
    assert run_python(code) == "done\n"
