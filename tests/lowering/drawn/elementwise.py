"""Strategies of elementwise operators: of one array, of two, of an array and a number; casts and identities."""

from __future__ import annotations

from .case import ANY, FLOATS, INTS, KINDS, MOVED, NUMBERS, OMIT, Case, Draw, Strategy, names


def unary(*kinds: str, dtypes: tuple[str, ...] = NUMBERS) -> Strategy:
    """Any array; `kinds` are those of its values."""

    def strategy(d: Draw) -> Case:
        dtype = d.pick(*FLOATS, *dtypes)
        return Case([d.array(d.shape(), dtype, *(kinds or (*KINDS, "edge")))], d.attrs(), elementwise=True)

    return strategy


def binary(*kinds: str, broadcast: bool = True, mixed: bool = False, dtypes: tuple[str, ...] = NUMBERS) -> Strategy:
    """Two arrays, in mx.np of two dtypes at times; "nonzero" integers on the right are asked for by `kinds`."""

    def strategy(d: Draw) -> Case:
        left, right = d.pair() if broadcast else (d.shape(),) * 2
        a = d.pick(*dtypes)
        b = d.pick(*dtypes) if mixed and d.flag() else a
        right_kinds = kinds or KINDS
        if "nonzero" in kinds and b in FLOATS:
            right_kinds = KINDS
        left_kinds = [k for k in kinds if k != "nonzero"] or KINDS
        return Case([d.array(left, a, *left_kinds), d.array(right, b, *right_kinds)], d.attrs(), elementwise=True)

    return strategy


SCALARS = (1.0, 0.0, 2.0, -1.0, 3.0, 0.5, -0.5, 2.5, -2.5, -3.0, 0.1, 7.0, 100.0, 300.0, -300.0, 1e5)

# Integers that float32 does not hold.
_LARGE = (*SCALARS, 2.0**24 + 1, -(2.0**24) - 1, 123456789.0)


def scalar(*kinds: str, dtypes: tuple[str, ...] = ANY, scalars: tuple[float, ...] = SCALARS) -> Strategy:
    """An array and a number in the attribute `scalar`; numbers without a fraction may be written without a point."""

    def strategy(d: Draw) -> Case:
        number = d.pick(OMIT, *scalars, *(int(s) for s in scalars if s == int(s)))
        x = d.array(d.shape(), d.pick(*FLOATS, *dtypes), *(kinds or KINDS))
        return Case([x], d.attrs(scalar=number), elementwise=True)

    return strategy


def add_n(d: Draw) -> Case:
    shape, dtype, count = d.shape(), d.pick(*NUMBERS), d.integer(1, 6)
    return Case([d.array(shape, dtype, *MOVED) for _ in range(count)], d.attrs(num_args=count))


def clip(d: Draw) -> Case:
    bounds = {key: d.pick(-1, 0, 1.5, -0.5, 2, 100, -1000, 1e9, -1e9, "inf", "-inf") for key in ("a_min", "a_max")}
    return Case([d.array(d.shape(), d.pick(*ANY))], d.attrs(**bounds), elementwise=True)


def gammaln(d: Draw) -> Case:
    """Its terms are of the size of x also where it is zero."""
    return Case([d.array(d.shape(), d.pick(*FLOATS, *NUMBERS), "plain", "positive", "unit")], d.attrs())


def hard_sigmoid(d: Draw) -> Case:
    given = {"alpha": d.pick(OMIT, 0.5, -1, 0.3), "beta": d.pick(OMIT, 0, 0.25, 1.3)}
    return Case([d.array(d.shape(), d.pick(*NUMBERS))], d.attrs(**given), elementwise=True)


def smooth_l1(d: Draw) -> Case:
    return Case([d.array(d.shape(), d.pick(*NUMBERS))], d.attrs(scalar=d.pick(1.0, 0.5, 2, 0, -1.5)), elementwise=True)


def quadratic(d: Draw) -> Case:
    numbers = {key: d.pick(OMIT, 0.5, -2, 3) for key in "abc"}
    return Case([d.array(d.shape(), d.pick(*NUMBERS))], d.attrs(**numbers), elementwise=True)


def identity_like(d: Draw) -> Case:
    shape, dtype = d.shape(), d.pick(*ANY)
    return Case([d.array(shape, dtype), d.array(shape, dtype)], d.attrs())


def make_loss(d: Draw) -> Case:
    given = {"grad_scale": d.pick(OMIT, 0.5), "valid_thresh": d.pick(OMIT, 0.1)}
    return Case([d.array(d.shape(), d.pick(*FLOATS))], d.attrs(**given))


def dropout(d: Draw) -> Case:
    shape = d.shape()
    given = {"p": d.pick(OMIT, 0.0, 0.3, 1.0), "axes": d.pick(OMIT, (), (0,)), "mode": d.pick(OMIT, "training")}
    return Case([d.array(shape, d.pick(*FLOATS))], d.attrs(**given))


def cast(d: Draw) -> Case:
    # Floats that the target cannot hold are undefined in C.
    dtype = d.pick(*ANY)
    kinds = ("plain", "whole", "positive") if dtype in FLOATS else MOVED
    return Case([d.array(d.shape(), dtype, *kinds)], d.attrs(), elementwise=True)


def amp_multicast(d: Draw) -> Case:
    """Of float32 only: MXNet's CPU has no others and sometimes ends the process over them."""
    count = d.integer(1, 4)
    arrays = [d.array(d.shape(), "float32") for _ in range(count)]
    outputs = sorted({d.integer(0, count - 1) for _ in range(2)})
    return Case(arrays, d.attrs(num_outputs=count), outputs, elementwise=True)


def around(d: Draw) -> Case:
    given = {"decimals": d.pick(OMIT, 0, 1, 2, -1, -2, 3)}
    return Case([d.array(d.shape(), d.pick(*NUMBERS), "plain", "whole", "wide")], d.attrs(**given), elementwise=True)


def nan_to_num(d: Draw) -> Case:
    given = {"nan": d.pick(OMIT, 0.5, 7), "posinf": d.pick(OMIT, None, 3.5), "neginf": d.pick(OMIT, None, -3)}
    return Case([d.array(d.shape(), d.pick(*ANY))], d.attrs(**given), elementwise=True)


_FLOAT = names(
    "sqrt rsqrt reciprocal exp expm1 log log1p log2 log10 sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh "
    "arccosh arctanh erf sigmoid softsign cbrt rcbrt degrees radians _npi_sqrt _npi_reciprocal _npi_exp "
    "_npi_expm1 _npi_log _npi_log1p _npi_log2 _npi_log10 _npi_sin _npi_cos _npi_tan _npi_arcsin _npi_arccos "
    "_npi_arctan _npi_sinh _npi_cosh _npi_tanh _npi_arcsinh _npi_arccosh _npi_arctanh _npx_erf _npx_sigmoid "
    "_npi_cbrt _npi_degrees _npi_radians relu _npx_relu"
)
# Near their poles and zeros, of large numbers and of small ones, these lose digits everywhere.
_NARROW = {"tan", "_npi_tan", "sin", "cos", "_npi_sin", "_npi_cos"}
_ROUND = names(
    "abs negative sign square floor ceil trunc fix round rint _npi_abs _npi_absolute _npi_negative _npi_sign "
    "_npi_square _npi_floor _npi_ceil _npi_trunc _npi_fix _npi_rint _contrib_round_ste _contrib_sign_ste "
    "logical_not _npi_logical_not _npi_isnan _npi_isinf _npi_isfinite _npi_isposinf _npi_isneginf "
    "_npi_bitwise_not _copy _np_copy identity BlockGrad stop_gradient make_loss"
)
_SCALAR = names(
    "_plus _minus _rminus _mul _maximum _minimum _equal _not_equal _greater _greater_equal _lesser _lesser_equal "
    "_logical_and _logical_or _logical_xor _div _hypot"
)
_OLD = names(
    "Plus Minus RMinus Mul Div Hypot Maximum Minimum Equal NotEqual Greater GreaterEqual Lesser LesserEqual "
    "LogicalAnd LogicalOr LogicalXor"
)
_NPI_SCALAR = names(
    "add subtract rsubtract multiply true_divide rtrue_divide hypot maximum minimum equal not_equal greater "
    "greater_equal less less_equal bitwise_and bitwise_or bitwise_xor copysign rcopysign arctan2 rarctan2"
)
_ELEMENTWISE = names(
    "elemwise_add elemwise_sub elemwise_mul _plus _Plus _add _minus _Minus _sub _mul _Mul _hypot _Hypot _maximum "
    "_Maximum _minimum _Minimum _equal _Equal _not_equal _Not_Equal _greater _Greater _greater_equal "
    "_Greater_Equal _lesser _Lesser _lesser_equal _Lesser_Equal _logical_and _Logical_And _logical_or _Logical_Or "
    "_logical_xor _Logical_Xor _grad_add"
)
_BROADCAST = names(
    "add plus sub minus mul hypot maximum minimum equal not_equal greater greater_equal lesser lesser_equal "
    "logical_and logical_or logical_xor"
)
_NPI_MIXED = names("_npi_add _npi_multiply _npi_subtract")
_NPI_SAME = names(
    "_npi_hypot _npi_maximum _npi_minimum _npi_copysign _npi_arctan2 _npi_equal _npi_not_equal _npi_greater "
    "_npi_greater_equal _npi_less _npi_less_equal"
)
# These are exact for any integers.
_EXACT = [op for op in _ELEMENTWISE if op.lower() not in ("elemwise_mul", "_mul", "_hypot")]
_BROADCAST_EXACT = [f"broadcast_{op}" for op in _BROADCAST if op not in ("mul", "hypot")]
_NPI_EXACT = names("add subtract maximum minimum equal not_equal greater greater_equal less less_equal")
_DIVISORS = tuple(s for s in SCALARS if s)
_EXPONENTS = (2.0, 0.5, 0.0, 1.0, -1.0, 3.0, -0.5, -2.0)
_BASES = (2.0, 0.5, 1.0, 10.0, 0.0, 3.0)


def power(d: Draw) -> Case:
    """Whole exponents of anything, and any of a positive base."""
    left, right = d.pair() if d.op.startswith(("broadcast", "_np")) else (d.shape(),) * 2
    a = d.pick(*FLOATS, *NUMBERS)
    b = d.pick(*NUMBERS) if d.numpy and d.flag() else a
    base, exponent = d.pick(("positive", "plain"), ("unit", "whole"), ("whole", "whole"), ("positive", "wide"))
    return Case([d.array(left, a, base), d.array(right, b, exponent)], d.attrs(), elementwise=True)


STRATEGIES: dict[str, Strategy] = {
    **{op: unary() for op in (*_FLOAT, *_ROUND)},
    **{op: unary("plain", "whole", "unit", "wide") for op in _NARROW},
    # OpenVINO's is off by 1e-9, which is much of what is left near 0.
    **{op: unary(*KINDS) for op in ("erf", "_npx_erf")},
    # What overflows an integer is undefined in C++.
    **{op: unary("plain", "whole", "wide") for op in ("square", "_npi_square")},
    **{f"{op}_scalar": scalar() for op in _SCALAR},
    **{f"{op}_scalar": scalar(*MOVED, scalars=_LARGE) for op in _SCALAR if op not in ("_mul", "_hypot")},
    **{op: scalar("nonzero") for op in ("_rdiv_scalar", "_RDivScalar")},
    **{f"_{op}Scalar": scalar() for op in _OLD},
    **{f"_npi_{op}_scalar": scalar() for op in _NPI_SCALAR},
    **{f"_npi_{op}_scalar": scalar(*MOVED, scalars=_LARGE) for op in _NPI_EXACT},
    **{op: scalar(scalars=_DIVISORS) for op in ("_mod_scalar", "_ModScalar", "_npi_mod_scalar")},
    **{op: scalar("nonzero") for op in ("_rmod_scalar", "_RModScalar", "_npi_rmod_scalar")},
    **{op: scalar(scalars=_EXPONENTS) for op in ("_power_scalar", "_PowerScalar", "_npi_power_scalar")},
    **{
        op: scalar("plain", "whole", scalars=_BASES) for op in ("_rpower_scalar", "_RPowerScalar", "_npi_rpower_scalar")
    },
    **{op: scalar("plain", scalars=(1.0, 2, -3, 0.5)) for op in ("_npi_ldexp_scalar", "_npi_rldexp_scalar")},
    **{op: binary(broadcast=False) for op in _ELEMENTWISE},
    **{op: binary("nonzero", broadcast=False) for op in ("elemwise_div", "_div", "_Div", "_mod", "_Mod")},
    **{f"broadcast_{op}": binary() for op in _BROADCAST},
    **{f"broadcast_{op}": binary("nonzero") for op in ("div", "mod")},
    **{op: binary(mixed=True, dtypes=ANY) for op in _NPI_MIXED},
    **{op: binary("nonzero", mixed=True, dtypes=ANY) for op in ("_npi_mod", "_npi_true_divide")},
    **{op: binary(mixed=True, dtypes=(*FLOATS, *ANY)) for op in _NPI_SAME},
    **{op: binary(*MOVED, broadcast=op in _BROADCAST_EXACT, dtypes=ANY) for op in (*_EXACT, *_BROADCAST_EXACT)},
    **{f"_npi_{op}": binary(*MOVED, mixed=True, dtypes=ANY) for op in _NPI_EXACT},
    **{f"_npi_bitwise_{op}": binary(dtypes=(*INTS, "bool")) for op in ("or", "xor", "and")},
    "_npi_ldexp": binary("plain", "whole"),
    **dict.fromkeys(("broadcast_power", "_power", "_Power", "_npi_power"), power),
    **dict.fromkeys(("add_n", "ElementWiseSum"), add_n),
    **dict.fromkeys(("clip", "_npi_clip"), clip),
    **dict.fromkeys(("smooth_l1", "_npx_smooth_l1"), smooth_l1),
    "hard_sigmoid": hard_sigmoid,
    "_contrib_quadratic": quadratic,
    "_contrib_gradientmultiplier": scalar(),
    "_identity_with_attr_like_rhs": identity_like,
    "MakeLoss": make_loss,
    **dict.fromkeys(("Dropout", "_npx_dropout"), dropout),
    **dict.fromkeys(("Cast", "cast", "_npi_cast", "_npx_cast", "amp_cast"), cast),
    "amp_multicast": amp_multicast,
    "_npi_around": around,
    "_npi_nan_to_num": nan_to_num,
    **{op: unary("plain", "positive", "unit") for op in ("gamma", "_npx_gamma")},
    **dict.fromkeys(("gammaln", "_npx_gammaln"), gammaln),
    **{op: unary("unit") for op in ("erfinv", "_npx_erfinv")},
}
