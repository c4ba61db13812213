"""Takes the layout library of a report's page out of its npm package: `python build_backend/take_dagre.py`.

Its built file is in the tree, so that building and using need no npm: this is for another version, whose digests are
then written here.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE, VERSION = "@dagrejs/dagre", "3.1.3"
SHA256 = "12441833c8af49e5a241d94bfd53159875965876b3f4f3214abafe1ed6a9ee4c"
"""Of the package as npm has it."""

FILES = {
    "package/LICENSE": ("LICENSE", "6a349742a6cb219d5a2fc8d0844f6d89a6efc62e20c664450d884fc7ff2d6015"),
    "package/dist/dagre.min.js": (
        "dagre.min.js",
        "54a503e346f93ca0bb10abe7999587e037262935687aca45eb4e4b0f64bbb578",
    ),
}
"""What is taken: by its name in the package, its name in the tree and its digest."""

TREE = Path(__file__).resolve().parents[1] / "gluon_neuron" / "pages" / "third_party" / "dagre"


def take(archive: Path, tree: Path = TREE) -> None:
    """Put the files of the package into the tree. Ends with one line where a digest is not the one that is pinned."""
    check(PACKAGE, archive.read_bytes(), SHA256)
    with tarfile.open(archive) as packed:
        for name, (place, digest) in FILES.items():
            member = packed.extractfile(name)
            assert member is not None, f"{PACKAGE} has no {name}"
            content = member.read()
            check(name, content, digest)
            (tree / place).write_bytes(content)


def check(name: str, content: bytes, digest: str) -> None:
    """End with one line where the content does not have this SHA-256."""
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise SystemExit(f"{name} has the SHA-256 {found}, and {digest} is pinned in {Path(__file__).name}.")


def main() -> None:
    """Have npm fetch the package, and take the files."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{PACKAGE}@{VERSION}", "--silent"]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        take(Path(folder, done.stdout.split()[-1]))
    print(f"{PACKAGE} {VERSION} is in {TREE}.", file=sys.stderr)


if __name__ == "__main__":
    main()
