"""Pooling of all kinds, of one to three dimensions."""

from mxnet.gluon import nn

from tests.shadow.corpus import FRONT_ENDS, Branches, Plain, add, images, net, normal

SIZES = {1: (9,), 2: (9, 8), 3: (5, 6, 5)}
KINDS = {
    1: (nn.MaxPool1D, nn.AvgPool1D, nn.GlobalMaxPool1D, nn.GlobalAvgPool1D, nn.Conv1D),
    2: (nn.MaxPool2D, nn.AvgPool2D, nn.GlobalMaxPool2D, nn.GlobalAvgPool2D, nn.Conv2D),
    3: (nn.MaxPool3D, nn.AvgPool3D, nn.GlobalMaxPool3D, nn.GlobalAvgPool3D, nn.Conv3D),
}
OPTIONS = (
    {"pool_size": 2},
    {"pool_size": 3, "strides": 2, "padding": 1},
    {"pool_size": 2, "strides": 2, "ceil_mode": True},
)
AVERAGES = (
    {"pool_size": 3, "strides": 2, "padding": 1, "count_include_pad": False},
    {"pool_size": 3, "strides": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False},
)


for _dims, (_max, _mean, _global_max, _global_mean, _conv) in KINDS.items():
    _known = {"front_ends": FRONT_ENDS if _dims == 2 else ("nd",)}
    _inputs = lambda n, dims=_dims: (normal(n, 3, *SIZES[dims]),)  # noqa: E731
    add(
        f"max pooling of {_dims} dimensions",
        lambda k=_max, g=_global_max, c=_conv: Branches(c(4, 1), *(k(**o) for o in OPTIONS), g()),
        _inputs,
        **_known,
    )
    add(
        f"mean pooling of {_dims} dimensions",
        lambda k=_mean, g=_global_mean, c=_conv: Branches(c(4, 1), *(k(**o) for o in (*OPTIONS, *AVERAGES)), g()),
        _inputs,
        **_known,
    )


@net(images(9))
def adaptive_pooling():
    """To a size."""

    def function(block, F, x):
        y = block.body(x)
        return F.contrib.AdaptiveAvgPooling2D(y, output_size=(3, 2)), F.contrib.AdaptiveAvgPooling2D(y)

    return Plain(function, body=nn.Conv2D(4, 3))


@net(images(9))
def lp_and_sum_pooling():
    """Which no layer of Gluon offers."""

    def function(block, F, x):
        y = block.body(x)
        options = {"kernel": (2, 2), "stride": (2, 2)}
        return F.Pooling(y, pool_type="sum", **options), F.Pooling(F.relu(y) + 1, pool_type="lp", p_value=2, **options)

    return Plain(function, body=nn.Conv2D(4, 3))


@net(lambda n: (normal(n, 3, 6, 5, 5),), stays=("Pooling",))
def windows_that_hold_nothing():
    """MXNet gives NaN for them, in three dimensions only."""

    def function(block, F, x):
        y = block.body(x)
        return F.Pooling(y, pool_type="avg", kernel=(2, 2, 2), stride=(3, 3, 3), pooling_convention="full")

    return Plain(function, body=nn.Conv3D(4, 1))
