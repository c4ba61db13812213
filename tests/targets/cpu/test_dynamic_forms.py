"""Forms of constants: what follows from extents is found and gives the values again; what does not is refused."""

import numpy as np
import openvino
import pytest

from gluon_neuron.dialect.in_openvino.builder import Builder
from gluon_neuron.targets.cpu.dynamic_forms import Elements, Fill, Line, Start, form_of
from gluon_neuron.targets.cpu.dynamic_matrices import Resizing
from gluon_neuron.targets.cpu.dynamic_numbers import Extent, Extents, Number

A, B = Extent(0, 0, 0), Extent(0, 0, 1)
AT_A, AT_B = (3, 10, 17, 64), (5, 6, 40, 9)


def extents():
    found = Extents()
    found.add(AT_A, A)
    found.add(AT_B, B)
    return found


def of(make, dtype="int32"):
    return [np.array(make(a, b), dtype) for a, b in zip(AT_A, AT_B, strict=True)]


def built(form, a, b):
    """What the form gives where the extents are these."""
    op = Builder()

    def scalar(number, dtype):
        value = number.factor
        for extent in number.extents:
            value *= a if extent == A else b
        return op.const([value + number.offset], dtype).output(0)

    model = openvino.Model([op.result(form.build(op, scalar))], [], "form")
    return openvino.Core().compile_model(model, "CPU")([])[0]


FOUND = {
    "an extent": (lambda a, b: [a, 7, b], Elements),
    "a line": (lambda a, b: [2 * a + 5, -b], Elements),
    "a product": (lambda a, b: [3 * a * b], Elements),
    "backwards": (lambda a, b: [a - 1, -(2**31)], Elements),
    "a fill": (lambda a, b: np.full((a, 4), 7), Fill),
    "a fill of an extent": (lambda a, b: np.full(b, a), Fill),
    "a range": (lambda a, b: np.broadcast_to(np.arange(b).reshape(1, b), (a, b)), Line),
    "a range backwards": (lambda a, b: np.arange(a)[::-1].reshape(a, 1), Line),
    "a table": (lambda a, b: (np.arange(a) ** 2 % 11).reshape(a, 1), Start),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(name):
    make, kind = FOUND[name]
    form = form_of(of(make), "int32", extents(), False)
    assert isinstance(form, kind), form
    for a, b in [*zip(AT_A, AT_B, strict=True), (2, 2), (33, 1)]:
        assert np.array_equal(built(form, a, b), np.array(make(a, b), np.int32))


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_other_dtypes(dtype):
    form = form_of(of(lambda a, b: [a + 1, 4], dtype), dtype, extents(), False)
    assert np.array_equal(built(form, 8, 9), np.array([9, 4])) and built(form, 8, 9).dtype == dtype


REFUSED = {
    "rounded": (lambda a, b: [a // 2], "follows from no extent"),
    "the larger": (lambda a, b: [max(a, b)], "follows from no extent"),
    "a mask with other values": (lambda a, b: np.arange(100) < a, "other values"),
    "a table that ends otherwise": (lambda a, b: np.arange(a) == a - 1, "no part of that"),
    "an unknown size": (lambda a, b: np.zeros(a // 2), "size of a table"),
    "other axes": (lambda a, b: np.zeros([1] * (a % 4)), "other axes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    make, why = REFUSED[name]
    found = form_of(of(make), "int32", extents(), False)
    assert isinstance(found, str) and why in found


def test_fractions_are_refused():
    assert "not whole" in form_of(of(lambda a, b: [1 / a], "float32"), "float32", extents(), False)


def test_one_extent_of_a_reshape_is_inferred():
    form = form_of(of(lambda a, b: [a // 2, 4]), "int32", extents(), True)
    assert form.numbers == (Number(0, (), -1), Number(0, (), 4))
    assert isinstance(form_of(of(lambda a, b: [a // 2, b // 3]), "int32", extents(), True), str)


def linear(a, b):
    """The matrix of resize_linear, by MXNet's positions between corners."""
    at = np.arange(a) * ((b - 1) / max(a - 1, 1))
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(b)))


def by_centres(a, b):
    at = np.clip((np.arange(a) + 0.5) * (b / a) - 0.5, 0, b - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(b)))


def means(a, b):
    rows = [(i * b // a, -(-(i + 1) * b // a)) for i in range(a)]
    return np.array([[(low <= j < high) / (high - low) for j in range(b)] for low, high in rows])


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("make", [linear, by_centres, means])
def test_matrices_that_resize(make, dtype):
    form = form_of(of(make, dtype), dtype, extents(), False)
    assert isinstance(form, Resizing) and form.dtype == dtype
    for a, b in [*zip(AT_A, AT_B, strict=True), (1, 1), (1, 7), (7, 1), (3, 3), (300, 299)]:
        found = built(form, a, b)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, make(a, b), rtol=0, atol=1e-3 if dtype == "float16" else 2e-6)


def test_matrices_that_almost_resize_are_refused():
    for off in (1e-3, np.nan):
        arrays = of(linear, "float32")
        arrays[-1][0, 0] += off
        assert isinstance(form_of(arrays, "float32", extents(), False), str)
