"""gluon-neuron report: what files carry, without MXNet."""

from __future__ import annotations

import subprocess
import sys

import mxnet as mx
import pytest

import gluon_neuron
from tests.nets import conv_net, images
from tests.tools.line import document, fails, image_files, said


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    made = gluon_neuron.compile(conv_net(), images(), exclude_operators="Pooling")
    prefix = tmp_path_factory.mktemp("reported") / "made"
    made.export(prefix)
    return made, prefix


def test_report(compiled, capsys):
    made, prefix = compiled
    assert said(capsys, "report", prefix) == f"{made.report}\n"
    assert document(capsys, "report", f"{prefix}-symbol.json")["outside"][0]["category"] == "excluded"


def test_needs_no_mxnet(compiled, tmp_path):
    code = (
        "import sys; from gluon_neuron.tools.cli import main\n"
        f"assert main(['report', {str(compiled[1])!r}, '--html', {str(tmp_path / 'x.html')!r}]) == 0\n"
        "assert not {'mxnet', 'openvino', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_page(compiled, tmp_path, capsys):
    made, prefix = compiled
    page = tmp_path / "net.html"
    assert said(capsys, "report", prefix, "--html", page) == f"{made.report}\n\nWritten: {page}\n"
    made.report.save(tmp_path / "same.html")
    assert page.read_text() == (tmp_path / "same.html").read_text()
    assert document(capsys, "report", prefix, "--html", page)["written"] == str(page)
    assert "does not end in .html" in fails(capsys, "report", prefix, "--html", tmp_path / "net.txt")
    assert "cannot be written" in fails(capsys, "report", prefix, "--html", tmp_path / "absent" / "net.html")


def test_page_of_what_would_be_compiled(tmp_path, capsys):
    files = image_files(tmp_path)
    found = document(capsys, "analyze", files, "--shape", "1,3,16,16", "--html", tmp_path / "plan.html")
    assert found["written"] == str(tmp_path / "plan.html") and found["graph"]["nodes"]
    assert "region 0" in (tmp_path / "plan.html").read_text()


def test_errors(compiled, tmp_path, capsys):
    assert "carries no report" in fails(capsys, "report", image_files(tmp_path))
    sym, args, aux = mx.model.load_checkpoint(str(compiled[1]), 0)
    mx.model.save_checkpoint(str(tmp_path / "edited"), 0, mx.sym.relu(sym), args, aux)
    assert "was edited" in fails(capsys, "report", tmp_path / "edited")
    assert "nothing" in fails(capsys, "report", tmp_path / "absent")
    (tmp_path / "net-symbol.json").write_text("[")
    assert "is not an MXNet symbol's JSON" in fails(capsys, "report", tmp_path / "net")
