"""Blocks of MXNet's NumPy front end alone, which call its functions themselves."""

from mxnet.gluon import nn

from tests.shadow.corpus import Plain, integers, net, normal, rows, steps

NP = {"front_ends": ("np",)}


# An output keeps its name, which only the operator itself gives it.
@net(steps(), **NP, stays=("_npi_matmul",))
def attention_by_products():
    """By matmul and by einsum."""

    def function(block, F, x):
        weights = F.npx.softmax(F.np.matmul(block.q(x), F.np.swapaxes(block.k(x), 1, 2)) / 2.0)
        return F.np.matmul(weights, block.v(x)), F.np.einsum("bij,bjk->bik", weights, block.v(x))

    return Plain(function, **{n: nn.Dense(4, flatten=False) for n in "qkv"})


@net(rows(), **NP)
def arrays_without_axes():
    """Sums and means of everything."""
    return Plain(lambda b, F, x: (b.body(x).sum(), [b.body(x).mean(), b.body(x).max(axis=1)]), body=nn.Dense(4))


@net(lambda n: (normal(n, 6), normal()), **NP)
def an_input_without_axes():
    """A factor."""
    return Plain(lambda b, F, x, y: b.body(x) * y, body=nn.Dense(4))


@net(lambda n: (normal(n, 6), integers(2, n, 4).astype("bool")), **NP)
def booleans():
    """As inputs and as outputs."""

    def function(block, F, x, mask):
        y = block.body(x)
        return F.np.where(mask, y, F.np.zeros_like(y)), y > 0

    return Plain(function, body=nn.Dense(4))


@net(rows(), **NP, stays=("_npi_concatenate",))
def parts():
    """Lists that functions give."""

    def function(block, F, x):
        y = block.body(x)
        one, two = F.np.split(y, 2, axis=1)[1], F.np.concatenate([y, x], axis=-1)
        return F.np.split(y, 2, axis=1), [one, F.np.stack([y, y]), two]

    return Plain(function, body=nn.Dense(4))


@net(rows(), **NP)
def sums_of_unequal_shapes():
    """Here + broadcasts symbols too."""
    return Plain(lambda b, F, x: b.body(x) + F.np.ones((1, 4)) * F.np.arange(4), body=nn.Dense(4))


@net(rows(), **NP, stays=("_npi_var", "_npi_std"))
def statistics():
    """Over an axis."""

    def function(block, F, x):
        y = block.body(x)
        return F.np.var(y, axis=0), F.np.std(y, axis=1), F.np.tanh(y) ** 2, F.np.exp(y).sum(axis=1, keepdims=True)

    return Plain(function, body=nn.Dense(4))
