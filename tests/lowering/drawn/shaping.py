"""Strategies of operators that relabel, move and repeat elements."""

from __future__ import annotations

from math import prod

from .case import ANY, MOVED, OMIT, Case, Draw, Strategy


def plain(d: Draw) -> Case:
    return Case([d.array(d.shape(), d.pick(*ANY), *MOVED)], d.attrs())


def _factors(d: Draw, size: int, parts: int) -> list[int]:
    """`size` as a product of `parts` numbers."""
    found = []
    for _ in range(parts - 1):
        factor = d.pick(*(f for f in range(1, size + 1) if size % f == 0)) if size else 0
        found.append(factor)
        size //= factor or 1
    return [*found, size]


def _codes(d: Draw, shape: tuple[int, ...]) -> list[int]:
    """A target of the classic Reshape: 0 keeps, -1 infers, -2 keeps the rest, -3 joins two axes, -4 splits one."""
    target: list[int] = []
    inferred, i = False, 0
    while i < len(shape):
        code = d.pick(0, shape[i], -1, -2, -3, -4)
        if code == -1 and inferred or code == -3 and i + 1 == len(shape):
            code = 0
        if code == -2:
            return [*target, -2]
        if code == -4:
            a, b = _factors(d, shape[i], 2)
            target += [-4, *d.pick((a, b), (-1, b), (a, -1))]
        else:
            target.append(code)
        inferred |= code == -1
        i += 2 if code == -3 else 1
    return target


def reshape(d: Draw) -> Case:
    shape = d.shape()
    if d.flag():
        target = _factors(d, prod(shape), d.integer(1, 4))
        if d.flag():
            target[d.integer(0, len(target) - 1)] = -1
    else:
        target = _codes(d, shape)
    x = d.array(shape, d.pick(*ANY), *MOVED)
    if d.numpy:
        return Case([x], d.attrs(newshape=tuple(target), order=d.pick(OMIT, "C", "F")))
    # The old pair of attributes, which `shape` overrides.
    old = d.integer(0, 5) == 5
    given = {"shape": OMIT if old else tuple(target), "target_shape": (0, *target[1:]) if old else OMIT}
    return Case([x], d.attrs(**given, keep_highest=d.flag() if old else OMIT))


def npx_reshape(d: Draw) -> Case:
    """-2 keeps an axis here, -3 drops one of size 1, -4 keeps the rest, -5 joins two and -6 splits one."""
    shape = d.shape()
    target: list[int] = []
    i = 0
    while i < len(shape):
        code = d.pick(-2, shape[i], -3 if shape[i] == 1 else -2, -4, -5 if i + 1 < len(shape) else -2, -6)
        if code == -4:
            target.append(-4)
            break
        target += [-6, *_factors(d, shape[i], 2)] if code == -6 else [code]
        i += 2 if code == -5 else 1
    if target and d.integer(0, 3) == 3 and all(t >= -2 for t in target):
        target[d.integer(0, len(target) - 1)] = -1
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(newshape=tuple(target), order=d.pick(OMIT, "C")))


def expand_dims(d: Draw) -> Case:
    shape = d.shape(high=4)
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(axis=d.integer(-len(shape) - 1, len(shape))))


def squeeze(d: Draw) -> Case:
    shape = tuple(d.pick(1, s) for s in d.shape(elements=100))
    ones = tuple(i - len(shape) if d.flag() else i for i, s in enumerate(shape) if s == 1 and d.flag())
    axis = d.pick(OMIT, None, ones, ones[0] if ones else OMIT)
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(axis=axis))


def reshape_like(d: Draw) -> Case:
    shape = d.shape(low=1)
    if d.flag():
        like = tuple(_factors(d, prod(shape), d.integer(1, 4)))
        return Case([d.array(shape, d.pick(*ANY), *MOVED), d.array(like)], d.attrs(**dict.fromkeys(_LIKE, OMIT)))
    begin = d.integer(0, len(shape) - 1)
    end = d.integer(begin + 1, len(shape))
    middle = tuple(_factors(d, prod(shape[begin:end]), d.integer(1, 3)))
    front, back = d.shape(low=0, high=2, longest=3), d.shape(low=0, high=2, longest=3)
    like = (*front, *middle, *back)
    places = [begin, end, len(front), len(front) + len(middle)]
    sizes = [len(shape), len(shape), len(like), len(like)]
    written = [p - s if p < s and d.flag() else p for p, s in zip(places, sizes)]
    return Case([d.array(shape, d.pick(*ANY), *MOVED), d.array(like)], d.attrs(**dict(zip(_LIKE, written))))


_LIKE = ("lhs_begin", "lhs_end", "rhs_begin", "rhs_end")


def transpose(d: Draw) -> Case:
    shape = d.shape()
    axes = d.permutation(len(shape))
    if d.flag():
        axes = tuple(a - len(shape) if d.flag() else a for a in axes)
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(axes=d.pick(OMIT, axes)))


def swap_axis(d: Draw) -> Case:
    shape = d.shape()
    given = {key: d.pick(OMIT, d.axis(len(shape))) for key in ("dim1", "dim2")}
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(**given))


def moveaxis(d: Draw) -> Case:
    shape = d.shape()
    count = d.integer(0, len(shape))
    source, target = (
        tuple(a - len(shape) if d.flag() else a for a in d.permutation(len(shape))[:count]) for _ in range(2)
    )
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(source=source, destination=target))


def broadcast_to(d: Draw) -> Case:
    target = d.shape(elements=200)
    source = d.broadcast(target)
    written = target
    if not d.numpy:
        # 0 keeps a size.
        written = tuple(0 if s == t and d.flag() else t for s, t in zip(source, target))
    return Case([d.array(source, d.pick(*ANY), *MOVED)], d.attrs(shape=written))


def broadcast_axis(d: Draw) -> Case:
    shape = tuple(d.pick(1, s) for s in d.shape(elements=60))
    ones = [i for i, s in enumerate(shape) if s == 1 and d.flag()]
    axes = tuple(i - len(shape) if d.flag() else i for i in ones)
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(axis=axes, size=tuple(d.integer(1, 4) for _ in axes)))


def broadcast_like(d: Draw) -> Case:
    target = d.shape(elements=200)
    source = tuple(d.pick(s, 1) for s in target)
    if d.flag() or not target:
        return Case([d.array(source, d.pick(*ANY), *MOVED), d.array(target)], d.attrs(lhs_axes=OMIT, rhs_axes=OMIT))
    axis, other = d.axis(len(target)), d.shape(low=1, elements=50)
    place = d.axis(len(other))
    shape = list(target)
    shape[axis] = 1
    return Case([d.array(shape, d.pick(*ANY), *MOVED), d.array(other)], d.attrs(lhs_axes=(axis,), rhs_axes=(place,)))


def tile(d: Draw) -> Case:
    """Along three axes at most: of more MXNet refuses to make copies, or leaves the result unwritten."""
    reps = tuple(d.integer(1, 3) for _ in range(d.integer(0, 4)))
    if 1 not in reps and len(reps) == 4:
        reps = reps[1:]
    return Case([d.array(d.shape(elements=60, high=4), d.pick(*ANY), *MOVED)], d.attrs(reps=reps))


def repeat(d: Draw) -> Case:
    shape = d.shape(elements=200)
    axis = d.pick(OMIT, None, d.axis(len(shape)))
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(repeats=d.integer(1, 4), axis=axis))


def flip(d: Draw) -> Case:
    shape = d.shape()
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(axis=d.pick(d.axes(len(shape)), d.axis(len(shape)))))


def depth_to_space(d: Draw) -> Case:
    block = d.integer(1, 3)
    batch, channels, height, width = (d.integer(1, 3) for _ in range(4))
    if d.op == "depth_to_space":
        shape = (batch, channels * block * block, height, width)
    else:
        shape = (batch, channels, height * block, width * block)
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(block_size=block))


def roll(d: Draw) -> Case:
    shape = d.shape()
    axes = d.axes(len(shape))
    axis = d.pick(OMIT, None, axes, axes)
    many = isinstance(axis, tuple) and len(axis) > 0 and d.flag()
    shift = tuple(d.integer(-9, 9) for _ in axes) if many else (d.integer(-9, 9),)
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(shift=shift, axis=axis))


def rot90(d: Draw) -> Case:
    shape = d.shape(low=2)
    a, b = d.permutation(len(shape))[:2]
    axes = tuple(v - len(shape) if d.flag() else v for v in (a, b))
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(k=d.pick(OMIT, *range(-5, 6)), axes=axes))


def atleast(d: Draw) -> Case:
    count = d.integer(1, 3)
    outputs = sorted({d.integer(0, count - 1) for _ in range(2)})
    dtype = d.pick(*ANY)
    return Case([d.array(d.shape(high=4), dtype, *MOVED) for _ in range(count)], d.attrs(num_args=count), outputs)


STRATEGIES: dict[str, Strategy] = {
    **dict.fromkeys(("Flatten", "flatten", "_npx_batch_flatten"), plain),
    **dict.fromkeys(("Reshape", "reshape", "_np_reshape"), reshape),
    **dict.fromkeys(("_npx_reshape", "_npi_reshape"), npx_reshape),
    **dict.fromkeys(("expand_dims", "_npi_expand_dims"), expand_dims),
    **dict.fromkeys(("squeeze", "_np_squeeze"), squeeze),
    **dict.fromkeys(("reshape_like", "_npx_reshape_like"), reshape_like),
    **dict.fromkeys(("transpose", "_np_transpose"), transpose),
    **dict.fromkeys(("SwapAxis", "swapaxes", "_npi_swapaxes"), swap_axis),
    "_np_moveaxis": moveaxis,
    **dict.fromkeys(("broadcast_to", "_npi_broadcast_to"), broadcast_to),
    **dict.fromkeys(("broadcast_axis", "broadcast_axes"), broadcast_axis),
    "broadcast_like": broadcast_like,
    **dict.fromkeys(("tile", "_npi_tile"), tile),
    **dict.fromkeys(("repeat", "_np_repeat"), repeat),
    **dict.fromkeys(("reverse", "flip", "_npi_flip"), flip),
    **dict.fromkeys(("depth_to_space", "space_to_depth"), depth_to_space),
    "_np_roll": roll,
    "_npi_rot90": rot90,
    **{f"_np_atleast_{n}d": atleast for n in (1, 2, 3)},
}
