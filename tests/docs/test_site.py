"""The site builds without a warning, without MXNet and a network, and has every page, option and error on it."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest

from docs.site_hook import OUTSIDE, links_of_site, on_page_markdown
from gluon_neuron import errors
from gluon_neuron.options import CompileOptions
from tests.docs.fences import PAGES, ROOT

# Whoever builds the site needs no MXNet and no engine: importing one ends the build. Nor does it connect.
ALONE = """
import runpy, socket, sys
for name in ("mxnet", "openvino", "jax", "gluon_neuron"):
    sys.modules[name] = None
def refuse(*_):
    raise AssertionError("the site's build asks a network")
socket.socket.connect = refuse
sys.argv[0] = "mkdocs"
runpy.run_module("mkdocs", run_name="__main__")
"""
OPTIONS = [f.name for f in dataclasses.fields(CompileOptions)]
ERRORS = [
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.GluonNeuronError)
]


def build(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        ALONE,
        "build",
        "--strict",
        "--config-file",
        str(config),
        "--site-dir",
        str(folder),
    ]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def text_of(page: Path) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))).split())


def test_every_page_is_there_and_in_the_navigation(site):
    places = {f"{Path(p).stem}.html" for p in PAGES if p != "README.md"}
    places |= {place.replace(".md", ".html") for place in OUTSIDE.values() if place.endswith(".md")}
    assert places == {p.name for p in site.glob("*.html")} - {"404.html"}
    named = set(re.findall(r"[\w-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert {p.replace(".html", ".md") for p in places} == named


def test_nothing_comes_from_a_network(site):
    loads = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"?((?:https?:)?//[^\s\">]+)")
    assert [
        (p.name, found) for p in site.rglob("*.html") for found in loads.findall(p.read_text(encoding="utf-8"))
    ] == []
    styles = [
        (p.name, found) for p in site.rglob("*.css") for found in re.findall(r"url\(\"?(https?:[^)]+)", p.read_text())
    ]
    assert styles == []


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_its_text(site, name):
    page = (site / "options.html").read_text(encoding="utf-8")
    assert f'id="gluon_neuron.options.CompileOptions.{name}"' in page
    after = page.partition(f'id="gluon_neuron.options.CompileOptions.{name}"')[2]
    assert re.search(r"<p>.{20,}", after.partition('id="gluon_neuron.options.CompileOptions.')[0])


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_its_text(site, name):
    assert f'id="gluon_neuron.errors.{name}"' in (site / "errors.html").read_text(encoding="utf-8")
    said = " ".join((getattr(errors, name).__doc__ or "").split("\n\n")[0].replace("`", "").split())
    assert said and said in text_of(site / "errors.html")


def test_every_public_name_is_there(site):
    import gluon_neuron

    text = "".join((site / f"{n}.html").read_text(encoding="utf-8") for n in ("api", "options", "errors"))
    names = set(gluon_neuron.__all__) - {"__version__", "errors", "model_zoo"}
    assert [n for n in sorted(names) if not re.search(rf'id="gluon_neuron\.[\w.]*\b{n}[".]', text)] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a page](install.md#installing)", None),
        ("[no page](nowhere.md)", "nowhere.md"),
        ("[no heading](install.md#nowhere)", "#nowhere"),
        ("[out of the repository](../nowhere/README.md)", "../nowhere/README.md"),
        ("::: gluon_neuron.nowhere", "gluon_neuron.nowhere"),
    ],
)
def test_what_is_wrong_ends_the_build(tmp_path, text, said):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "install.md").write_text("# Installing\n")
    (docs / "index.md").write_text(f"# Home\n\n{text}\n")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    config = re.sub(r"^nav:.*", "nav: [index.md, install.md]\n", config, flags=re.M | re.S)
    # The hook's own pages link to others.
    config = config.replace("hooks: [docs/site_hook.py]", "").replace("paths: [.]", f"paths: ['{ROOT}']")
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    done = build(tmp_path / "mkdocs.yml", tmp_path / "out")
    assert (done.returncode == 0) == (said is None), done.stderr
    assert (said or "") in done.stderr


@pytest.mark.parametrize(
    ("path", "link", "made"),
    [
        ("docs/neuron.md", "[a](hlo-checks.md#b)", "[a](hlo-checks.md#b)"),
        ("docs/python.md", "[a](../CHANGELOG.md#b)", "[a](changelog.md#b)"),
        ("CHANGELOG.md", "[a](docs/neuron.md#buckets)", "[a](neuron.md#buckets)"),
        ("benchmarks/README.md", "![a](growth.png)", "![a](growth.png)"),
        ("examples/README.md", "[on_inf2.sh](on_inf2.sh)", "on_inf2.sh (`examples/on_inf2.sh`)"),
        ("docs/install.md", "[a](../README.md)", "[a](index.md)"),
        ("docs/install.md", "[a](../nowhere.md)", "[a](../nowhere.md)"),
        ("docs/install.md", "[a](https://e.org/x) [b](#c) `[d](../README.md)`", None),
        ("docs/install.md", "```sh\n[d](../README.md)\n```", None),
    ],
)
def test_links(path, link, made):
    assert links_of_site(link, path) == (link if made is None else made)


def test_marks_are_not_for_readers():
    page = SimpleNamespace(file=SimpleNamespace(src_uri="neuron.md"))
    given = "```python needs-chip\nx\n```\n\n```sh\ny\n```\n"
    assert on_page_markdown(given, page) == given.replace(" needs-chip", "")
