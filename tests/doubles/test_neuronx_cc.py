"""The double of neuronx-cc refuses what the published contract forbids, and writes what it accepts."""

import re
import subprocess

import pytest

from gluon_neuron.dialect.in_jax.program import hlo_module
from gluon_neuron.hlo.rewrite import rewrite
from tests.doubles import neff, neuronx_cc
from tests.doubles.command_line import Failure
from tests.doubles.install import install

COMPILE = ["compile", "module.hlo.pb", "--framework", "XLA", "--target", "inf2"]


def module(build=lambda xp: [xp.add(xp.parameter("x", (2, 3), "float32"), xp.parameter("y", (2, 3), "float32"))]):
    raw = hlo_module(build, {"x": ((2, 3), "float32"), "y": ((2, 3), "float32")})
    return rewrite(raw, ["x", "y"], ["sum"])


@pytest.fixture(scope="module")
def good():
    return module()


@pytest.fixture
def folder(tmp_path, monkeypatch, good):
    (tmp_path / "module.hlo.pb").write_bytes(good)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    given = neuronx_cc.parser().parse_args(words)
    given.compile(given)


def test_what_it_writes(folder, good):
    run(*COMPILE, "--output=x.neff", "--verbose=35", "--pipeline", "compile", "SaveTemps", "-O1", "--auto-cast", "all")
    made = neff.unpack((folder / "x.neff").read_bytes())
    assert made.cores == 1 and made.files == {"hlo.pb": good}
    assert made.info["inputs"][1] == {"name": "input1", "shape": [2, 3], "dtype": "float32"}
    assert made.info["outputs"] == [{"name": "output0", "shape": [2, 3], "dtype": "float32"}]
    assert (folder / "log-neuron-cc.txt").exists()


@pytest.mark.parametrize(
    "words",
    [
        [*COMPILE, "--some-flag"],
        [*COMPILE, "--auto-cas", "all"],
        [*COMPILE, "--auto-cast", "matmul"],
        [*COMPILE, "--auto-cast-type", "int8"],
        [*COMPILE, "--fp32-cast", "all"],
        [*COMPILE, "--neuroncore-pipeline-cores", "2"],
        [*COMPILE, "-O4"],
        [*COMPILE, "--verbose", "loud"],
        [*COMPILE[:2], "--framework", "MXNET", "--target", "inf2"],
        [*COMPILE[:4], "--target", "inf1"],
        COMPILE[:4],
        ["compile"],
        ["build", "x"],
        [],
    ],
)
def test_command_lines_that_it_refuses(words, folder, capsys):
    with pytest.raises(SystemExit) as caught:
        run(*words)
    assert caught.value.code == 1
    assert re.search(r"ERROR \d+ \[neuronx-cc\]: ", capsys.readouterr().err)
    assert not (folder / "file.neff").exists()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["compile", "none.pb", *COMPILE[2:]], "none.pb does not exist"),
        (["compile", "module.hlo.pb", "module.hlo.pb", *COMPILE[2:]], "exactly one"),
        ([*COMPILE, "--lnc", "2"], "EARG001"),
        ([*COMPILE, "--native-int64", "enabled"], "EARG001"),
    ],
)
def test_inputs_that_it_refuses(words, match, folder):
    with pytest.raises(Failure, match=match):
        run(*words)
    assert not (folder / "file.neff").exists()


def test_modules_that_it_refuses(good):
    with pytest.raises(Failure, match="EVRF064"):
        neuronx_cc.checked(b"not a module", "inf2")
    with pytest.raises(Failure, match="EVRF064.*does not name"):
        raw = hlo_module(lambda xp: [xp.parameter("x", (2,), "float32")], {"x": ((2,), "float32")})
        neuronx_cc.checked(raw, "inf2")
    # The sum of two (2, 3) arrays cannot have another shape: our reader does not mind, XLA does.
    damaged = good.replace(b"add", b"dot")
    assert damaged != good
    with pytest.raises(Failure, match="EVRF064"):
        neuronx_cc.checked(damaged, "inf2")


def test_a_published_refusal():
    def build(xp):
        wide = xp.astype(xp.parameter("x", (2, 3), "float32"), "float64")
        return [xp.astype(xp.add(wide, wide), "float32")]

    with pytest.raises(Failure, match="NCC_GN-F64"):
        neuronx_cc.checked(module(build), "inf2")


def test_as_a_program(tmp_path, good):
    program = install(tmp_path, "neuronx-cc") / "neuronx-cc"
    done = subprocess.run([program, "list-operators", "--framework", "XLA"], capture_output=True, text=True, check=True)
    assert {"dot", "convolution"} <= set(done.stdout.split()) and "fft" not in done.stdout.split()
    done = subprocess.run([program, *COMPILE], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 70 and "module.hlo.pb does not exist" in done.stderr
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("NeuronX Compiler version 2.")
