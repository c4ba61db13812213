"""Serializes an OpenVINO model without its weights: IR text whose weights' places are patched when it is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dialect.in_openvino.importing import import_openvino
from ...errors import CompileError
from ..base import DATA, UNUSED, WEIGHT, RegionJob
from ..scratch import scratch_folder
from .bf16_products import exact_float32, keep_float32
from .constant_overwrite import prevent_constant_overwrite
from .dense_layers import rewrite_dense_layers
from .features import AVX512, has_avx512, recorded
from .shared_weights import separate_shared_weights

_LAYER = re.compile(rb'<layer id="\d+" name="([^"]*)" type="(Parameter|Const)" version="opset1">\s*<data ([^>]*)/>')
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
_WHOLE_LAYER = re.compile(rb'<layer id="\d+" name="([^"]*)".*?</layer>', re.DOTALL)
_LAYER_END = b"</layer>"
_KEEPS_PRECISION = b'<rt_info><attribute name="precise" version="0" /></rt_info>'
_DIGITS = 20
_LITERAL_ALIGNMENT = 64


@dataclass(frozen=True)
class PreparedModel:
    """A region's model in the forms that the engine runs fastest, ready to be written.

    `nodes` are the parameters by name; `data`, `bound` and `baked` are the names of those that the model reads: data,
    weights that are bound when it is loaded, and weights that are written with it. `float32` names the nodes to mark,
    `halved` the parameters that stand for 64-bit integers.
    """

    model: Any
    nodes: Mapping[str, Any]
    roles: Mapping[str, str]
    data: tuple[str, ...]
    bound: tuple[str, ...]
    baked: tuple[str, ...]
    float32: Set[str]
    halved: Set[str]
    for_avx512: bool


def prepare_model(
    xp: Any, outputs: list[Any], job: RegionJob, cast: str = "none", any_shape: bool = False
) -> PreparedModel:
    """The model with every weight as a parameter. Its nodes' forms follow the shapes, except with `any_shape`.

    With `cast` "matmult" products alone are in bfloat16, in the engine's mode for that.
    """
    nodes = xp.parameters
    used = {n for n, node in nodes.items() if len(node.output(0).get_target_inputs()) > 0}
    used |= _passed_through(outputs, nodes)
    if any_shape:
        used |= set(job.data)  # at another shape, values may be computed from their shapes
    # Some inputs are not read by the program.
    roles = {n: job.roles[n] if n in used else UNUSED for n in job.roles}
    baked = tuple(n for n in nodes if n in used and n in job.values)
    bound = tuple(n for n in job.inputs if roles[n] == WEIGHT)
    data = tuple(n for n in job.inputs if roles[n] == DATA)
    model = xp.model(outputs, [*data, *bound, *baked])
    prevent_constant_overwrite(model, set(data))
    # In bfloat16 products get forms of their own.
    rewritten = rewrite_dense_layers(model, set(data), has_avx512() and cast != "matmult", any_shape)
    separate_shared_weights(model, set(data))
    float32: Set[str] = frozenset()
    if cast == "matmult":
        float32 = keep_float32(model, set(data), xp.exact)
    elif cast == "all":
        float32 = exact_float32(model.get_ordered_ops(), xp.exact)
    halved = frozenset(xp.halved)
    return PreparedModel(model, nodes, roles, data, bound, baked, float32, halved, rewritten.for_avx512)


def serialize(prepared: PreparedModel, job: RegionJob) -> tuple[bytes, dict[str, Any]]:
    """The payload's bytes, and how the engine reads them.

    In the text, the weights' layers become constants whose offset the engine sets to the place where MXNet keeps the
    array, so that no weight is copied here. OpenVINO merges equal constants when it writes them, which is why the
    weights cannot be written as constants in the first place.
    """
    data, bound, baked = list(prepared.data), prepared.bound, prepared.baked
    layer_names = {prepared.nodes[n].get_friendly_name(): n for n in (*data, *bound, *baked)}
    xml, literals = _write(prepared.model)
    xml = _mark(xml, prepared.float32)
    editor = _Editor(xml, literals)
    editor.rewrite(layer_names, data, {n: job.values[n] for n in baked})
    index = {n: i for i, n in enumerate(job.inputs)}
    if editor.order != data:
        raise CompileError(f"OpenVINO wrote the inputs as {editor.order}, not as {data}.")
    xml_text, literal_bytes = bytes(editor.out), bytes(editor.literals)
    start = len(xml_text) + -len(xml_text) % _LITERAL_ALIGNMENT
    payload = xml_text + bytes(start - len(xml_text)) + literal_bytes
    program = {
        "xml": [0, len(xml_text)],
        "literals": [start, len(literal_bytes)],
        "weights": [[index[n], editor.positions[n]] for n in bound],
        "literal_positions": editor.literal_positions,
        "data": [index[n] for n in data],
        # Of 64-bit integers the program reads the two halves, as an array of int32 with one more axis.
        **({"halves": halved} if (halved := [index[n] for n in data if n in prepared.halved]) else {}),
        # What the machine had on which it was made, and what of that its form is for: a machine without makes it again.
        "made_on": recorded(),
        "made_for": list(AVX512) if prepared.for_avx512 else [],
    }
    return payload, program


def _passed_through(outputs: list[Any], nodes: dict[str, Any]) -> set[str]:
    by_layer = {node.get_friendly_name(): n for n, node in nodes.items()}
    layers = [out.v.get_node().get_friendly_name() for out in outputs if not out.known]
    return {by_layer[layer] for layer in layers if layer in by_layer}


def _write(model: Any) -> tuple[bytes, bytes]:
    with scratch_folder() as folder:
        xml, literals = folder / "model.xml", folder / "model.bin"
        import_openvino().serialize(model, str(xml), str(literals))
        return xml.read_bytes(), literals.read_bytes()


def with_marks(model: Any, float32: Set[str]) -> Any:
    """The model as the engine will read it, with its marks."""
    if not float32:
        return model
    xml, literals = _write(model)
    openvino = import_openvino()
    return openvino.Core().read_model(_mark(xml, float32), openvino.Tensor(np.frombuffer(literals, np.uint8)))


def _mark(xml: bytes, float32: Set[str]) -> bytes:
    """The text in which the layers of these names say that they are computed in float32 whatever the engine's mode."""

    def marked(match: re.Match[bytes]) -> bytes:
        if _unescape(match.group(1).decode()) not in float32:
            return match.group()
        return match.group()[: -len(_LAYER_END)] + _KEEPS_PRECISION + _LAYER_END

    return _WHOLE_LAYER.sub(marked, xml) if float32 else xml


class _Editor:
    """Copies the IR's text, turning weights into constants and noting where each offset stands."""

    def __init__(self, xml: bytes, literals: bytes) -> None:
        self.xml = xml
        self.literals = bytearray(literals)
        self.out = bytearray()
        self.positions: dict[str, list[int]] = {}
        self.literal_positions: list[list[Any]] = []
        self.order: list[str] = []

    def rewrite(self, names: dict[str, str], data: list[str], values: dict[str, Any]) -> None:
        last = 0
        for match in _LAYER.finditer(self.xml):
            layer = match.group(1).decode()
            attributes = {k.decode(): v.decode() for k, v in _ATTRIBUTE.findall(match.group(3))}
            self.out += self.xml[last : match.start()]
            text = self.xml[match.start() : match.end()]
            last = match.end()
            if match.group(2) == b"Const":
                self._constant(text, int(attributes["offset"]), int(attributes["size"]))
                continue
            name = names[_unescape(layer)]
            if name in data:
                self.order.append(name)
                self.out += text
            elif name in values:
                raw = values[name]
                self.literals += bytes(-len(self.literals) % _LITERAL_ALIGNMENT)
                offset = len(self.literals)
                self.literals += raw
                self._constant(_as_constant(text, attributes, offset, len(raw)), offset, len(raw))
            else:
                size = _nbytes(attributes)
                start = len(self.out)
                constant = _as_constant(text, attributes, 0, size)
                self.out += constant
                self.positions.setdefault(name, []).append(start + constant.index(b'offset="') + len(b'offset="'))
        self.out += self.xml[last:]

    def _constant(self, text: bytes, offset: int, size: int) -> None:
        padded = re.sub(rb'offset="\d+"', b'offset="%0*d"' % (_DIGITS, offset), text)
        position = len(self.out) + padded.index(b'offset="') + len(b'offset="')
        self.out += padded
        self.literal_positions.append([offset, size, [position]])


def _as_constant(text: bytes, attributes: dict[str, str], offset: int, size: int) -> bytes:
    head = text[: text.index(b"<data ")].replace(b'type="Parameter"', b'type="Const"')
    shape = attributes["shape"].encode()
    kind = attributes["element_type"].encode()
    return head + b'<data element_type="%s" shape="%s" offset="%0*d" size="%d" />' % (
        kind,
        shape,
        _DIGITS,
        offset,
        size,
    )


_BITS = {"f32": 4, "f16": 2, "bf16": 2, "i32": 4, "i64": 8, "i8": 1, "u8": 1, "boolean": 1, "f64": 8}


def _nbytes(attributes: dict[str, str]) -> int:
    size = _BITS[attributes["element_type"]]
    for extent in attributes["shape"].split(","):
        size *= int(extent) if extent.strip() else 1
    return size


def _unescape(text: str) -> str:
    from xml.sax.saxutils import unescape

    text = re.sub(r"&#(\d+);", lambda code: chr(int(code.group(1))), text)  # tabs and line breaks
    return unescape(text, {"&quot;": '"', "&apos;": "'"})
