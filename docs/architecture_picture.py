"""Draws docs/architecture.svg: the way of a model, and that of a call: `make docs`."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

_WIDTH, _HEIGHT = 1120, 545
_STYLE = """
text { font-family: system-ui, sans-serif; fill: #1f2430; text-anchor: middle; }
.title { font-size: 17px; font-weight: 600; text-anchor: start; fill: #3949ab; }
.name { font-size: 14px; font-weight: 600; }
.room { font-size: 12px; font-family: ui-monospace, monospace; fill: #5c6370; }
.note { font-size: 11.5px; fill: #5c6370; }
rect { rx: 8; stroke-width: 1.5; }
.thing { fill: #ffffff; stroke: #9aa3b5; }
.phase { fill: #e8eaf6; stroke: #5c6bc0; }
.engine { fill: #fbe9e7; stroke: #e64a19; }
path { fill: none; stroke: #5c6370; stroke-width: 1.6; marker-end: url(#tip); }
.aside { stroke-dasharray: 5 4; }
"""
Box = tuple[str, str, str, int, int, int, int]
"""Its class, its name, the folder or a note below it, and x, y, width and height."""

_W, _H = 160, 58
_COLUMNS = (25, 207, 389, 571, 753, 935)
_FIRST, _SECOND, _CALL, _ENGINES = 62, 172, 342, 462

_BOXES: dict[str, Box] = {
    "block": ("thing", "HybridBlock", "or a Symbol", _COLUMNS[0], _FIRST, _W, _H),
    "export": ("phase", "export", "frontend/", _COLUMNS[1], _FIRST, _W, _H),
    "graph": ("phase", "Graph", "graph/", _COLUMNS[2], _FIRST, _W, _H),
    "partition": ("phase", "partition", "partition/", _COLUMNS[3], _FIRST, _W, _H),
    "lower": ("phase", "lower", "lowering/  dialect/", _COLUMNS[4], _FIRST, _W, _H),
    "compile": ("phase", "compile", "targets/", _COLUMNS[5], _FIRST, _W, _H),
    "pack": ("phase", "Artifact", "artifact/", _COLUMNS[5], _SECOND, _W, _H),
    "stitch": ("phase", "stitch", "stitch/", _COLUMNS[4], _SECOND, _W, _H),
    "compiled": ("thing", "NeuronHybridBlock", "parameters, report", _COLUMNS[3], _SECOND, _W, _H),
    "files": ("thing", "two files", "symbol.json, .params", _COLUMNS[2], _SECOND, _W, _H),
    "call": ("thing", "a call", "arrays", _COLUMNS[0], _CALL, _W, _H),
    "mxnet": ("phase", "MXNet's engine", "the partitioned graph", _COLUMNS[1], _CALL, _W, _H),
    "operator": ("phase", "native operator", "native/call", _COLUMNS[2] + 91, _CALL, _W, _H),
    "model": ("phase", "bound program", "native/model", _COLUMNS[4], _CALL, _W, _H),
    "openvino": ("engine", "OpenVINO", "CPU", _COLUMNS[5], _CALL - 38, _W, _H),
    "libnrt": ("engine", "libnrt", "NeuronCore", _COLUMNS[5], _CALL + 38, _W, _H),
    "own": ("thing", "MXNet operators", "what is not compiled", _COLUMNS[1], _ENGINES, _W, _H),
    "background": ("phase", "another shape", "made in the background", _COLUMNS[2] + 91, _ENGINES, _W, _H),
}
_ARROWS = (
    *("block export", "export graph", "graph partition", "partition lower", "lower compile", "compile pack"),
    *("pack stitch", "partition compiled", "stitch compiled", "compiled files"),
    *(
        "call mxnet",
        "mxnet operator",
        "operator model",
        "model openvino",
        "model libnrt",
        "mxnet own",
        "operator background",
    ),
)
_ASIDE = ("partition compiled", "operator background")


def picture() -> str:
    """The drawing as SVG; a card of its own colours, which light and dark pages can both show."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="From a block to a compiled block, and a call of it">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" style="fill: #5c6370; stroke: none; marker-end: none"/></marker></defs>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="12" fill="#f7f8fb"/>',
        '<text class="title" x="25" y="38">Compiling: compiler/pipeline.py calls each phase</text>',
        '<text class="title" x="25" y="290">Running: no Python in a call</text>',
        f'<text class="note" x="{_COLUMNS[3] + _W // 2 - 10}" y="{_SECOND - 20}" style="text-anchor: end">'
        "why the rest stays</text>",
    ]
    parts += [_arrow(*pair.split(), aside=pair in _ASIDE) for pair in _ARROWS]
    parts += [_box(*box) for box in _BOXES.values()]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _box(kind: str, name: str, below: str, x: int, y: int, width: int, height: int) -> str:
    middle = x + width // 2
    style = "room" if "/" in below else "note"
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"/>'
        f'<text class="name" x="{middle}" y="{y + 26}">{escape(name)}</text>'
        f'<text class="{style}" x="{middle}" y="{y + 44}">{escape(below)}</text>'
    )


def _arrow(source: str, target: str, aside: bool) -> str:
    """From the side of one box that looks at the other to that other's nearest side."""
    *_, x, y, width, height = _BOXES[source]
    *_, to_x, to_y, to_width, to_height = _BOXES[target]
    begin, end = (x + width, y + height // 2), (to_x, to_y + to_height // 2)
    if to_x + to_width <= x:
        begin, end = (x, y + height // 2), (to_x + to_width, to_y + to_height // 2)
    elif not x + width <= to_x:
        begin, end = (x + width // 2, y + height), (x + width // 2, to_y)
    middle = (begin[0] + end[0]) // 2
    level = begin[1] == end[1] or begin[0] == end[0]
    way = f"L{end[0]} {end[1]}" if level else f"C{middle} {begin[1]} {middle} {end[1]} {end[0]} {end[1]}"
    style = ' class="aside"' if aside else ""
    return f'<path{style} d="M{begin[0]} {begin[1]} {way}"/>'


def main() -> None:
    """Write the drawing to the file that the command line names."""
    Path(sys.argv[1]).write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
