"""Bad input: each a specific error that says what to do, and nothing lost on disk."""

import json
import os
import sys

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import (
    ArtifactCorruptError,
    ArtifactVersionError,
    BlockError,
    CompilerMissingError,
    EngineError,
    ExportError,
    GraphError,
    InputError,
    NativeLibraryError,
    OptionError,
    UninitializedError,
)
from tests.nets import conv_net, images, run_python


@pytest.fixture(scope="module")
def net():
    return conv_net()


@pytest.fixture
def files(net, tmp_path):
    """The exported files of a compiled net: the common prefix, the symbol's and the parameters' path."""
    symbol, params = gluon_neuron.compile(net, images()).export(tmp_path / "net")
    return str(tmp_path / "net"), symbol, params


def rewrite_artifact(params, edit):
    """Apply `edit` to the artifact's bytes in a parameters file."""
    arrays = mx.nd.load(params)
    name = next(n for n in arrays if n.endswith("_neuronbin"))
    data = edit(bytearray(arrays[name].asnumpy().tobytes()))
    arrays[name] = mx.nd.array(np.frombuffer(bytes(data), np.uint8), dtype=np.uint8)
    mx.nd.save(params, arrays)


def test_not_a_hybrid_block():
    class Plain(mx.gluon.Block):
        def forward(self, x):
            return x

    with pytest.raises(BlockError, match="HybridBlock"):
        gluon_neuron.compile(Plain(), images())
    with pytest.raises(BlockError, match="HybridBlock"):
        gluon_neuron.compile(lambda x: x, images())


def test_uninitialized():
    with pytest.raises(UninitializedError, match="initialize"):
        gluon_neuron.compile(mx.gluon.nn.Dense(3), mx.nd.zeros((1, 2)))


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({"pixels": images()}, "no input 'pixels'"),
        ((images(), images()), "takes 1 input .*sample has 2"),
        ([], "empty"),
        (np.zeros((1, 3, 16, 16), np.uint16), "uint16"),
        (None, "is None"),
        (mx.nd.zeros((1, 4, 16, 16)), "does not take inputs of these shapes"),
    ],
)
def test_wrong_samples(net, sample, message):
    with pytest.raises(InputError, match=message):
        gluon_neuron.compile(net, sample)


def test_unknown_option(net):
    with pytest.raises(OptionError, match="'autocast'.*'auto_cast'"):
        gluon_neuron.compile(net, images(), autocast="all")


@pytest.mark.parametrize("target", ["inf1", "inf2", "trn1", "trn2"])
def test_targets_whose_compiler_is_missing(net, target, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(CompilerMissingError, match="pip install neuron.*target='cpu'"):
        gluon_neuron.compile(net, images(), target=target)


def test_cast_that_the_cpu_does_not_offer(net):
    with pytest.raises(gluon_neuron.errors.CompileError, match="bf16"):
        gluon_neuron.compile(net, images(), auto_cast="matmult", auto_cast_type="fp16", strict=True)


def test_corrupt_artifact(files):
    prefix, _, params = files

    def flip(data):
        data[-100] ^= 1
        return data

    rewrite_artifact(params, flip)
    with pytest.raises(ArtifactCorruptError, match="SHA-256.*Compile the model again"):
        gluon_neuron.load(prefix)


def test_truncated_artifact(files):
    prefix, _, params = files
    rewrite_artifact(params, lambda data: data[:1000])
    with pytest.raises(ArtifactCorruptError, match="truncated"):
        gluon_neuron.load(prefix)


def test_newer_artifact(files):
    prefix, _, params = files

    def newer(data):
        data[8] = 99
        return data

    rewrite_artifact(params, newer)
    with pytest.raises(ArtifactVersionError, match="version 99.*Upgrade"):
        gluon_neuron.load(prefix)


def test_damaged_artifacts_in_plain_mxnet(files):
    # Without our loader the native operator itself has to refuse, at the first result.
    _, symbol, params = files
    rewrite_artifact(params, lambda data: data[:1000] + bytes(len(data) - 1000))
    block = mx.gluon.SymbolBlock.imports(symbol, ["data"], params)
    with pytest.raises(mx.base.MXNetError, match="_neuron_subgraph_op0.*damaged"):
        block(images()).asnumpy()


def test_cast_artifact(files):
    prefix, _, params = files
    arrays = mx.nd.load(params)
    mx.nd.save(params, {n: a.astype("float32") * 0.5 for n, a in arrays.items()})
    with pytest.raises(ArtifactCorruptError, match="float32.*cast"):
        gluon_neuron.load(prefix)


def test_missing_parameters(files):
    prefix, _, params = files
    arrays = mx.nd.load(params)
    mx.nd.save(params, {n: a for n, a in arrays.items() if not n.endswith("conv0_weight")})
    with pytest.raises(InputError, match="lacks .*conv0_weight"):
        gluon_neuron.load(prefix)


def test_symbol_without_subgraphs(files):
    prefix, symbol, _ = files
    with open(symbol) as file:
        raw = json.load(file)
    for node in raw["nodes"]:
        node.pop("subgraphs", None)
    with open(symbol, "w") as file:
        json.dump(raw, file)
    with pytest.raises(GraphError, match="subgraphs"):
        gluon_neuron.load(prefix)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        gluon_neuron.load(tmp_path / "absent")
    (tmp_path / "net-symbol.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileNotFoundError, match="no net-0000.params"):
        gluon_neuron.load(tmp_path / "net")
    (tmp_path / "net-0000.params").write_bytes(b"")
    with pytest.raises(GraphError, match="not text"):
        gluon_neuron.load(tmp_path / "net")


def test_model_that_was_not_compiled(net, tmp_path):
    net.hybridize()
    net(images())
    net.export(str(tmp_path / "plain"))
    with pytest.raises(InputError, match="not compiled by gluon_neuron.*SymbolBlock.imports"):
        gluon_neuron.load(tmp_path / "plain")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_directory_that_is_not_writable(net, tmp_path):
    compiled = gluon_neuron.compile(net, images())
    compiled.export(tmp_path / "net")
    before = (tmp_path / "net-symbol.json").read_bytes()
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="writable"):
        compiled.export(tmp_path / "net")
    tmp_path.chmod(0o700)
    assert (tmp_path / "net-symbol.json").read_bytes() == before


def test_directory_that_does_not_exist(net, tmp_path):
    with pytest.raises(ExportError, match="exists, is writable"):
        gluon_neuron.compile(net, images()).export(tmp_path / "absent" / "net")


def test_missing_native_library(tmp_path):
    code = """
        import sys, warnings
        from pathlib import Path
        warnings.simplefilter("error", RuntimeWarning)
        import importlib.util
        # Look for the library where it is not, before anything loads it.
        spec = importlib.util.find_spec("gluon_neuron")
        import builtins
        real = Path.exists
        Path.exists = lambda self: False if self.name == "libgluon_neuron.so" else real(self)
        try:
            import gluon_neuron
        except RuntimeWarning as warning:
            assert "is missing" in str(warning), warning
        warnings.simplefilter("ignore")
        import gluon_neuron, mxnet as mx
        from gluon_neuron.errors import NativeLibraryError
        net = mx.gluon.nn.Dense(2)
        net.initialize()
        try:
            gluon_neuron.compile(net, mx.nd.zeros((1, 2)))
        except NativeLibraryError as error:
            assert "C++ compiler" in str(error)
            print("refused")
    """
    assert run_python(code) == "refused\n"
    assert issubclass(NativeLibraryError, ImportError)


def test_missing_openvino():
    code = """
        import sys
        sys.modules["openvino"] = None
        import mxnet as mx, gluon_neuron
        from gluon_neuron.errors import EngineError
        net = mx.gluon.nn.Conv2D(2, 3)
        net.initialize()
        try:
            gluon_neuron.compile(net, mx.nd.zeros((1, 3, 8, 8)))
        except EngineError as error:
            assert "pip install openvino" in str(error)
            print("refused")
    """
    assert run_python(code) == "refused\n"
    assert issubclass(EngineError, ImportError)


def test_missing_openvino_when_running(files):
    code = """
        import sys, mxnet as mx, gluon_neuron
        net = gluon_neuron.load(sys.argv[1])
        try:
            net(mx.nd.zeros((1, 3, 16, 16))).asnumpy()
        except mx.base.MXNetError as error:
            assert "pip install 'openvino" in str(error), error
            print("refused")
    """
    absent = {**os.environ, "GLUON_NEURON_OPENVINO": "/nonexistent/libopenvino_c.so"}
    assert run_python(code, files[0], env=absent) == "refused\n"
