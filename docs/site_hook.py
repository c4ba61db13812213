"""What MkDocs is told beyond mkdocs.yml: pages outside docs/, links to them, and marks that are not for readers."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]

OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/growth.png": "growth.png",
    "examples/README.md": "examples.md",
}
"""Files of the repository that the site has, and where."""

_HOME = {"README.md": "index.md"}
_LINK = re.compile(r"(?P<begin>!?\[(?P<text>[^\]]*)\]\()(?![a-z]+:|#)(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
_MARK = re.compile(r"^(\s*```\w+) needs-\w+$", re.MULTILINE)
"""The word that says why the tests do not run a block: MkDocs would take such a fence for no fence."""


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie outside docs/."""
    for path, place in OUTSIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Give a page the links of the site, as those that it has are right in the repository."""
    inside = {place: path for path, place in OUTSIDE.items()}
    path = inside.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return _MARK.sub(r"\1", links_of_site(markdown, path))


def links_of_site(markdown: str, path: str) -> str:
    """The text of a file of the repository with links as the site has them.

    What is in the repository and not on the site is named instead; what is in neither stays, and MkDocs refuses it.
    """

    def moved(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), link["target"]))
        place = OUTSIDE.get(target) or OUTSIDE.get(f"{target}/README.md") or _HOME.get(target)
        if place is None and target.startswith("docs/"):
            place = target.removeprefix("docs/")
        if place is not None:
            return f"{link['begin']}{place}{link['anchor'] or ''})"
        if not (ROOT / target).exists():
            return link[0]
        text = link["text"]
        return text if target in text else f"{text} (`{target}`)"

    # Code, the parts with odd numbers, is as it is.
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", markdown, flags=re.MULTILINE | re.DOTALL)
    if any("](" in code for code in parts[1::2]):
        return "".join(part if i % 2 else _LINK.sub(moved, part) for i, part in enumerate(parts))
    return _LINK.sub(moved, markdown)  # texts of links hold code as well
