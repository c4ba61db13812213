"""What the machine has: device files, neuron-ls, type of instance, runtime; and the target that "auto" means."""

import json
import logging

import pytest

import gluon_neuron
from gluon_neuron.compiler.target_here import for_this_machine
from gluon_neuron.engine.devices import Sources, visible_cores
from gluon_neuron.options import CompileOptions

USER = {"pid": 7, "command": "python serve.py", "neuron_runtime_version": "2.0"}


def described(number, cores=2, memory=32 << 30, **more):
    """A device as `neuron-ls --json-output` lists it."""
    return {
        "neuron_device": number,
        "bdf": "00:1f.0",
        "cpu_affinity": "0-3",
        "numa_node": "-1",
        "connected_to": None,
        "nc_count": cores,
        "logical_neuroncore_config": 1,
        "memory_size": memory,
        "neuroncore_ids": list(range(number * cores, (number + 1) * cores)),
        "neuron_processes": [],
        **more,
    }


@pytest.fixture
def machine(tmp_path):
    """A function that makes a machine of this product name, with these devices; gives where to look."""

    def make(product=None, listed=None, files=None, says=None, status=0, **environ):
        dev = tmp_path / "dev"
        dev.mkdir()
        (dev / "neuron_other").touch()
        for number in range(len(listed or ()) if files is None else files):
            (dev / f"neuron{number}").touch()
        if product is not None:
            (tmp_path / "product").write_text(f"{product}\n")
        command = tmp_path / "neuron-ls"
        if listed is not None or says is not None:
            (tmp_path / "listed").write_text(says if says is not None else json.dumps(listed))
            check = '[ "$*" = "--json-output" ] || exit 9'
            command.write_text(f"#!/bin/sh\n{check}\ncat '{tmp_path}/listed'\nexit {status}\n")
            command.chmod(0o755)
        return Sources(dev, tmp_path / "product", str(command), environ)

    return make


@pytest.mark.parametrize(
    ("product", "listed", "chip"),
    [
        ("inf2.xlarge", [described(0)], "inf2"),
        ("trn1n.32xlarge", [described(i) for i in range(16)], "trn1"),
        ("trn2.48xlarge", [described(0, 4, 96 << 30)], "trn2"),
        ("inf1.xlarge", [described(0, 4, 8 << 30)], "inf1"),
        ("", [described(0, 4, 8 << 30)], "inf1"),
        ("", [described(0, 8, 96 << 30)], "trn2"),
        ("", [described(0)], None),
        ("m5.large", None, None),
        ("inf2.xlarge", None, None),
        (None, None, None),
    ],
)
def test_the_chip(machine, product, listed, chip):
    where = machine(product, listed)
    found = gluon_neuron.devices(where)
    assert found.chip == chip and found.total == (sum(d["nc_count"] for d in listed) if listed else None)
    assert len(found.files) == len(found.devices) == len(listed or ())
    assert for_this_machine(CompileOptions(), where).target == (chip or "cpu")
    assert for_this_machine(CompileOptions(target="trn1"), where).target == "trn1"


def test_what_is_listed(machine):
    where = machine("inf2.24xlarge", [described(0, neuron_processes=[USER]), described(1, connected_to=[0])])
    found = gluon_neuron.devices(where)
    assert [d.cores for d in found.devices] == [(0, 1), (2, 3)] and found.devices[1].connected_to == (0,)
    assert found.devices[0].processes[0].pid == 7
    text = str(found)
    assert "Instance: inf2.24xlarge; chip: inf2" in text and "NeuronCores: 4, 4 for this process, 4 free" in text
    assert "neuron0: cores 0, 1, 32 GiB, used by 7 python serve.py" in text
    assert any("There is no Neuron runtime" in note for note in found.notes)


def test_a_driver_that_is_missing_is_said(machine):
    found = gluon_neuron.devices(machine("inf2.xlarge"))
    assert any("its driver is not installed (aws-neuronx-dkms)" in note for note in found.notes)


def test_what_auto_means_is_logged(machine, caplog):
    with caplog.at_level(logging.INFO):
        for_this_machine(CompileOptions(), machine("inf2.xlarge", [described(0)]))
    assert "target='auto' is 'inf2' here. Instance: inf2.xlarge; chip: inf2" in caplog.text


def test_a_chip_that_cannot_be_told_is_a_warning(machine, caplog):
    for_this_machine(CompileOptions(), machine("", [described(0)]))
    (record,) = caplog.records
    assert record.levelname == "WARNING" and "GLUON_NEURON_INSTANCE=inf2.xlarge" in record.getMessage()
    caplog.clear()


def test_the_environment_names_the_instance(machine):
    assert gluon_neuron.devices(machine("", [described(0)], GLUON_NEURON_INSTANCE="trn1.2xlarge")).chip == "trn1"


@pytest.mark.parametrize(
    ("environ", "visible"),
    [
        ({"NEURON_RT_VISIBLE_CORES": "1-2"}, 2),
        ({"NEURON_RT_VISIBLE_CORES": "3", "NEURON_RT_NUM_CORES": "2"}, 1),
        ({"NEURON_RT_NUM_CORES": "2"}, 2),
        ({"NEURON_RT_NUM_CORES": "0"}, 4),
        ({"NEURON_RT_VISIBLE_CORES": "all"}, None),
    ],
)
def test_visible_cores_without_a_runtime(machine, environ, visible):
    found = gluon_neuron.devices(machine("inf2.24xlarge", [described(0), described(1)], **environ))
    assert found.visible == visible
    assert any("NEURON_RT_VISIBLE_CORES=all is not a list" in n for n in found.notes) == (visible is None)


def test_lists_of_cores():
    assert visible_cores("0") == (0,)
    assert visible_cores("0, 2-4") == (0, 2, 3, 4)
    assert [visible_cores(t) for t in ("", "a", "3-1", "-1", "0,,1")] == [None] * 5


@pytest.mark.parametrize(
    ("says", "status", "note"),
    [
        ("no devices", 1, "ended with 1: no devices"),
        ("{", 0, "does not understand"),
        ('[{"neuron_device": 0}]', 0, "does not understand: KeyError('nc_count')"),
    ],
)
def test_a_neuron_ls_that_fails(machine, says, status, note):
    found = gluon_neuron.devices(machine("inf2.xlarge", files=1, says=says, status=status))
    assert found.chip == "inf2" and found.devices == () and any(note in n for n in found.notes)


def test_the_runtime_counts(chip, monkeypatch):
    found = gluon_neuron.devices()
    assert (found.total, found.visible, found.free) == (4, 4, 4) and found.library.endswith("libnrt.so.1")


def test_in_a_notebook(machine):
    found = gluon_neuron.devices(machine("inf2.xlarge", [described(0, neuron_processes=[{**USER, "command": "<i>"}])]))
    html = found._repr_html_()
    assert "inf2.xlarge" in html and "<td" in html and "32 GiB" in html and "7 &lt;i&gt;" in html
    assert "<script" not in html and all(f in html for f in found.files)


def test_in_a_notebook_without_a_chip(machine):
    html = gluon_neuron.devices(machine("m5.large"))._repr_html_()
    assert "m5.large" in html and "none" in html and "<details>" not in html
