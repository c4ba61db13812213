"""The checker: for each code a module that breaks the rule and one that is as near to it as can be and does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gluon_neuron.errors import HloError, OptionError
from gluon_neuron.hlo.check import Violation, check
from gluon_neuron.hlo.codes import CODES, NOT_READ
from gluon_neuron.hlo.fields import InComputation, InInstruction, InModule, InShape
from gluon_neuron.hlo.module import read
from gluon_neuron.hlo.rewrite import rewrite
from gluon_neuron.hlo.wire import Message, Pieces, edited

from .modules import lowered, net, net_arrays, parsed, with_large_ids

# What AWS publishes about the module; the codes of the others are not of a module (see NOT_READ).
PUBLISHED = """EMOD025 EVRF001 EVRF004 EVRF005 EVRF006 EVRF010 EVRF011 EVRF013 EVRF015 EVRF016 EVRF060 EVRF017 EVRF018
EVRF019 EVRF022 EVRF031 EVRF056 EVRF035 EVRF051 EVRF052 EVRF062 EVRF064 ESFH002 ESPP004 ESPP047 EBVF030 EVRF007 EXTP004
EOOM001 EOOM002 EVRF009 EXSP001 EARG001 EVRF061 EVRF063"""

Make = Callable[[], bytes]


def of(function: Callable, *shapes: tuple[int, ...], dtype: str = "float32", x64: bool = False) -> Make:
    """A module that jax makes of arrays of ones."""
    return lambda: lowered(function, *(np.ones(s, dtype) for s in shapes), x64=x64)


def text(entry: str, others: str = "") -> Make:
    """A module from XLA's text."""
    return lambda: parsed(entry, others)


def one(opcode: str, type: str, operands: int = 1) -> Make:
    """A module of one elementwise instruction."""
    names = [f"a{n}" for n in range(operands)]
    parameters = "".join(f"{a} = {type}[4] parameter({n})\n" for n, a in enumerate(names))
    return text(f"{parameters}ROOT r = {type}[4] {opcode}({', '.join(names)})")


def of_type(number: int) -> Make:
    """A module of one parameter with an element type that this XLA need not know."""

    def make() -> bytes:
        m = Message(parsed("ROOT a = f32[4] parameter(0)"))
        shape = Pieces().whole(InShape.TYPE, number).wholes(InShape.DIMENSIONS, [4])
        return changed(m, {InInstruction.SHAPE: Pieces().message(InInstruction.SHAPE, shape)})

    return make


def changed(m: Message, changes: dict) -> bytes:
    """The module with its entry's root changed."""
    computations = m.messages(InModule.COMPUTATIONS)
    c = computations[-1]
    parts = [edited(i, {}) for i in c.messages(InComputation.INSTRUCTIONS)]
    parts[-1] = edited(c.messages(InComputation.INSTRUCTIONS)[-1], changes)
    new = edited(c, {InComputation.INSTRUCTIONS: [Pieces().message(InComputation.INSTRUCTIONS, p) for p in parts]})
    every = [edited(o, {}) for o in computations[:-1]] + [new]
    return edited(m, {InModule.COMPUTATIONS: [Pieces().message(InModule.COMPUTATIONS, o) for o in every]}).join()


def convolution(stride: int = 1, data: int = 1, kernel: int = 1) -> Make:
    def f(x, w):
        from jax import lax

        return lax.conv_general_dilated(
            x, w, (1, stride), ((0, 0), (0, 0)), lhs_dilation=(1, data), rhs_dilation=(kernel, 1)
        )

    return of(f, (1, 2, 9, 9), (3, 2, 3, 3))


def window(base: int = 1, dilation: int = 1) -> Make:
    def f(x):
        from jax import lax

        return lax.reduce_window(x, -np.inf, lax.max, (2, 2), (2, 1), "VALID", (1, base), (dilation, 1))

    return of(f, (9, 9))


TWO = """max2 { a = f32[] parameter(0)
  b = f32[] parameter(1)
  c = f32[] parameter(2)
  d = f32[] parameter(3)
  x = f32[] maximum(a, c)
  y = f32[] maximum(b, d)
  ROOT t = (f32[], f32[]) tuple(x, y) }"""


def arrays(opcode: str) -> Make:
    """A reduction of two arrays at once."""
    how = "dimensions={0}" if opcode == "reduce" else "window={size=2}"
    length = "" if opcode == "reduce" else "3"
    return text(
        f"""x = f32[4] parameter(0)
        y = f32[4] parameter(1)
        i = f32[] constant(0)
        ROOT r = (f32[{length}], f32[{length}]) {opcode}(x, y, i, i), {how}, to_apply=max2""",
        TWO,
    )


def scatter(dtype: str, how: str) -> Make:
    return of(lambda x: getattr(x.at[np.array([0, 2])], how)(x[:2]), (3, 5), dtype=dtype, x64=True)


def top_k(dtype: str) -> Make:
    def f(x):
        from jax import lax

        return lax.top_k(x, 2)

    return of(f, (3, 5), dtype=dtype, x64=True)


def custom_call(target: str, type: str = "f32") -> Make:
    return text(f'x = {type}[4] parameter(0)\nROOT r = {type}[4] custom-call(x), custom_call_target="{target}"')


def all_reduce(opcode: str, type: str) -> Make:
    add = f"add {{ a = {type}[] parameter(0)\n b = {type}[] parameter(1)\n ROOT r = {type}[] add(a, b) }}"
    more = ", dimensions={0}" if opcode == "reduce-scatter" else ""
    return text(
        f"x = {type}[4] parameter(0)\nROOT r = {type}[4] {opcode}(x), replica_groups={{{{0}}}}{more}, to_apply=add", add
    )


def dot(dtype: str) -> Make:
    return of(lambda a, b: a @ b, (3, 4), (4, 5), dtype=dtype, x64=True)


def constant(value: int) -> Make:
    # Many values before it, of every length, so that one among them has to be found.
    others = np.array([0, 127, 128, 1 << 14, 1 << 21, 1 << 28, (1 << 32) - 1] * 9 + [value, 3], "uint64")
    return of(lambda x: x + others, others.shape, dtype="uint64", x64=True)


def rng(algorithm: str) -> Make:
    return text(f"s = u64[2] parameter(0)\nROOT r = (u64[2], u32[4]) rng-bit-generator(s), algorithm={algorithm}")


def key(implementation: str) -> Make:
    def f(x):
        import jax

        return x + jax.random.uniform(jax.random.key(3, impl=implementation), x.shape)

    return of(f, (4,))


def sort(direction: str, type: str = "f32", through: str = "") -> Make:
    left = f"n = {type}[] {through}(a)" if through else ""
    comparator = f"""less {{ a = {type}[] parameter(0)
      b = {type}[] parameter(1)
      {left}
      ROOT r = pred[] compare({"n" if through else "a"}, b), direction={direction} }}"""
    return text(
        f"x = {type}[4,5] parameter(0)\nROOT r = {type}[4,5] sort(x), dimensions={{1}}, to_apply=less", comparator
    )


def loop(condition: Callable, step: Callable, start: Callable = lambda x: 0) -> Make:
    """A while loop over a counter and an array; the counter starts at what `start` makes of the array."""

    def f(x):
        from jax import lax

        return lax.while_loop(condition, lambda c: (step(c), c[1] * 1.5), (start(x), x))

    return of(f, (3,))


def scan(x):
    from jax import lax

    return lax.scan(lambda c, a: (c + lax.fori_loop(0, 3, lambda i, y: y * 2, a), c), x[0], x)


def conditional(x):
    from jax import lax

    return lax.cond(x[0] > 0, lambda: x, lambda: x + 1)


def select(x):
    from jax import lax

    return lax.select(x > 0, x, x + 1)


def callback(x):
    import jax

    return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)


def narrow(x):
    from jax import lax

    return lax.reduce_precision(x, 8, 7)


def reduction(operator: str, first: str, type: str = "f32") -> Make:
    """A reduction with an operator that begins at a value."""
    how = f"f {{ a = {type}[] parameter(0)\n b = {type}[] parameter(1)\n ROOT r = {type}[] {operator}(a, b) }}"
    return text(
        f"""x = {type}[4] parameter(0)
        i = {type}[] constant({first})
        ROOT r = {type}[] reduce(x, i), dimensions={{0}}, to_apply=f""",
        how,
    )


def bad_ids() -> bytes:
    return with_large_ids(lowered(net, *net_arrays()))


def good_ids() -> bytes:
    return rewrite(bad_ids(), [f"a{n}" for n in range(7)], ["x", "y"])


def send(host: bool) -> Make:
    return text(
        f"""x = f32[4] parameter(0)
        t = token[] after-all()
        s = (f32[4], u32[], token[]) send(x, t), channel_id=1{", is_host_transfer=true" if host else ""}
        d = token[] send-done(s), channel_id=1{", is_host_transfer=true" if host else ""}
        ROOT r = f32[4] negate(x)"""
    )


OUTFEED = """x = f32[4] parameter(0)
t = token[] after-all()
ROOT o = token[] outfeed(x, t)"""

# Code, target, the module that breaks it, the module that does not.
CASES = [
    ("EMOD025", "inf2", text("ROOT a = f32[<=8,2] parameter(0)"), text("ROOT a = f32[8,2] parameter(0)")),
    ("ESFH002", "inf2", constant(1 << 32), constant((1 << 32) - 1)),
    ("ESFH002", "inf2", constant((1 << 64) - 1), constant(5)),
    ("ESFH002", "inf2", constant(1 << 40), constant(6)),
    ("ESPP004", "trn2", of_type(32), of_type(28)),
    ("ESPP004", "inf2", one("add", "s4", 2), one("add", "s8", 2)),
    ("ESPP004", "inf2", of_type(99), of_type(11)),
    ("ESPP047", "trn2", of_type(33), of_type(29)),
    (
        "EVRF001",
        "inf2",
        text("a = f32[3,3] parameter(0)\nROOT r = f32[3,3] cholesky(a), lower=true"),
        one("tanh", "f32"),
    ),
    (
        "EVRF001",
        "inf2",
        text(
            """a = f32[3,3] parameter(0)
            b = f32[3,2] parameter(1)
            ROOT r = f32[3,2] triangular-solve(a, b), left_side=true, lower=true, transpose_a=NO_TRANSPOSE"""
        ),
        dot("float32"),
    ),
    ("EVRF004", "inf2", one("negate", "c64"), one("negate", "f32")),
    ("EVRF005", "inf2", one("negate", "f8e4m3fnuz"), one("negate", "f8e5m2")),
    ("EVRF005", "inf2", one("negate", "f8e4m3b11fnuz"), one("negate", "bf16")),
    ("EVRF006", "inf2", rng("rng_three_fry"), rng("rng_default")),
    ("EVRF010", "inf2", convolution(data=2, kernel=2), convolution(data=2)),
    ("EVRF010", "inf2", convolution(data=2, kernel=2), convolution(kernel=2)),
    ("EVRF011", "inf2", convolution(stride=2, data=2), convolution(stride=2, kernel=2)),
    ("EVRF011", "inf2", convolution(stride=2, data=2), convolution(data=2)),
    ("EVRF013", "inf2", top_k("int32"), top_k("float32")),
    ("EVRF013", "inf2", custom_call("AwsNeuronTopK", "s64"), custom_call("AwsNeuronTopK")),
    ("EVRF015", "inf2", custom_call("Mine"), custom_call("AwsNeuronSilu")),
    ("EVRF015", "inf2", custom_call("aws_neuron_silu"), custom_call("AwsNeuronModuleMarkerEnd-Forward")),
    ("EVRF016", "inf2", scatter("int8", "add"), scatter("int8", "set")),
    ("EVRF016", "inf2", scatter("bool", "max"), scatter("bfloat16", "max")),
    ("EVRF017", "inf2", window(base=2), window()),
    ("EVRF018", "inf2", window(dilation=2), window()),
    ("EVRF019", "inf2", arrays("reduce-window"), window()),
    ("EVRF022", "inf2", one("shift-right-arithmetic", "s16", 2), one("shift-right-arithmetic", "s32", 2)),
    ("EVRF035", "trn2", dot("int32"), dot("float32")),
    ("EVRF035", "inf2", dot("int64"), dot("int32")),
    ("EVRF035", "trn1", dot("int64"), dot("int32")),
    ("EVRF051", "trn2", one("negate", "f8e4m3fn"), one("negate", "f8e5m2")),
    ("EVRF060", "inf2", scatter("int32", "add"), scatter("int32", "set")),
    ("EVRF060", "inf2", scatter("int64", "mul"), scatter("float32", "mul")),
    ("EVRF061", "inf2", all_reduce("all-reduce", "s32"), all_reduce("all-reduce", "f32")),
    ("EVRF062", "inf2", one("power", "s64", 2), one("power", "s32", 2)),
    ("EVRF063", "inf2", all_reduce("reduce-scatter", "s64"), all_reduce("reduce-scatter", "bf16")),
    ("GN-CALLBACK", "inf2", text(OUTFEED), one("negate", "f32")),
    ("GN-CALLBACK", "inf2", send(host=True), send(host=False)),
    ("GN-CONDITIONAL", "inf2", of(conditional, (3,)), of(select, (3,))),
    ("GN-F64", "inf2", one("negate", "f64"), one("negate", "f32")),
    ("GN-ID", "inf2", bad_ids, good_ids),
    ("GN-INIT", "inf2", reduction("add", "1"), reduction("add", "0")),
    ("GN-INIT", "inf2", reduction("add", "1", "s32"), reduction("add", "0", "s32")),
    ("GN-INIT", "inf2", reduction("multiply", "0", "bf16"), reduction("multiply", "1", "bf16")),
    ("GN-INIT", "inf2", reduction("maximum", "0", "f16"), reduction("maximum", "-65504", "f16")),
    ("GN-INIT", "inf2", reduction("maximum", "-1"), reduction("maximum", "-inf")),
    ("GN-INIT", "inf2", reduction("maximum", "1", "u8"), reduction("maximum", "0", "u8")),
    ("GN-INIT", "inf2", reduction("minimum", "126", "s8"), reduction("minimum", "127", "s8")),
    ("GN-INIT", "inf2", reduction("minimum", "0", "u16"), reduction("minimum", "65535", "u16")),
    ("GN-INIT", "inf2", reduction("minimum", "0", "s16"), reduction("minimum", "32767", "s16")),
    ("GN-INIT", "inf2", reduction("and", "false", "pred"), reduction("and", "true", "pred")),
    ("GN-INIT", "inf2", reduction("or", "true", "pred"), reduction("or", "false", "pred")),
    ("GN-INIT", "inf2", reduction("and", "7", "s32"), reduction("and", "-1", "s32")),
    ("GN-PRECISION", "inf2", of(narrow, (3,)), of(lambda x: x.astype("bfloat16"), (3,))),
    ("GN-REDUCE", "inf2", arrays("reduce"), of(lambda x: x.max(1), (3, 4))),
    ("GN-RNG", "inf2", key("threefry2x32"), key("rbg")),
    ("GN-SORT", "inf2", sort("NE"), sort("LT")),
    ("GN-SORT", "inf2", sort("GT", through="negate"), sort("GE", "s32")),
    ("GN-WHILE", "inf2", loop(lambda c: c[1][0] < 9, lambda c: c[0] + 1), loop(lambda c: c[0] < 9, lambda c: c[0] + 2)),
    ("GN-WHILE", "inf2", loop(lambda c: c[0] < 9, lambda c: c[0] * 2), loop(lambda c: c[0] <= 9, lambda c: 3 + c[0])),
    (
        "GN-WHILE",
        "inf2",
        loop(lambda c: c[0] < 9, lambda c: c[0] + 1, lambda x: x[0].astype("int32")),
        loop(lambda c: c[0] > -9, lambda c: c[0] - 1),
    ),
    ("GN-WHILE", "inf2", loop(lambda c: c[0] < 9, lambda c: c[0] - 1), loop(lambda c: c[0] < 9, lambda c: c[0] + 1)),
    ("GN-WHILE", "inf2", loop(lambda c: c[0] != 9, lambda c: c[0] + 2), loop(lambda c: c[0] != 9, lambda c: c[0] + 3)),
    ("GN-WHILE", "inf2", loop(lambda c: (c[0] < 9) & (c[1][0] < 9), lambda c: c[0] + 1), of(scan, (7,))),
]


@pytest.mark.parametrize(("code", "target", "bad", "good"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_code(code, target, bad, good):
    assert {v.code for v in check(bad(), target)} == {code}
    assert check(good(), target) == ()


def test_every_code_has_a_case():
    assert {c[0] for c in CASES} == CODES.keys()
    assert set(PUBLISHED.split()) == {c for c in CODES if not c.startswith("GN-")} | NOT_READ.keys()
    assert not CODES.keys() & NOT_READ.keys()


def test_a_callback_is_an_unknown_custom_call_too():
    assert {v.code for v in check(of(callback, (3,))(), "inf2")} == {"EVRF015", "GN-CALLBACK"}


def test_a_fourier_transform():
    def f(x):
        import jax

        return jax.numpy.fft.fft(x)

    assert {(v.code, v.opcode) for v in check(of(f, (8,))(), "inf2")} >= {("EVRF001", "fft"), ("EVRF004", "fft")}


@pytest.mark.parametrize("target", ["inf2", "trn1"])
def test_32_bit_integers_in_a_dot_are_allowed_before_trn2(target):
    assert check(dot("int32")(), target) == ()
    assert [v.code for v in check(dot("int32")(), "trn2")] == ["EVRF035"]


def test_a_violation_says_where():
    def f(x):
        import jax

        with jax.named_scope("argmax7"):
            return jax.numpy.argmax(x, 1)

    data = lowered(f, np.ones((3, 5), "float32"))
    (found,) = check(data, "inf2")
    assert (found.code, found.opcode, found.node) == ("GN-REDUCE", "reduce", "argmax7")
    assert found.instruction in {i.name for i in read(data).instructions}
    where = f"reduce {found.instruction} (node argmax7)"
    assert str(found) == f"GN-REDUCE: {where}: 2 arrays are reduced at once; reduce one after the other."
    (again,) = check(rewrite(data, ["x"], ["y"]), "inf2")
    assert again.instruction.startswith("argmax7.reduce.")


def test_several():
    """In the module's order, each once for its instruction; also inside called computations."""
    entry = """x = f64[4,4] parameter(0)
    y = f64[4,4] dot(x, x), lhs_contracting_dims={1}, rhs_contracting_dims={0}
    z = c64[4] parameter(1)
    t = f32[<=4] parameter(2)
    ROOT r = (f64[4,4], c64[4]) tuple(y, z)"""
    assert sorted(v.code for v in check(parsed(entry), "inf2")) == ["EMOD025", "EVRF004", "GN-F64", "GN-F64"]

    def inner(x):
        from jax import lax

        return lax.fori_loop(0, 3, lambda i, c: narrow(c), x)

    assert [v.code for v in check(of(inner, (3,))(), "inf2")] == ["GN-PRECISION"]


def test_a_net_has_none():
    data = lowered(net, *net_arrays())
    assert all(check(data, t) == () for t in ("inf2", "trn1", "trn2"))
    assert check(read(data), "inf2") == ()


def test_targets():
    data = one("negate", "f32")()
    with pytest.raises(OptionError, match="not 'trn12'. Did you mean 'trn"):
        check(data, "trn12")
    with pytest.raises(OptionError, match="inf2, trn1, trn2, not 'inf1'"):
        check(data, "inf1")
    with pytest.raises(HloError):
        check(b"no", "inf2")


def test_violations_without_a_node():
    assert str(Violation("GN-F64", "a.1", "add", "", "no.")) == "GN-F64: add a.1: no."
