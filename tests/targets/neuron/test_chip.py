"""Everything that decides what a program is changes its key in the compile cache, and nothing else does."""

import mxnet as mx
import pytest

from gluon_neuron.options import CompileOptions
from gluon_neuron.targets.neuron import chip
from gluon_neuron.targets.neuron.toolchain.precedence import resolve
from tests.targets import tiny


def key(symbol=None, args=None, shape=(2, 4), dtype="float32", **options):
    """The key of a dense layer's program."""
    given = {"target": "inf2", **options}
    made, target = tiny.cut(resolve(CompileOptions.make(given), given), symbol, args, shape, dtype)
    return target.prepare(made.jobs[0]).key


@pytest.fixture(autouse=True)
def installed(compilers):
    """The doubles."""


@pytest.fixture
def plain(installed):
    return key()


def test_the_same_again(plain):
    assert key() == plain


def test_the_graph(plain):
    assert key(mx.sym.relu(tiny.dense())) != plain


def test_an_attribute(plain):
    assert key(mx.sym.clip(tiny.dense(), 0, 1)) != key(mx.sym.clip(tiny.dense(), 0, 2))


def test_the_signature(plain):
    assert key(shape=(3, 4)) != plain
    half = {n: a.astype("float16") for n, a in tiny.weights().items()}
    assert key(args=half, dtype="float16") != plain


def test_weights_count_where_they_are_baked_in(plain):
    other = tiny.weights(value=2.0)
    assert key(args=other) == plain
    assert key(inline_weights=True) not in (plain, key(args=other, inline_weights=True))
    cast = {"target": "inf1", "auto_cast": "all"}
    assert key(**cast) != key(args=other, **cast)


@pytest.mark.parametrize(
    "options",
    [{"auto_cast": "all"}, {"auto_cast_type": "fp16"}, {"compiler_flags": ["--optlevel", "1"]}, {"target": "trn1"}],
)
def test_flags_and_target(plain, options):
    assert key(**options) != plain


def test_cores_of_inf1():
    cast = {"target": "inf1", "auto_cast": "all"}
    assert key(**cast) != key(pipeline_cores=2, **cast)


def test_flags_of_the_environment(plain, monkeypatch):
    monkeypatch.setenv("NEURON_CC_FLAGS", "--optlevel 1")
    assert key() == key(compiler_flags=["--optlevel", "1"]) != plain
    monkeypatch.setenv("NEURON_CC_FLAGS", "--retry_failed_compilation")
    assert key() == plain


def test_variables_that_the_compiler_reads(plain, monkeypatch):
    monkeypatch.setenv("NEURON_RT_NUM_CORES", "2")
    assert key() == plain
    monkeypatch.setenv("NEURON_INTERNAL_SOMETHING", "1")
    assert key() != plain


def test_the_compilers_version(plain, monkeypatch):
    monkeypatch.setattr(chip, "version", lambda path: "2.20")
    assert key() != plain


def test_our_version(plain, monkeypatch):
    monkeypatch.setattr(chip, "__version__", "99")
    assert key() != plain


@pytest.mark.parametrize(
    "options", [{"strict": True}, {"compiler_jobs": 3}, {"compiler_timeout": 5}, {"work_dir": "x"}, {"num_threads": 2}]
)
def test_what_changes_no_program(plain, options):
    assert key(**options) == plain
