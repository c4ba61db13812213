"""The layout library in the tree is the one that is pinned, and another is refused."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest


@pytest.fixture
def take_dagre(load):
    """The module, which is no package's."""
    return load("take_dagre")


def packed(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_the_tree_has_what_is_pinned(take_dagre):
    for place, digest in take_dagre.FILES.values():
        assert hashlib.sha256((take_dagre.TREE / place).read_bytes()).hexdigest() == digest
    # Nothing that a browser would load besides.
    assert {p.name for p in take_dagre.TREE.iterdir()} == {place for place, _ in take_dagre.FILES.values()}


def test_takes_what_is_in_the_package(take_dagre, tmp_path, monkeypatch):
    files = {name: f"content of {name}".encode() for name in take_dagre.FILES}
    archive = packed(tmp_path / "package.tgz", files)
    pinned = {name: (place, hashlib.sha256(files[name]).hexdigest()) for name, (place, _) in take_dagre.FILES.items()}
    monkeypatch.setattr(take_dagre, "FILES", pinned)
    monkeypatch.setattr(take_dagre, "SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
    (tmp_path / "tree").mkdir()
    take_dagre.take(archive, tmp_path / "tree")
    assert (tmp_path / "tree" / "dagre.min.js").read_bytes() == b"content of package/dist/dagre.min.js"


def test_another_package_is_refused(take_dagre, tmp_path):
    archive = packed(tmp_path / "package.tgz", {"package/LICENSE": b"none"})
    with pytest.raises(SystemExit, match="is pinned in take_dagre.py"):
        take_dagre.take(archive, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["package.tgz"]
