"""What gluoncv.nn exports: boxes, coders, matchers, samplers, predictors, features, and its layers."""

import mxnet as mx
from gluoncv.nn import bbox, block, coder, dropblock, feature, gn, matcher, predictor, sampler, splat
from mxnet.gluon import HybridBlock, nn

from gluon_neuron.errors import BlockError
from tests.nets import front
from tests.shadow.corpus import (
    FRONT_ENDS,
    RANDOM,
    Branches,
    Plain,
    add,
    boxes,
    chain,
    images,
    integers,
    net,
    normal,
    positive,
    rows,
    signs,
)

LAYERS = {
    "relu6": block.ReLU6,
    "hard sigmoid": block.HardSigmoid,
    "hard swish": block.HardSwish,
    "gluoncv's identity": block.Identity,
    "softmax of a map": block.SoftmaxHD,
    "batch norm without cudnn": block.BatchNormCudnnOff,
    "drop block": lambda: dropblock.DropBlock(0.3, 3, 4, 6, 6),
}
for name, layer in LAYERS.items():
    add(name, lambda layer=layer: chain(nn.Conv2D(4, 3), layer(), nn.Conv2D(2, 1)), images())
for norm in ("softmax", "sum"):
    add(f"coordinates of a map by {norm}", lambda norm=norm: chain(nn.Conv2D(4, 3), block.DSNT(6, norm)), images())
add("upsampling by shuffle", lambda: block.DUC(8), images(5))
add("consensus of segments", lambda: chain(nn.Dense(4), block.Consensus(4, 3)), lambda n: (normal(3 * n, 6),))
add("conv predictor", lambda: predictor.ConvPredictor(6, activation="relu"), images(5), front_ends=FRONT_ENDS)
add("fc predictor", lambda: predictor.FCPredictor(6), rows(), front_ends=FRONT_ENDS)
add("split attention", lambda: splat.SplitAttentionConv(4, 3, padding=1, in_channels=4, radix=2), images(6, 4))
add("split attention of one", lambda: splat.SplitAttentionConv(4, 3, in_channels=4, radix=1, groups=2), images(6, 4))
add(
    "refused: gluoncv's group norm",
    lambda: gn.GroupNorm(2, in_channels=4),
    images(5, 4),
    error=(BlockError, "cannot be exported to a symbol"),
)


def _layered(function, **parts):
    """Boxes that a layer predicts, about some that are given."""
    return Plain(lambda b, F, x, *rest: function(b, F, b.body(x).reshape((0, 5, 4)), *rest), body=nn.Dense(20), **parts)


def _boxes(*more):
    return lambda n: (normal(n, 6), *(make(n) for make in more))


_five, _three = (lambda n: boxes(n, 5)), (lambda n: boxes(n, 3))

BOXES = {
    "corners": lambda: (bbox.BBoxCornerToCenter(), bbox.BBoxCornerToCenter(split=True), bbox.BBoxArea()),
    "centre": lambda: (bbox.BBoxCenterToCorner(), bbox.BBoxCenterToCorner(split=True), bbox.BBoxArea(fmt="center")),
    "parts": lambda: (bbox.BBoxSplit(-1, squeeze_axis=True), bbox.BBoxSplit(2)),
}
for name, make in BOXES.items():
    add(f"boxes: {name}", lambda make=make: _layered(lambda b, F, y: b.last(y), last=Branches(None, *make())), rows())
for fmt in ("corner", "center"):
    add(
        f"boxes: overlap by {fmt}",
        lambda fmt=fmt: _layered(lambda b, F, y, other: b.last(y + other, other), last=bbox.BBoxBatchIOU(fmt=fmt)),
        _boxes(_five),
    )
add(
    "boxes: within the image",
    lambda: _layered(lambda b, F, y, image: b.last(y * 9, image), last=bbox.BBoxClipToImage()),
    _boxes(lambda n: normal(n, 3, 6, 5)),
)

DECODERS = {
    "decoder of boxes": {},
    "decoder of boxes by corners": {"convert_anchor": True, "clip": 2.0},
    "decoder of boxes of few operators": {"minimal_opset": True, "convert_anchor": True, "clip": 2.0},
}
for name, options in DECODERS.items():
    add(
        name,
        lambda options=options: _layered(
            lambda b, F, y, anchors: b.last(y, anchors), last=coder.NormalizedBoxCenterDecoder(**options)
        ),
        _boxes(lambda n: boxes(1, 5)),
    )
for name, make in {
    "decoder of one class": lambda: coder.MultiClassDecoder(),
    "decoder of each class": lambda: coder.MultiPerClassDecoder(4),
}.items():
    add(name, lambda make=make: _layered(lambda b, F, y: b.last(F.softmax(y)), last=make()), rows())


def _targets(n):
    return signs(n, 5), integers(3, n, 5), boxes(n, 5), boxes(n, 3)


@net(lambda n: (normal(n, 6), *_targets(n)))
def encoder_of_boxes():
    """What a net should say, beside what it says."""
    return _layered(
        lambda b, F, y, samples, matches, anchors, refs: (y, b.last(samples, matches, anchors, refs)),
        last=coder.NormalizedBoxCenterEncoder(),
    )


@net(
    lambda n: (normal(n, 6), *_targets(n)[:3], integers(4, n, 3), boxes(n, 3)),
    sizes=(2,),
    stays=("_contrib_box_encode",),
)
def encoder_of_boxes_of_each_class():
    """For a batch of this size only."""
    return _layered(
        lambda b, F, y, samples, matches, anchors, labels, refs: (y, b.last(samples, matches, anchors, labels, refs)),
        last=coder.NormalizedPerClassBoxCenterEncoder(4, max_pos=3, per_device_batch_size=2),
    )


@net(lambda n: (normal(n, 6), signs(n, 5), integers(3, n, 5), integers(4, n, 3)))
def encoder_of_classes():
    """Labels of what matches."""
    return _layered(lambda b, F, y, *args: (y, b.last(*args)), last=coder.MultiClassEncoder())


INTEGERS = ("Cast", "broadcast_div", "broadcast_mod", "Concat", "Reshape", "gather_nd")


@net(lambda n: (normal(n, 3, 6, 5),), stays=INTEGERS)
def decoder_of_centres():
    """As CenterNet: the best places of a heat map."""

    def function(block, F, x):
        y = block.body(x)
        return block.last(F.sigmoid(block.heat(y)), block.size(y), block.shift(y))

    heads = {"heat": nn.Conv2D(3, 1), "size": nn.Conv2D(2, 1), "shift": nn.Conv2D(2, 1)}
    return Plain(function, body=nn.Conv2D(4, 3, padding=1), **heads, last=coder.CenterNetDecoder(topk=4))


def _matched(make):
    def function(block, F, x, other):
        overlap = block.overlap(F.sigmoid(block.body(x).reshape((0, 5, 4))), other)
        return block.last(overlap), overlap

    return Plain(function, body=nn.Dense(20), overlap=bbox.BBoxBatchIOU(), last=make())


MATCHERS = {
    "maximum matcher": (lambda: matcher.MaximumMatcher(0.2), ()),
    "bipartite matcher": (lambda: matcher.BipartiteMatcher(), ("_contrib_bipartite_matching",)),
    "bipartite matcher of one": (
        lambda: matcher.BipartiteMatcher(share_max=False),
        ("_contrib_bipartite_matching",),
    ),
    "composite matcher": (
        lambda: matcher.CompositeMatcher([matcher.BipartiteMatcher(), matcher.MaximumMatcher(0.1)]),
        ("_contrib_bipartite_matching",),
    ),
}
for name, (make, stays) in MATCHERS.items():
    add(name, lambda make=make: _matched(make), _boxes(_three), stays=stays)
add("naive sampler", lambda: chain(nn.Dense(5), sampler.NaiveSampler()), rows())

NOT_HYBRID = (BlockError, "A plain Block runs Python at every call")
add(
    "refused: sampler of hard examples",
    lambda: sampler.OHEMSampler(2.0),
    lambda n: (integers(3, n, 5, low=-1), normal(n, 5, 4), positive(n, 5, 3)),
    error=NOT_HYBRID,
)
add(
    "refused: sampler of a quota",
    lambda: sampler.QuotaSampler(4, 0.5, 0.5),
    lambda n: (integers(3, n, 5, low=-1), positive(n, 5, 3)),
    error=NOT_HYBRID,
)


@net(lambda n: (normal(n, 6), integers(3, n, 5, low=-1), positive(n, 5, 3)), stays=("Custom",))
def sampler_in_python():
    """The operator of the sampler, which is Python's: MXNet calls it."""

    def function(block, F, x, matches, overlaps):
        return block.body(x), F.Custom(matches, overlaps, op_type="quota_sampler", num_sample=9, pos_thresh=0.5)

    return Plain(function, body=nn.Dense(4))


def _backbone():
    made = nn.HybridSequential(prefix="net_")
    with made.name_scope():
        made.add(nn.Conv2D(4, 3, strides=2, padding=1, activation="relu"), nn.Conv2D(6, 3, strides=2, padding=1))
        made.add(nn.BatchNorm(), nn.Activation("relu"))
    return made


OUTPUTS = ["conv0_relu_fwd", "relu0_fwd"]
FEATURES = {
    "features": lambda: feature.FeatureExtractor(_backbone(), OUTPUTS),
    "features and more": lambda: feature.FeatureExpander(
        _backbone(), OUTPUTS, [5, 6], min_depth=3, global_pool=True, use_bn=True
    ),
    "pyramid of features": lambda: feature.FPNFeatureExpander(_backbone(), OUTPUTS, [5, 5], use_p6=True, no_bias=False),
}
for name, make in FEATURES.items():
    add(name, make, images(16))


@net(images(8), stays=("_contrib_box_nms",))
class Suppressed(HybridBlock):
    """Boxes of which MXNet drops those that overlap."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body = nn.Conv2D(6, 3)

    def hybrid_forward(self, F, x):
        y = self.body(x).reshape((0, 0, -1)).transpose((0, 2, 1))
        return F.contrib.box_nms(
            F.concat(F.sigmoid(y), dim=2),
            overlap_thresh=0.5,
            valid_thresh=0.3,
            topk=5,
            score_index=1,
            coord_start=2,
            id_index=0,
        )


@net(lambda n: (front(mx.nd.array(RANDOM.uniform(0, 255, (n, 3, 8, 8)).astype("uint8"), dtype="uint8")),))
def pixels_of_bytes():
    """Normalized in the net."""
    return Plain(lambda b, F, x: b.body((F.cast(x, "float32") - 127.5) / 58), body=nn.Conv2D(3, 3))
