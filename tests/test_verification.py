"""Comparing with the original: what counts as a difference, and how it is measured and said."""

import dataclasses
import json

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.culprit.found import Culprit, Kind
from gluon_neuron.errors import InputError, OptionError
from gluon_neuron.report import Report
from gluon_neuron.verification import Difference, Tolerance, Verification, compare, tolerance_of
from gluon_neuron.verification import compared as all_compared

RTOL, ATOL = 1e-3, 1e-4
X = np.array([[1, 2, 4], [8, 2, 1]], "float32")


class Gives(mx.gluon.HybridBlock):
    """A block of one input that gives what it is told, once for each call."""

    def __init__(self, *results):
        super().__init__()
        self.results = list(results)

    def hybrid_forward(self, F, x):
        return self.results.pop(0)


def arrays(*values):
    return [mx.nd.array(v, dtype=np.asarray(v).dtype) for v in values]


def compared(found, expected, rtol=RTOL, atol=ATOL):
    """The verification of one call, or of one for each of several results."""
    found, expected = (v if isinstance(v, list) else [v] for v in (found, expected))
    samples = [mx.nd.zeros((1,))] * len(found)
    return compare(Gives(*arrays(*found)), Gives(*arrays(*expected)), samples, Tolerance(rtol, atol))


def test_equal():
    made = compared(X, X)
    assert made and made.differences == (Difference(0, 0.0, 0.0, 0.0, 1.0),)
    assert "agrees" in str(made) and "rtol 0.001, atol 0.0001" in str(made)


def test_a_difference_is_measured():
    found = X.copy()
    found[0] = [1, 4.5, 4]
    made = compared(found, X)
    (difference,) = made.differences
    assert not made and "DISAGREES" in str(made)
    assert difference.max_abs == 2.5 and difference.max_rel == 2.5 / 8
    assert difference.outside == pytest.approx(1 / 6) and difference.top1 == 0.5


@pytest.mark.parametrize(("off", "within"), [(0.9e-3, True), (1.3e-3, False)])
def test_tolerance_of_a_value(off, within):
    assert bool(compared(np.float32([1 + off]), np.float32([1]))) is within


def test_several_inputs_are_one_difference():
    made = compared([X, X + 1], [X, X])
    (difference,) = made.differences
    assert difference.outside == 0.5 and difference.max_abs == 1.0 and difference.top1 == 1.0


def test_several_outputs():
    a, b = X, np.int32([[3, 4]])
    made = compare(Gives(arrays(a, b)), Gives(arrays(a, b + 1)), [mx.nd.zeros((1,))], Tolerance(RTOL, ATOL))
    assert [d.output for d in made.differences] == [0, 1] and not made
    assert made.differences[0].outside == 0 and made.differences[1].outside == 1


def test_whole_numbers_are_exact():
    assert not compared(np.int32([100_000]), np.int32([100_001]), rtol=1, atol=1)
    assert compared(np.int32([100_000]), np.int32([100_000]), rtol=0, atol=0)
    # Beyond what a double tells apart.
    assert not compared(np.int64([2**53 + 1]), np.int64([2**53]))


@pytest.mark.parametrize(
    ("found", "expected", "agrees"),
    [
        ([np.nan, 1], [np.nan, 1], True),
        ([np.inf, 1], [np.inf, 1], True),
        ([np.nan, 1], [1, 1], False),
        ([1, 1], [np.nan, 1], False),
        ([-np.inf, 1], [np.inf, 1], False),
    ],
)
def test_what_is_not_finite(found, expected, agrees):
    made = compared(np.float32(found), np.float32(expected))
    assert bool(made) is agrees and made.differences[0].max_abs == (0 if agrees else np.inf)


def test_half_precision_does_not_overflow():
    (difference,) = compared(np.float16([60000]), np.float16([-60000])).differences
    assert difference.max_abs == 120000


def test_no_elements():
    assert compared(np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32")).differences == (
        Difference(0, 0.0, 0.0, 0.0, 1.0),
    )


def test_against_zeros_the_difference_is_relative_to_nothing():
    (difference,) = compared(np.float32([0.5]), np.float32([0])).differences
    assert difference.max_rel == difference.max_abs == 0.5


@pytest.mark.parametrize(
    ("found", "kind"), [(X.T, "float32(3, 2)"), (X.astype("float16"), "float16(2, 3)")], ids=["shape", "dtype"]
)
def test_another_shape_or_dtype_disagrees(found, kind):
    made = compared([X, found], [X, X])
    (difference,) = made.differences
    assert not made and difference.outside == 1 and np.isnan(difference.max_abs)
    assert f"Output 0: the compiled model has {kind}, the reference float32(2, 3)." in str(made)


@pytest.mark.parametrize("fewer", [True, False])
def test_another_number_of_outputs_disagrees(fewer):
    one, two = Gives(arrays(X)), Gives(arrays(X, X))
    made = compare(*((one, two) if fewer else (two, one)), [mx.nd.zeros((1,))], Tolerance(RTOL, ATOL))
    assert not made and [d.outside for d in made.differences] == [0, 1]
    kinds = ("none", "float32(2, 3)") if fewer else ("float32(2, 3)", "none")
    assert "Output 1: the compiled model has {}, the reference {}.".format(*kinds) in str(made)


def test_text_is_a_row_for_each_output():
    made = Verification((Difference(0, 1e-5, 2e-6, 0.0, 1.0), Difference(1, 0.5, 0.25, 0.125, 0.75)), 1e-3, 1e-4)
    rows = [line.split() for line in str(made).splitlines()]
    assert rows[-2:] == [
        ["0", "1e-05", "2e-06", "0.00%", "100.0%"],
        ["1", "0.5", "0.25", "12.50%", "75.0%"],
    ]


@pytest.mark.parametrize(
    ("cast", "kind", "share"),
    [("matmult", "bf16", 2**-6), ("all", "bf16", 2**-6), ("matmult", "fp16", 2**-9), ("all", "fp8_e4m3", 2**-2)],
)
def test_tolerance_follows_the_precision_asked_for(cast, kind, share):
    allowed = tolerance_of(Report("cpu", "openvino", 1, 1, auto_cast=cast, auto_cast_type=kind))
    reference = np.float32([[100, 0.001]])

    def made(*values):
        return compare(Gives(*arrays(np.float32([values]))), Gives(*arrays(reference)), [mx.nd.zeros((1,))], allowed)

    assert made(100 + 90 * share, 0.001) and not made(100 + 250 * share, 0.001)
    # A small value beside large ones is off by what is a little of those.
    assert made(100, 0.001 + 90 * share)
    assert f"auto_cast='{cast}' in {kind}" in str(made(0, 0)) and f"{share:g} of each" in str(made(0, 0))


@pytest.mark.parametrize("cast", ["none", "matmult", "all"])
def test_a_compiled_block_and_its_files_say_their_precision(cast, tmp_path):
    net = mx.gluon.nn.Dense(4, in_units=3)
    net.initialize()
    x = mx.nd.ones((2, 3))
    compiled = gluon_neuron.compile(net, x, auto_cast=cast, include_nodes=[f"{net.prefix}fwd"])
    compiled.export(str(tmp_path / "net"))
    for model in (compiled, gluon_neuron.load(tmp_path / "net")):
        assert model.report.auto_cast == cast
        made = gluon_neuron.verify(model, net, x)
        assert made and ("auto_cast" in str(made)) is (cast != "none")
        # A tolerance that is given counts alone.
        for given in ({"rtol": 1e-3}, {"atol": 1e-4}, {"rtol": 1e-3, "atol": 1e-4}):
            made = gluon_neuron.verify(model, net, x, **given)
            assert "(rtol 0.001, atol 0.0001" in str(made) and "auto_cast" not in str(made)
            assert ("where that is less" in str(made)) is ("atol" not in given)


def test_cosine_and_top_5():
    reference = np.arange(20, dtype="float32").reshape(2, 10)
    found = reference.copy()
    found[0] = found[0, ::-1]
    (difference,) = compared(found, reference).differences
    a, b = found.ravel(), reference.ravel()
    assert difference.cosine == pytest.approx(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    assert difference.top5 == 0.5 and difference.top1 == 0.5
    text = str(compared(found, reference))
    assert "cosine" in text and "same top-5" in text and text.splitlines()[-1].split()[-1] == "50.0%"


@pytest.mark.parametrize("value", [np.zeros((2, 4, 5, 6), "float32"), np.int32([[1, 2, 3, 4, 5, 6, 7]]), X])
def test_no_top_5_where_no_axis_is_of_classes(value):
    assert np.isnan(compared(value, value).differences[0].top5)


def test_the_cosine_of_nothing_and_of_opposites():
    assert compared(np.zeros((2, 0), "float32"), np.zeros((2, 0), "float32")).differences[0].cosine == 1
    assert compared(X * 0, X * 0).differences[0].cosine == 1
    assert compared(X * 0, X).differences[0].cosine == 0
    assert compared(-X, X).differences[0].cosine == pytest.approx(-1)


def dense(**given):
    block = mx.gluon.nn.Dense(4, in_units=3, **given)
    block.initialize(mx.init.Normal(1))
    return block


@pytest.mark.parametrize("size", [1e-6, 1e-2, 1])
def test_outputs_that_are_small_are_compared_as_such(size):
    one, other = dense(), dense()
    for block in (one, other):
        block.weight.set_data(block.weight.data() * size)
    compiled = gluon_neuron.compile(one, mx.nd.ones((2, 3)))
    x = mx.nd.ones((2, 3))
    assert gluon_neuron.verify(compiled, one, x)
    for given in ({}, {"rtol": 1e-3}):
        assert not gluon_neuron.verify(compiled, other, x, locate=False, **given)
    assert bool(gluon_neuron.verify(compiled, other, x, atol=1e-4, locate=False)) is (size == 1e-6)


def test_outputs_of_zeros_keep_the_absolute_tolerance():
    allowed = tolerance_of(None)
    sample = [mx.nd.zeros((1,))]
    assert compare(Gives(*arrays(X * 0 + 1e-5)), Gives(*arrays(X * 0)), sample, allowed)
    assert not compare(Gives(*arrays(X * 0 + 1e-3)), Gives(*arrays(X * 0)), sample, allowed)


def test_a_checkpoint_that_was_not_compiled_is_compared(tmp_path):
    from gluon_neuron.api import compile_symbol

    block = dense()
    x = mx.nd.ones((2, 3))
    block.hybridize()
    block(x)
    block.export(str(tmp_path / "net"))
    symbol, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    compiled = compile_symbol(symbol, x, args, aux, {})
    for given in ({}, {"atol": 1e-4}):
        assert gluon_neuron.verify(compiled, block, x, **given)


@pytest.mark.parametrize("name", ["rtol", "atol"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "1e-3"])
def test_a_tolerance_is_a_number_from_0(name, value):
    block = dense()
    with pytest.raises(OptionError, match=f"{name} must be a finite number from 0"):
        gluon_neuron.verify(block, block, mx.nd.ones((2, 3)), **{name: value})


def test_what_is_compared_are_blocks():
    block, x = dense(), mx.nd.ones((2, 3))
    with pytest.raises(InputError, match="compiled is a int"):
        gluon_neuron.verify(3, block, x)
    with pytest.raises(InputError, match="reference is a function"):
        gluon_neuron.verify(block, lambda x: x, x)


def test_it_is_said_that_nothing_is_known_to_be_compiled():
    block, x = dense(), mx.nd.ones((2, 3))
    made = gluon_neuron.verify(block, block, x)
    assert made and "carries no report" in str(made) and made.to_dict()["note"]
    assert "carries no report" not in str(gluon_neuron.verify(gluon_neuron.compile(block, x), block, x))


def test_nothing_to_compare_is_said():
    made = compare(Gives(), Gives(), [], Tolerance(RTOL, ATOL))
    assert not made and made.differences == () and str(made).startswith("Nothing was compared")
    block = dense()
    assert not gluon_neuron.verify(block, block, []) and not made.to_dict()["agrees"]


class Half(mx.gluon.HybridBlock):
    """Two results in float16."""

    def hybrid_forward(self, F, x):
        return F.exp(x), F.argmax(x, axis=1)


def test_the_type_of_an_output_says_what_it_may_differ_by():
    x = mx.nd.array([[1, 2, 3]], dtype="float16")
    two, one = np.float16([1.0, 100.0]), np.float16([1.002, 100.1])
    sample = [mx.nd.zeros((1,))]
    made = all_compared(Gives(arrays(one)), Gives(arrays(two)), sample, Tolerance(RTOL, ATOL), by_type=True)
    assert made.verification and "float16" in str(made.verification) and made.first_apart == -1
    assert not all_compared(Gives(arrays(one)), Gives(arrays(two)), sample, Tolerance(RTOL, ATOL)).verification
    made = gluon_neuron.verify(Half(), Half(), x)
    assert [d.tolerance.partition(",")[0] for d in made.differences] == ["rtol 0.00195312", "rtol 0.00195312"]


def test_parameters_of_a_smaller_type_say_it_too():
    assert tolerance_of(None, {"float32", "float16"}).rtol == 2**-9
    assert tolerance_of(None, {"float32", "int32", "uint8"}) == tolerance_of(None)


def test_which_input_is_the_first_apart():
    found, expected = Gives(arrays(X), arrays(X), arrays(X + 1)), Gives(arrays(X), arrays(X), arrays(X))
    made = all_compared(found, expected, [mx.nd.zeros((1,))] * 3, Tolerance(RTOL, ATOL))
    assert made.first_apart == 2 and not made.verification


def test_as_json():
    made = compared([X, X.T], [X, X])
    raw = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert raw["agrees"] is False and raw["culprit"] is None and raw["rtol"] == RTOL
    assert raw["differences"][0]["max_abs"] is None and raw["differences"][0]["outside"] == 1


def test_in_a_notebook():
    found = X.copy()
    found[0] = [1, 4.5, 4]
    made = compared(found, X)
    html = dataclasses.replace(made, note="a < b")._repr_html_()
    assert "<b>disagrees</b>" in html and "2.50e+00" in html and "16.67%" in html and "a &lt; b" in html
    assert "agrees with the reference" in compared(X, X)._repr_html_() and "rtol 0.001" in html
    assert "cosine" in html and "<details>" not in html and "<script" not in html
    assert "Nothing was compared" in Verification((), RTOL, ATOL)._repr_html_()
    told = dataclasses.replace(made, culprit=Culprit(Kind.UNKNOWN, "it is <not> known"))
    assert (
        "<summary>Where they part</summary>" in told._repr_html_() and "it is &lt;not&gt; known" in told._repr_html_()
    )
