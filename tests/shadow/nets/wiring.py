"""How nets are wired: shared layers, several inputs and outputs, skips, branches, pyramids."""

import mxnet as mx
from mxnet.gluon import HybridBlock, nn

from gluon_neuron.errors import BlockError
from tests.shadow.corpus import FRONT_ENDS, Plain, add, chain, images, integers, net, normal, positive, rows

BOTH = {"front_ends": FRONT_ENDS}


@net(lambda n: (normal(n, 6), normal(n, 6)), **BOTH)
def siamese():
    """One body, two inputs."""
    return Plain(
        lambda b, F, x, y: (b.body(x) - b.body(y)) ** 2, body=chain(nn.Dense(5, activation="tanh"), nn.Dense(3))
    )


@net(rows(), **BOTH)
def a_layer_called_thrice():
    """In a row."""
    return Plain(lambda b, F, x: b.layer(b.layer(b.layer(x))), layer=nn.Dense(6, activation="relu"))


@net(rows(), **BOTH)
def shared_parameters():
    """Two layers of one weight, not of one bias."""
    one = nn.Dense(6)
    two = nn.Dense(6, params=one.params)
    return chain(one, nn.Activation("tanh"), two, nn.BatchNorm())


@net(lambda n: (normal(n, 6), normal(n, 3)))
def tied_embedding():
    """The weight of one layer, transposed, is that of another."""

    class Tied(HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.weight = self.params.get("weight", shape=(3, 6))

        def hybrid_forward(self, F, x, y, weight):
            return F.dot(x, weight, transpose_b=True), F.dot(y, weight)

    return Tied()


@net(rows(), **BOTH)
def several_outputs():
    """Nested."""
    return Plain(lambda b, F, x: (b.one(x), [b.two(x), (b.one(x) * 2,)]), one=nn.Dense(4), two=nn.Dense(3))


@net(rows(), **BOTH)
def outputs_that_are_inputs():
    """And one output twice."""

    def function(block, F, x):
        y = block.body(x)
        return x, y, y, [x]

    return Plain(function, body=nn.Dense(4))


@net(lambda n: (normal(n, 6), normal(n, 2)), **BOTH)
def inputs_that_pass_through():
    """In another order."""
    return Plain(lambda b, F, x, y: (y, b.body(x), x), body=nn.Dense(4))


@net(lambda n: (normal(n, 6), normal(n, 2)), **BOTH)
def an_input_that_nothing_reads():
    """It is an argument all the same."""
    return Plain(lambda b, F, x, y: b.body(x), body=nn.Dense(4))


@net(rows(), **BOTH)
class Heads_that_only_training_uses(HybridBlock):
    """Layers that are never called, so their shapes are never known."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body = nn.Dense(4)
            self.head = nn.Dense(3)

    def hybrid_forward(self, F, x):
        return self.body(x)


@net(rows(), **BOTH)
def a_layer_that_nothing_reads():
    """It is called, for nothing."""

    def function(block, F, x):
        block.other(x)
        return block.body(x)

    return Plain(function, body=nn.Dense(4), other=nn.Dense(3))


@net(lambda n: (normal(n, 6), [normal(n, 6), [normal(n, 4)]]), **BOTH)
def nested_inputs():
    """Lists in lists."""
    return Plain(lambda b, F, x, more: [b.body(x + more[0]), [more[1][0] * b.body(x)]], body=nn.Dense(4))


@net(lambda n: (normal(n, 6), None, normal(n, 4)), **BOTH)
def none_between():
    """An optional argument that is left out."""

    def function(block, F, x, scale, y):
        out = block.body(x) + y
        return out if scale is None else out * scale

    return Plain(function, body=nn.Dense(4))


@net(lambda n: (normal(n, 6), [None, normal(n, 4)]), **BOTH)
def none_in_a_list():
    """Nested."""
    return Plain(lambda b, F, x, more: b.body(x) + more[1], body=nn.Dense(4))


@net(lambda n: (normal(n, 6), normal(n, 4)), **BOTH)
class Optional_inputs(HybridBlock):
    """Default None, here given and there not."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body = nn.Dense(4)

    def hybrid_forward(self, F, x, bias=None, scale=None):
        y = self.body(x)
        y = y if bias is None else y + bias
        return y if scale is None else y * scale


net(lambda n: (normal(n, 6),), **BOTH)(type("Optional inputs left out", (Optional_inputs,), {}))
net(lambda n: (normal(n, 6), None, positive(n, 4)), **BOTH)(type("Optional inputs but one", (Optional_inputs,), {}))


class OwnCall(HybridBlock):
    """Prepares what it is given and puts something around what it gives, in Python."""

    def __init__(self, around):
        super().__init__()
        self.around = around
        with self.name_scope():
            self.body = nn.Dense(4)

    def __call__(self, x, scale=2.0):
        """What the function puts around."""
        return self.around(super().__call__(x * scale))

    def hybrid_forward(self, F, x):
        """A layer."""
        return self.body(x)


add("a call with more around", lambda: OwnCall(lambda y: (y * 3, [y])), rows(), **BOTH)
add("a call with none around", lambda: OwnCall(lambda y: (None, y, [None, (y + 1,)])), rows(), **BOTH)
add(
    "refused: a call with a dict around",
    lambda: OwnCall(lambda y: {"y": y}),
    rows(),
    error=(BlockError, "cannot be exported to a symbol"),
)


@net(rows(), **BOTH)
class Forward_of_its_own(HybridBlock):
    """Overrides what Gluon's call calls."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body = nn.Dense(4)

    def forward(self, x, *args):
        return self.body(x * 2) + 1


@net(rows())
def lists_of_one_and_none():
    """And an operator's outputs as they are."""
    return Plain(lambda b, F, x: [[b.body(x)], [], F.split(b.body(x), 2, axis=1)], body=nn.Dense(4))


@net(lambda n: (None, normal(n, 6)), **BOTH)
def none_first():
    """An optional argument before the others."""
    return Plain(lambda b, F, y, x: b.body(x) if y is None else b.body(x) + y, body=nn.Dense(4))


@net(lambda n: (normal(n, 6), normal(n, 6), normal(n, 6)))
class Any_number_of_inputs(HybridBlock):
    """Added."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body = nn.Dense(4)

    def hybrid_forward(self, F, *args):
        return F.add_n(*map(self.body, args))


@net(rows())
class Parameters_that_are_outputs(HybridBlock):
    """And what is computed of them alone."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(4, 6))

    def hybrid_forward(self, F, x, weight):
        return F.FullyConnected(x, weight, no_bias=True, num_hidden=4), weight, weight * 2


@net(rows())
def outputs_that_are_constant():
    """Or follow from shapes."""
    return Plain(lambda b, F, x: (F.ones((2, 3)), b.body(x), F.zeros_like(x), F.shape_array(x)), body=nn.Dense(4))


@net(rows())
def a_net_made_of_a_symbol_within():
    """Called twice."""
    inner = chain(nn.Dense(5, in_units=6), nn.Dense(6, in_units=5))
    inner.initialize()
    x = mx.sym.var("x")
    made = mx.gluon.SymbolBlock(inner(x), x, params=inner.collect_params())
    return chain(nn.Dense(6), made, made)


@net(rows())
def requests_for_gradients():
    """None here, added up there."""
    made = chain(nn.Dense(5), nn.Dense(4))
    made[0].collect_params().setattr("grad_req", "null")
    made[1].collect_params().setattr("grad_req", "add")
    return made


class Residual(HybridBlock):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels, shortcut):
        super().__init__()
        with self.name_scope():
            self.body = chain(
                *(nn.Conv2D(channels, 3, padding=1, use_bias=False), nn.BatchNorm(), nn.Activation("relu")),
                *(nn.Conv2D(channels, 3, padding=1, use_bias=False), nn.BatchNorm()),
            )
            self.shortcut = chain(nn.Conv2D(channels, 1), nn.BatchNorm()) if shortcut else None
            self.last = nn.Activation("relu")

    def hybrid_forward(self, F, x):
        """Added, then cut at 0."""
        return self.last(self.body(x) + (x if self.shortcut is None else self.shortcut(x)))


@net(images(), **BOTH)
def residual():
    """As in ResNet."""
    return chain(nn.Conv2D(6, 3), Residual(6, False), Residual(8, True), nn.GlobalAvgPool2D(), nn.Dense(3))


@net(images())
def residual_with_its_norm_first():
    """As in ResNet's second version."""

    def function(block, F, x):
        y = block.norm(x)
        return block.conv(F.relu(y)) + block.short(y)

    return Plain(function, norm=nn.BatchNorm(scale=False), conv=nn.Conv2D(5, 3, padding=1), short=nn.Conv2D(5, 1))


@net(images())
def squeeze_and_excitation():
    """Channels weighed by what all of the image says."""

    def function(block, F, x):
        y = block.conv(x)
        return F.broadcast_mul(y, block.gate(y))

    gate = chain(nn.GlobalAvgPool2D(), nn.Conv2D(2, 1, activation="relu"), nn.Conv2D(6, 1, activation="sigmoid"))
    return Plain(function, conv=nn.Conv2D(6, 3), gate=gate)


@net(images())
def inception():
    """Branches, joined."""
    branches = {
        "one": nn.Conv2D(2, 1, activation="relu"),
        "three": chain(nn.Conv2D(2, 1), nn.Conv2D(3, 3, padding=1)),
        "five": chain(nn.Conv2D(2, 1), nn.Conv2D(3, (1, 5), padding=(0, 2)), nn.Conv2D(3, (5, 1), padding=(2, 0))),
        "pool": chain(nn.AvgPool2D(3, 1, 1), nn.Conv2D(2, 1)),
    }
    return Plain(lambda b, F, x: F.concat(b.one(x), b.three(x), b.five(x), b.pool(x), dim=1), **branches)


@net(images())
def dense_connections():
    """Each layer sees all before it."""

    def function(block, F, x):
        for layer in (block.one, block.two, block.three):
            x = F.concat(x, layer(x), dim=1)
        return block.out(x)

    layers = {
        n: chain(nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(3, 3, padding=1)) for n in ("one", "two", "three")
    }
    return Plain(function, **layers, out=nn.Dense(3))


@net(images(8))
def u_net():
    """Down, up, and across."""

    def function(block, F, x):
        one = block.one(x)
        two = block.two(block.pool(one))
        return block.out(F.concat(block.up(two), one, dim=1))

    parts = {"one": nn.Conv2D(4, 3, padding=1, activation="relu"), "two": nn.Conv2D(6, 3, padding=1, activation="relu")}
    return Plain(function, **parts, pool=nn.MaxPool2D(), up=nn.Conv2DTranspose(4, 2, 2), out=nn.Conv2D(2, 1))


@net(images(16))
def heads_of_several_scales():
    """As in SSD: classes, boxes and anchors of each scale, joined."""

    def function(block, F, x):
        classes, boxes, anchors = [], [], []
        for name in ("one", "two"):
            x = getattr(block, name)(x)
            classes.append(getattr(block, f"class_{name}")(x).transpose((0, 2, 3, 1)).flatten())
            boxes.append(getattr(block, f"box_{name}")(x).transpose((0, 2, 3, 1)).flatten())
            anchors.append(F.contrib.MultiBoxPrior(x, sizes=(0.2, 0.3), ratios=(1, 2)).reshape((1, -1)))
        scores = F.concat(*classes, dim=1).reshape((0, -1, 3))
        return F.softmax(scores, axis=-1), F.concat(*boxes, dim=1), F.concat(*anchors, dim=1).reshape((1, -1, 4))

    parts = {}
    for name in ("one", "two"):
        parts[name] = chain(nn.Conv2D(6, 3, strides=2, padding=1, activation="relu"), nn.MaxPool2D())
        parts[f"class_{name}"] = nn.Conv2D(9, 3, padding=1)
        parts[f"box_{name}"] = nn.Conv2D(12, 3, padding=1)
    return Plain(function, **parts)


@net(images(16))
def a_pyramid():
    """From coarse to fine, added to what is finer."""

    def function(block, F, x):
        fine = block.one(x)
        coarse = block.two(fine)
        top = block.top(coarse)
        merged = F.slice_like(F.UpSampling(top, scale=2, sample_type="nearest"), fine, axes=(2, 3)) + block.side(fine)
        return merged, top, F.Pooling(top, kernel=(1, 1), stride=(2, 2), pool_type="max")

    parts = {"one": nn.Conv2D(4, 3, 2), "two": nn.Conv2D(6, 3, 2, 1), "top": nn.Conv2D(5, 1), "side": nn.Conv2D(5, 1)}
    return Plain(function, **parts)


@net(images(6))
def style_transfer():
    """Instance norms between reflected edges."""
    layers = [nn.ReflectionPad2D(1), nn.Conv2D(6, 3), nn.InstanceNorm(scale=True), nn.Activation("relu")]
    return chain(
        *layers, nn.HybridLambda(lambda F, x: F.UpSampling(x, scale=2, sample_type="nearest")), nn.Conv2D(3, 3)
    )


@net(lambda n: (normal(n, 8), integers(4, n)))
def a_conditional_generator():
    """Noise and a label to an image."""

    def function(block, F, x, label):
        return block.body(F.expand_dims(F.expand_dims(F.concat(x, block.words(label), dim=1), 2), 3))

    body = chain(
        nn.Conv2DTranspose(6, 4),
        nn.BatchNorm(),
        nn.Activation("relu"),
        nn.Conv2DTranspose(3, 4, 2, 1, activation="tanh"),
    )
    return Plain(function, words=nn.Embedding(4, 3), body=body)


@net(rows(), stays=("_random_normal_like",))
def an_encoder_with_a_sample():
    """A variational encoder: what it draws is the same for both, by the seed."""

    def function(block, F, x):
        mean, deviation = F.split(block.encode(x), 2, axis=1)
        return block.decode(mean + F.exp(0.5 * deviation) * F.random.normal_like(mean)), mean

    return Plain(function, encode=nn.Dense(6), decode=nn.Dense(6))


@net(lambda n: (normal(n, 3, 6, 6), normal(n, 5)), **BOTH)
def two_towers():
    """An image and a row."""
    image = chain(nn.Conv2D(4, 3, activation="relu"), nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(4))
    return Plain(lambda b, F, x, y: b.image(x) * b.row(y), image=image, row=nn.Dense(4, activation="sigmoid"))


@net(lambda n: (normal(n, 6).astype("float16"),))
def half_precision():
    """Cast at both ends, as nets with float32 weights do."""
    return Plain(lambda b, F, x: F.cast(b.body(F.cast(x, "float32")), "float16"), body=nn.Dense(4))


@net(lambda n: (normal(n, 6).astype("float64"),), compiled=False, stays=("FullyConnected",))
def double_precision():
    """Of weights too."""
    made = chain(nn.Dense(4), nn.Dense(3))
    made.cast("float64")
    return made
