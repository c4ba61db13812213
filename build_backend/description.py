"""The long description of the package's metadata: the README, whose links must not need the repository."""

from __future__ import annotations

import re

_PICTURE = re.compile(r"!\[([^\]]*)\]\((?![a-z]+:)([^)\s]+)\)\n*")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)")


def long_description(readme: str, home: str = "") -> str:
    """The README with absolute links: to the files of the repository at `home`, as GitHub and GitLab show them.

    Without a public repository, what a link leads to is named as the source distribution has it, and pictures are left
    out.
    """
    raw = r"![\1](" + home.rstrip("/") + r"/raw/main/\2)\n\n"
    readme = _PICTURE.sub(raw if home else "", readme)

    def absolute(link: re.Match[str]) -> str:
        text, target = link.groups()
        if home:
            return f"[{text}]({home.rstrip('/')}/blob/main/{target})"
        path = target.partition("#")[0]
        return text if path in text else f"{text} ({path})"

    return _LINK.sub(absolute, readme)
