"""Products in bfloat16 with everything else in float32, as `auto_cast="matmult"` says, by OpenVINO's own bfloat16 mode.

In that mode the plugin rounds what a product reads to bfloat16 and accumulates in float32, as a NeuronCore does, but it
stores the result in bfloat16 and computes all else so too. A node marked as precise keeps float32, and the result of a
product is stored as the last node says that the plugin computes in the same kernel (seen in OpenVINO 2026.4). So all
nodes but products are marked, and a product that ends in nothing, or in its bias, gets an activation that changes no
number: a leaky ReLU of slope 1. Where only products read a value they would round it anyway: it is stored in bfloat16.
"""

from __future__ import annotations

from collections.abc import Set
from itertools import takewhile
from typing import Any

from ...dialect.in_openvino.builder import Builder
from .kept_products import TRANSPOSED, channel_axis, own_biases, separate_scale, store_float32
from .marked_forms import scale_and_shift, write_with_marks_kept
from .walk import walk

_PRODUCTS = frozenset(
    ("Convolution", "ConvolutionBackpropData", "GroupConvolution", "GroupConvolutionBackpropData", "MatMul")
)
_ACTIVATIONS = frozenset(
    ("Abs", "Clamp", "Elu", "Gelu", "HSigmoid", "HSwish", "Mish", "Relu", "Sigmoid", "SoftPlus", "Sqrt", "Tanh")
)
"""What the plugin computes with the product before it, and what keeps its mark until then."""

_COMMUTES = frozenset(
    ("Clamp", "Concat", "MaxPool", "Relu", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze")
)
"""What gives the same when its input was rounded as when its output is."""


_PLACES = frozenset(("GridSample", "ROIAlign", "ROIPooling"))
"""What takes positions as floats."""


def keep_float32(model: Any, data: Set[str], exact: Set[str] = frozenset()) -> frozenset[str]:
    """Prepare a model whose parameters of data are called as in `data`; returns the names of the nodes to be marked.

    The products called as in `exact` are among those.
    """
    build = Builder()
    varying: set[str] = set()
    nodes = [node for node, _ in walk(model.get_ordered_ops(), data, varying)]
    products = _products(nodes, exact)
    product_names = {n.get_name() for n in products if n.get_type_name() not in TRANSPOSED}
    rounded = _rounded_by_readers(nodes, product_names)
    unmarked = {n.get_friendly_name() for n in nodes if n.get_type_name() in _COMMUTES and n.get_name() in rounded}
    summed: set[str] = set()
    own_biases(build, products, varying)
    for product in products:
        chain, activated = _computed_with(product, varying)
        end = chain[-1]
        if end.get_name() in rounded:
            unmarked.update(n.get_friendly_name() for n in (*chain, *_add_in_float32(build, chain)))
        elif activated or _is_summed(chain, summed) or store_float32(build, chain):
            unmarked.add(product.get_friendly_name())
    # What is stored for a sum is what the sum reads.
    unmarked -= {n.get_friendly_name() for n in nodes if _reads(n, summed)}
    marked = [n for n in nodes if n.get_friendly_name() not in unmarked]
    separate_scale(build, [n for n in marked if n.get_type_name() in _PRODUCTS], varying)
    write_with_marks_kept(build, marked, varying)
    model.validate_nodes_and_infer_types()
    nodes = model.get_ordered_ops()
    return frozenset({n.get_friendly_name() for n in nodes if _is_float32(n)} - unmarked) | exact_float32(nodes, exact)


def exact_float32(nodes: list[Any], exact: Set[str] = frozenset()) -> frozenset[str]:
    """The names of the nodes that make whole numbers or truth values of float32, or read positions, and of what these
    follow from, as far as the products before: of positions and lengths beyond 256 bfloat16 makes others."""
    found: set[str] = set()
    names: set[str] = set()
    products = {n.get_name() for n in _products(nodes, exact)}
    for node in reversed(nodes):
        readers = [place.get_node() for value in node.outputs() for place in value.get_target_inputs()]
        decides = any(map(_is_float, node.input_values())) and not all(map(_is_float, node.outputs()))
        decides = decides or node.get_type_name() in _PLACES
        if decides or (_is_float32(node) and any(r.get_name() in found for r in readers)):
            if node.get_name() in products:
                continue
            found.add(node.get_name())
            names.add(node.get_friendly_name())
    return frozenset(names)


def marks_of_new(model: Any, known: Set[str]) -> frozenset[str]:
    """The names of the nodes of float32 that are not called as in `known`: numbers that follow from extents."""
    return frozenset({n.get_friendly_name() for n in model.get_ordered_ops() if _is_float32(n)} - known)


def _is_float32(node: Any) -> bool:
    """Whether the node reads or gives float32."""
    values = (*node.input_values(), *node.outputs())
    return node.get_type_name() not in ("Parameter", "Constant", "Result") and any(map(_is_float, values))


def _is_float(value: Any) -> bool:
    return bool(value.get_element_type().get_type_name() == "f32")


def _reads(node: Any, names: Set[str]) -> bool:
    return any(value.get_node().get_name() in names for value in node.input_values())


def _products(nodes: list[Any], exact: Set[str]) -> list[Any]:
    return [n for n in nodes if n.get_type_name() in _PRODUCTS and n.get_friendly_name() not in exact]


def _rounded_by_readers(nodes: list[Any], products: Set[str]) -> set[str]:
    """The names of the nodes whose every reader is a product, or does nothing but move what products alone read."""
    found: set[str] = set()
    for node in reversed(nodes):
        readers = [place.get_node() for value in node.outputs() for place in value.get_target_inputs()]
        if readers and all(
            r.get_name() in products or (r.get_type_name() in _COMMUTES and r.get_name() in found) for r in readers
        ):
            found.add(node.get_name())
    return found


def _computed_with(product: Any, varying: Set[str]) -> tuple[list[Any], bool]:
    """The product and the nodes that the plugin computes with it, and whether the last is an activation."""
    chain = [product]
    shape = product.output(0).get_shape()
    of_data = product.get_type_name() == "MatMul" and product.input_value(1).get_node().get_name() in varying
    while product.get_type_name() not in TRANSPOSED:
        readers = list(chain[-1].output(0).get_target_inputs())
        if len(readers) != 1:
            return chain, False
        node, place = readers[0].get_node(), readers[0].get_index()
        if node.get_type_name() in _ACTIVATIONS:
            return [*chain, node], True
        others = [value for i, value in enumerate(node.input_values()) if i != place]
        fits = all(v.get_node().get_name() not in varying and _is_of_channels(product, v) for v in others)
        if of_data and node.get_type_name() == "Multiply":
            return chain, False  # It would scale what the product reads.
        if not _is_affine(node, place) or not fits or node.output(0).get_shape() != shape:
            return chain, False
        chain.append(node)
    return chain, False


def _is_affine(node: Any, place: int) -> bool:
    kind = node.get_type_name()
    return kind in ("Add", "Multiply") or (kind in ("BatchNormInference", "PRelu") and place == 0)


def _is_of_channels(product: Any, value: Any) -> bool:
    """Whether a weight has one value, or one for each channel of a product, as the plugin's biases and slopes have."""
    rank, axis = len(product.output(0).get_shape()), channel_axis(product)
    shape = list(value.get_shape())
    if len(shape) == 1 and axis == 1 and shape[0] > 1:
        return True  # of a slope or a statistic
    return all(n == 1 or rank - len(shape) + i == axis for i, n in enumerate(shape))


def _is_summed(chain: list[Any], summed: set[str]) -> bool:
    """Whether the plugin adds another value to the product in the same kernel, which then stores the sum.

    It does so to one of the two, over the other's memory, if whatever else reads that comes before the sum.
    """
    product, end = chain[0], chain[-1]
    readers = list(end.output(0).get_target_inputs())
    if len(readers) != 1 or product.get_type_name() not in ("Convolution", "GroupConvolution"):
        return False
    add, place = readers[0].get_node(), readers[0].get_index()
    if add.get_type_name() != "Add" or add.get_name() in summed:
        return False
    other = add.input_value(1 - place)
    if other.get_shape() != end.output(0).get_shape() or other == product.input_value(0):
        return False
    before = _ancestors(product) | {add.get_name()}
    if any(reader.get_node().get_name() not in before for reader in other.get_target_inputs()):
        return False
    summed.add(add.get_name())
    return True


def _ancestors(node: Any) -> set[str]:
    found: set[str] = set()
    todo = [node]
    while todo:
        node = todo.pop()
        if node.get_name() not in found:
            found.add(node.get_name())
            todo += [value.get_node() for value in node.input_values()]
    return found


def _add_in_float32(build: Builder, chain: list[Any]) -> list[Any]:
    """Keep the plugin from rounding what is added to a product, as it does to the bias of one stored in bfloat16.

    Returns the new nodes, in whose place those are that scale the product and add to it.
    """
    product = chain[0]
    affine = list(takewhile(lambda n: n.get_type_name() in ("Add", "Multiply", "BatchNormInference"), chain[1:]))
    if all(n.get_type_name() == "Multiply" for n in affine):
        return []
    with build.scope(f"{product.get_friendly_name()}/affine"):
        scale, shift = _folded(build, chain[: len(affine) + 1])
        readers = affine[-1].output(0).get_target_inputs()
        scaled = product if scale is None else build.multiply(product, scale)
        kept = build.prelu(scaled, build.const([1], "float32"))
        new = build.add(kept, shift)
    for reader in readers:
        reader.replace_source_output(new.output(0))
    return [scaled, kept, new]


def _folded(build: Builder, chain: list[Any]) -> tuple[Any, Any]:
    """What the nodes behind a product multiply it with, in all, and then add; None stands for nothing."""
    scale, shift = None, None
    for before, node in zip(chain, chain[1:]):
        kind = node.get_type_name()
        if kind == "BatchNormInference":
            factor, term = scale_and_shift(build, node)
        else:
            other = next(v for v in node.input_values() if v.get_node().get_name() != before.get_name())
            factor, term = (other, None) if kind == "Multiply" else (None, other)
        if factor is not None:
            scale = factor if scale is None else build.multiply(scale, factor)
            shift = None if shift is None else build.multiply(shift, factor)
        if term is not None:
            shift = term if shift is None else build.add(shift, term)
    return scale, shift
