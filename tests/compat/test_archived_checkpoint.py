"""Checkpoints of the archived package are recognised: compiled again for the CPU, or refused with the reason."""

from __future__ import annotations

import tempfile

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.artifact.container import MAGIC
from gluon_neuron.errors import InputError
from gluon_neuron.tools.cli import main
from tests.agreement import agree
from tests.compat.nets import SHAPE, archived, checkpoint, image, run
from tests.nets import artifact_name
from tests.static import static_programs_alone  # noqa: F401

REASON = "archived Neuron package runs on Inf1 only: compile what load_checkpoint gives again"


@pytest.fixture(params=[{}, {"counted": True}, {"front": True}], ids=str)
def files(request, tmp_path):
    """The prefix of a checkpoint in one of the ways its node may be written."""
    prefix = str(tmp_path / "old")
    mx.model.save_checkpoint(prefix, 0, *archived(cores=4, **request.param))
    return prefix


def test_it_runs_on_the_cpu_when_compiled_again(files):
    sym, args, aux = mx.contrib.neuron.compile(*mx.model.load_checkpoint(files, 0), {"data": image()})
    x = image(1)
    agree(run(sym, args, aux, x)[0], run(*checkpoint(), x)[0], 1e-4, 1e-5)
    assert gluon_neuron.get_report(sym).compiled_operators == 9
    assert args[artifact_name(args)].asnumpy()[: len(MAGIC)].tobytes() == MAGIC


def test_load_refuses_with_the_reason(files):
    with pytest.raises(InputError, match=r"archived Neuron package: its programs run on Inf1 only.*compile it again"):
        gluon_neuron.load(files)


def test_check_model_reads_its_cores(files, capsys):
    assert main(["check-model", files]) == 0
    text = capsys.readouterr().out
    assert "at least 4 NeuronCore(s)" in text
    assert "NEFF of the archived package" in text
    assert "* Total inference operations: 9\n" in text


def bind(sym, args, aux):
    run(sym, args, aux, image())


def simple_bind(sym, args, aux):
    executor = sym.simple_bind(mx.neuron(), data=SHAPE, grad_req="null")
    executor.copy_params_from(args, aux)
    executor.forward(data=image())[0].wait_to_read()


def module(sym, args, aux):
    made = mx.mod.Module(sym, label_names=None)
    made.bind(for_training=False, data_shapes=[("data", SHAPE)])
    made.set_params(args, aux, allow_missing=True, allow_extra=True)
    made.forward(mx.io.DataBatch([image()]))
    made.get_outputs()[0].wait_to_read()


def symbol_block(sym, args, aux):
    with tempfile.TemporaryDirectory() as folder:
        mx.model.save_checkpoint(f"{folder}/old", 0, sym, args, aux)
        files = f"{folder}/old-symbol.json", ["data", "softmax_label"], f"{folder}/old-0000.params"
        net = mx.gluon.SymbolBlock.imports(*files)
    net(image(), mx.nd.zeros((SHAPE[0],))).wait_to_read()


@pytest.mark.parametrize("way", [bind, simple_bind, module, symbol_block])
def test_running_it_as_it_is_says_why_not(way):
    with pytest.raises(mx.base.MXNetError, match=REASON):
        way(*archived(counted=True))


@pytest.mark.parametrize("way", [bind, simple_bind, module, symbol_block])
def test_mxnet_refuses_nodes_that_do_not_count_their_artifact(way):
    # Before any code of ours is asked: docs/migration.md says so.
    count = r"input_nodes\(\)\.size\(\) == in_\w+->size\(\)|Number of inputs to operator \w*_neuron_subgraph_op"
    with pytest.raises((mx.base.MXNetError, RuntimeError), match=count):
        way(*archived())
