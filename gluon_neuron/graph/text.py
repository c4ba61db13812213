"""A graph's JSON as text that MXNet reads."""

from __future__ import annotations

import json
from typing import Any


def to_text(raw: Any) -> str:
    r"""The text of a graph object. MXNet's reader takes UTF-8 as it is, and none of JSON's `\u` escapes."""
    return json.dumps(raw, ensure_ascii=False)
