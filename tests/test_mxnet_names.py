"""MXNet is imported on this Python and NumPy whatever they have dropped, and what it is given stays its own."""

from __future__ import annotations

import ast
import importlib.util
import json
import math
import os
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from _gluon_neuron_hook import mxnet_names
from tests.agreement import agree

NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])
LACKS_NUMPY = NUMPY >= (1, 24)
LACKS_DISTUTILS = sys.version_info >= (3, 12)
STAND_INS = mxnet_names.stand_ins()


def python(code, *options, **environment):
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@cache
def sources():
    """The syntax of every module of MXNet that can be imported by its name."""
    (folder,) = importlib.util.find_spec("mxnet").submodule_search_locations
    found = {}
    for path in sorted(Path(folder).rglob("*.py")):
        name = ".".join(("mxnet", *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
        if not name.startswith("mxnet.tools."):  # programs of their own
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found[name] = ast.parse(path.read_text(encoding="utf-8"))
    assert len(found) > 150
    return found


def read_of_numpy(tree):
    """The attributes of NumPy that a module reads."""
    names = {
        a.asname or a.name
        for n in ast.walk(tree)
        if isinstance(n, ast.Import)
        for a in n.names
        if a.name == "numpy" or (a.name.startswith("numpy.") and not a.asname)
    }
    return {
        n.attr
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in names
    }


def test_every_module_finds_what_it_reads_of_numpy():
    found = {name: read_of_numpy(tree) for name, tree in sources().items()}
    assert "bool" in found["mxnet.test_utils"] and "trapz" in found["mxnet.numpy.fallback"]
    mended = mxnet_names.numpy_of_mxnet() if LACKS_NUMPY else np
    missing = {
        (name, attribute)
        for name, attributes in found.items()
        for attribute in attributes
        if not hasattr(mended if name in mxnet_names.READS_NUMPY else np, attribute)
    }
    assert missing == set()


def test_modules_that_read_what_is_gone_are_those():
    # By the names, whether or not this NumPy has them: another may not.
    gone = STAND_INS.keys() - {"rate"}
    found = {name for name, tree in sources().items() if read_of_numpy(tree) & gone}
    by_name = {"mxnet.numpy_dispatch_protocol"}  # which has lists of names
    assert found | by_name == mxnet_names.READS_NUMPY


def test_modules_that_import_distutils_are_those():
    found = {
        name
        for name, tree in sources().items()
        if any(isinstance(n, ast.ImportFrom) and n.module == "distutils.version" for n in ast.walk(tree))
    }
    assert found == mxnet_names.READS_DISTUTILS


@pytest.mark.parametrize("name", ["bool", "int"])
def test_types_are_pythons(name):
    assert STAND_INS[name] is {"bool": bool, "int": int}[name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Inf", math.inf),
        ("PINF", math.inf),
        ("NINF", -math.inf),
        ("NaN", math.nan),
        ("NAN", math.nan),
        ("PZERO", 0.0),
        ("NZERO", -0.0),
    ],
)
def test_constants(name, value):
    assert repr(STAND_INS[name]) == repr(value)


X = np.array([[3.0, 0.0, 2.0], [1.0, 5.0, 4.0]])


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "want"),
    [
        ("alltrue", (X,), {"axis": 1}, [False, True]),
        ("sometrue", (X * [1, 0, 0],), {"axis": 0}, [True, False, False]),
        ("product", (X,), {"axis": 0}, [3.0, 0.0, 8.0]),
        ("round_", (X + 0.26, 1), {}, X + 0.3),
        ("in1d", (X, [5, 0]), {}, [False, True, False, False, True, False]),
        ("in1d", ([1, 2], [2]), {"invert": True}, [True, False]),
        ("msort", (X,), {}, [[1.0, 0.0, 2.0], [3.0, 5.0, 4.0]]),
    ],
)
def test_functions_do_what_they_did(name, args, kwargs, want):
    agree(np.asarray(STAND_INS[name](*args, **kwargs)), np.asarray(want))
    assert STAND_INS[name].__name__.lstrip("_") == name


@pytest.mark.skipif(NUMPY < (2, 0), reason="NumPy has trapz itself, and not yet trapezoid")
def test_trapz():
    assert STAND_INS["trapz"]([0.0, 1.0, 4.0], dx=2.0) == 6.0


@pytest.mark.parametrize("name", ["mirr", "npv", "pmt", "ppmt", "pv", "rate"])
def test_financial_functions_say_where_they_are(name):
    with pytest.raises(RuntimeError, match=f"NumPy has no {name} since 1.20; .*numpy-financial"):
        STAND_INS[name](0.1, [1, 2])


def test_compat():
    assert isinstance("x", STAND_INS["compat"].basestring) and not isinstance(b"x", STAND_INS["compat"].basestring)


def test_every_stand_in_is_tested():
    tested = {"bool", "int", "trapz", "mirr", "npv", "pmt", "ppmt", "pv", "rate", "compat"}
    for test in (test_constants, test_functions_do_what_they_did):
        tested |= {case[0] for case in test.pytestmark[0].args[1]}
    assert tested == STAND_INS.keys()


def test_what_numpy_has_is_numpys():
    lacks = mxnet_names.names_that_numpy_lacks()
    assert bool(lacks) == LACKS_NUMPY
    assert lacks.keys() & vars(np).keys() <= {"bool"}
    if LACKS_NUMPY:
        seen = mxnet_names.numpy_of_mxnet()
        assert seen is mxnet_names.numpy_of_mxnet() and seen.__version__ == np.__version__
        assert seen.ndarray is np.ndarray and seen.linalg is np.linalg and seen.bool is bool
        assert {"bool", "npv", "ndarray"} <= set(dir(seen))
        with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
            _ = seen.unheard_of


@pytest.mark.parametrize(
    ("text", "numbers"), [("1.26.4", (1, 26, 4)), ("2.6.0.dev0+git", (2, 6, 0)), ("2.0rc1", (2, 0)), ("x", ())]
)
def test_versions(text, numbers):
    stand_in = mxnet_names.distutils_version()
    assert stand_in.LooseVersion(text) == stand_in.StrictVersion(text) == numbers


def test_versions_are_ordered_by_number():
    version = mxnet_names.distutils_version().LooseVersion
    assert version("1.9.0") < version("1.17") <= version("1.17.0rc1") < version("2")


SEEN = """
import builtins, contextlib, json, sys, types, warnings
import numpy, numpy.testing, requests
with contextlib.suppress(ImportError):
    import scipy.stats  # what MXNet imports where it is installed
def state():
    return (
        {n: id(v) for n, v in vars(numpy).items() if not isinstance(v, types.ModuleType)},  # it imports some itself
        [repr(f) for f in warnings.filters],
        {n: id(v) for n, v in vars(builtins).items()},
        sorted(n for n in sys.modules if n.startswith(("distutils", "setuptools", "_distutils_hack"))),
        sys.modules.keys() & {"numpy", "numpy.compat"} | {n for n, m in sys.modules.items() if m is None},
    )
before = state()
import mxnet
after = state()
print(json.dumps([b == a for b, a in zip(before, after)]))
"""


def test_nothing_is_changed_by_the_import():
    same = json.loads(python(SEEN))
    # Python's own distutils, and what setuptools makes of it, do as they like.
    assert same[0] and all(same[1:] if LACKS_DISTUTILS else [])


@pytest.mark.skipif(not LACKS_DISTUTILS, reason="Python's own distutils warns of itself")
def test_no_warning_comes_of_the_import_and_none_of_the_users_is_hidden():
    # SyntaxWarnings come when a source is read: `sources` has those be errors.
    code = """
import mxnet, warnings
try:
    warnings.warn("mine", DeprecationWarning)
except DeprecationWarning as warning:
    print(warning)
"""
    assert sources() and python(code, "-W", "error") == "mine"


def test_modules_get_a_stand_in_only_where_numpy_lacks_something():
    given_one = {n for n in mxnet_names.READS_NUMPY if n in sys.modules and mended(sys.modules[n])}
    loaded = {n for n in mxnet_names.READS_NUMPY if n in sys.modules}
    assert {"mxnet.test_utils", "mxnet.numpy.utils"} <= loaded
    assert given_one == (loaded if LACKS_NUMPY else set())
    assert not any(mended(m) for n, m in sys.modules.items() if n.startswith("mxnet.") and n not in loaded)
    named = {n for n in mxnet_names.WRITES_TEXT if getattr(sys.modules[n], "str", None) is mxnet_names.Text}
    assert named == (mxnet_names.WRITES_TEXT if NUMPY >= (2, 0) else set())


def mended(module):
    return any(value is mxnet_names.numpy_of_mxnet() for value in vars(module).values())


def test_loaders_are_mxnets_own():
    for name in ("mxnet", *mxnet_names.READS_NUMPY, *mxnet_names.READS_DISTUTILS):
        if name in sys.modules:
            module = sys.modules[name]
            assert type(module.__loader__).__module__ != mxnet_names.__name__
            assert module.__spec__.loader is module.__loader__


def test_what_mxnet_reads_at_run_time():
    assert mx.test_utils.default_rtols()[np.dtype(bool)] == 0 == mx.test_utils.default_atols()[np.dtype(bool)]
    assert mx.np.bool is bool
    agree(mx.np.full((2,), True).asnumpy(), np.array([True, True]))
    agree(mx.np.array([1.0, 2.0])[True].asnumpy(), np.array([[1.0, 2.0]], np.float32))
    padded = mx.np.pad(mx.np.ones((1, 2)), ((1, 0), (0, 1)), mode="edge")
    agree(padded.asnumpy(), np.ones((2, 3), np.float32))
    symbol = mx.sym.np.pad(mx.sym.var("x").as_np_ndarray(), ((1, 0), (0, 1)), mode="edge")
    assert symbol.infer_shape(x=(1, 2))[1] == [(2, 3)]
    assert np.round(mx.np.array([1.4])).asnumpy() == [1.0]


def test_a_module_that_is_imported_later():
    from mxnet.gluon.contrib.estimator import event_handler

    assert event_handler.StoppingHandler(1).max_epoch == 1
    assert event_handler.GradientUpdateHandler().priority == -2000


@given(st.recursive(st.integers() | st.floats() | st.booleans() | st.none() | st.text(), st.lists, max_leaves=8))
def test_text_without_numbers_of_numpy_is_pythons(value):
    assert mxnet_names.text(value) == str(value)
    assert mxnet_names.text((value,)) == str((value,))
    assert mxnet_names.Text(value) == str(value) and isinstance("", mxnet_names.Text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((np.int64(2), np.int32(-3)), "(2, -3)"),
        ((np.int64(2),), "(2,)"),
        ([np.float32(0.1), np.float64(0.1), np.float16(0.1)], "[0.1, 0.1, 0.1]"),
        ((np.bool_(True), (np.uint8(7), None), "x"), "(True, (7, None), 'x')"),
        (np.int64(2), "2"),
        (np.array([1, 2]), "[1 2]"),
        ((), "()"),
    ],
)
def test_text_is_that_of_numpy_1(value, text):
    assert mxnet_names.text(value) == text


TWO, THREE = np.int64(2), np.int32(3)


@pytest.mark.parametrize(
    "made",
    [
        lambda: mx.nd.zeros((TWO, THREE)),
        lambda: mx.nd.transpose(mx.nd.zeros((3, 2)), axes=(np.int64(1), np.int64(0))),
        lambda: mx.nd.reshape(mx.nd.zeros(6), shape=(TWO, THREE)),
        lambda: mx.nd.zeros(6).reshape((TWO, THREE)),
        lambda: mx.nd.random.uniform(shape=(TWO, THREE)),
        lambda: mx.np.zeros((TWO, THREE)),
        lambda: mx.np.reshape(mx.np.zeros(6), (TWO, THREE)),
    ],
)
def test_tuples_of_numpy_integers(made):
    assert made().shape == (2, 3)


def test_tuples_of_numpy_integers_in_symbols_and_blocks():
    symbol = mx.sym.reshape(mx.sym.var("x", shape=(np.int64(6),)), shape=(TWO, THREE))
    assert symbol.infer_shape()[1] == [(2, 3)]
    assert symbol.attr_dict()["x"]["__shape__"] == "(6,)"
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Dense(THREE), mx.gluon.nn.Dense(TWO, in_units=THREE))
    net.initialize()
    net.hybridize()
    assert net(mx.nd.ones((4, np.int64(5)))).shape == (4, 2)


def test_an_mxnet_that_was_imported_otherwise_is_mended():
    # As those do who set the names in NumPy themselves, and take them away again.
    code = """
import sys, types, numpy
from _gluon_neuron_hook import mxnet_names as names
assert "gluon_neuron" not in sys.modules and not any(type(f).__name__ == "MxnetFinder" for f in sys.meta_path)
lacks = {n: v for n, v in names.names_that_numpy_lacks().items() if n not in vars(numpy)}
vars(numpy).update(lacks)
if sys.version_info >= (3, 12):
    sys.modules["distutils"] = types.ModuleType("distutils")
    sys.modules["distutils.version"] = names.distutils_version()
import mxnet as mx
for name in lacks:
    delattr(numpy, name)
import gluon_neuron
print(len(mx.test_utils.default_rtols()), mx.nd.zeros((numpy.int64(2), 3)).shape)
"""
    assert python(code, GLUON_NEURON_NO_HOOK="1") == "10 (2, 3)"


def test_another_numpy_is_asked_for_its_version():
    # The stand-ins work with a NumPy that lacks nothing, too: this runs everywhere what newer cells do.
    code = """
from _gluon_neuron_hook import mxnet_names as names
names._numpy_version = lambda: (2, 0)
import mxnet as mx, numpy as np
assert mx.numpy.utils.onp is names.numpy_of_mxnet() and mx.numpy.utils.onp is not np
print(mx.np.bool, mx.nd.zeros((np.int64(2), 3)).shape, mx.np.ones(3).sum(), "bool" in vars(np))
"""
    assert python(code).startswith("<class 'bool'> (2, 3) 3.0")


def test_records_are_packed():
    header = mx.recordio.IRHeader(0, [1.0, 2.0], 1, 0)
    found, data = mx.recordio.unpack(mx.recordio.pack(header, b"data"))
    assert found.label.tolist() == [1, 2] and data == b"data"


def test_images_are_packed():
    pytest.importorskip("cv2")
    image = np.arange(48, dtype="uint8").reshape(4, 4, 3)
    header, found = mx.recordio.unpack_img(
        mx.recordio.pack_img(mx.recordio.IRHeader(0, 3.0, 1, 0), image, 9, ".png"), iscolor=1
    )
    assert header.label == 3
    agree(found, image)


@pytest.mark.parametrize("invert", [False, True])
def test_in1d_takes_arrays_of_both(invert):
    a, b = mx.np.array([[1.0, 2.0], [3.0, 2.0]]), mx.np.array([2.0])
    expected = np.array([False, True, False, True]) != invert
    for first, second in ((a, b), (a.asnumpy(), b.asnumpy())):
        agree(mx.np.in1d(first, second, invert=invert), expected)


def test_tuples_of_numpy_integers_in_iterators(tmp_path):
    np.savetxt(tmp_path / "x.csv", np.arange(24).reshape(4, 6), delimiter=",")
    batches = mx.io.CSVIter(data_csv=str(tmp_path / "x.csv"), data_shape=(TWO, THREE), batch_size=2)
    assert next(iter(batches)).data[0].shape == (2, 2, 3)


class Shape(list):
    pass


def test_what_is_derived_from_a_list_is_written_as_one():
    assert mxnet_names.text(Shape([TWO, 3])) == "[2, 3]"
    assert mxnet_names.text(((TWO, Shape([THREE])), "a")) == "((2, [3]), 'a')"
