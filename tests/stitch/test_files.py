"""Files: written whole or not at all; what MXNet would crash on is refused."""

import json
import os

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.errors import ArtifactCorruptError, ExportError, GraphError
from gluon_neuron.stitch import files, in_place

OLD = {"arg:w": mx.nd.ones((2,))}
NEW = {"arg:w": mx.nd.zeros((2,))}


def content(path):
    return {p.name: p.read_bytes() for p in path.iterdir()}


def test_overwrites_whole_and_leaves_nothing_beside(tmp_path):
    files.write(tmp_path / "net", 0, "old", OLD, False)
    symbol, params = files.write(tmp_path / "net", 0, "new", NEW, False)
    assert sorted(content(tmp_path)) == ["net-0000.params", "net-symbol.json"]
    assert symbol.read_text() == "new"
    assert np.array_equal(files.read_params(params, False)[0]["w"].asnumpy(), [0, 0])
    assert params.stat().st_mode & 0o777 == 0o666 & ~in_place.umask()


@pytest.mark.parametrize("failing", [0, 1])
def test_a_failing_rename_changes_nothing(tmp_path, monkeypatch, failing):
    files.write(tmp_path / "net", 0, "old", OLD, False)
    before = content(tmp_path)
    calls = []
    rename = os.replace

    def replace(source, target):
        calls.append(target)
        if len(calls) - 1 == failing:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(ExportError, match="No space left"):
        files.write(tmp_path / "net", 0, "new", NEW, False)
    assert content(tmp_path) == before


def test_no_such_directory(tmp_path):
    with pytest.raises(ExportError, match="No such file or directory"):
        files.write(tmp_path / "absent" / "net", 0, "text", OLD, False)


def test_place_taken_by_a_directory(tmp_path):
    (tmp_path / "net-symbol.json").mkdir()
    with pytest.raises(ExportError, match="is a directory"):
        files.write(tmp_path / "net", 0, "text", OLD, False)
    assert sorted(content_names(tmp_path)) == ["net-symbol.json"]


def content_names(path):
    return [p.name for p in path.iterdir()]


def one_node(node):
    """A symbol of a variable and the given node, as JSON."""
    nodes = [{"op": "null", "name": "x", "inputs": []}, node]
    return json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0, 0]]})


BROKEN = [None, [], "text", ["{}"], [{"nodes": []}], [{"nodes": 1, "arg_nodes": [], "heads": []}]]


@pytest.mark.parametrize("subgraphs", BROKEN)
def test_subgraphs_that_would_crash_mxnet(subgraphs):
    node = {"op": "_neuron_subgraph_op", "name": "r0", "inputs": [[0, 0, 0]], "subgraphs": subgraphs}
    if subgraphs is None:
        del node["subgraphs"]
    with pytest.raises(GraphError, match="'r0'.*subgraphs"):
        files.check_symbol(one_node(node), "net-symbol.json")


def test_wrong_number_of_inputs():
    sub = {"nodes": [{"op": "null", "name": n, "inputs": []} for n in "ab"], "arg_nodes": [0, 1], "heads": []}
    node = {"op": "_neuron_subgraph_op", "name": "r0", "inputs": [[0, 0, 0]], "subgraphs": [sub]}
    with pytest.raises(GraphError, match="has 1 inputs, but its subgraph reads 2"):
        files.check_symbol(one_node(node), "net-symbol.json")


def test_unreadable_parameters(tmp_path):
    path = tmp_path / "net-0000.params"
    with pytest.raises(FileNotFoundError):
        files.read_params(path, False)
    mx.nd.save(str(path), OLD)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ArtifactCorruptError, match="truncated"):
        files.read_params(path, False)
    path.write_bytes(b"no parameters")
    with pytest.raises(ArtifactCorruptError):
        files.read_params(path, False)
