"""One program for any shape: it agrees with MXNet at shapes that nothing was compiled for; or why there is none."""

import re
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.artifact.container import unpack
from gluon_neuron.engine import native_library
from gluon_neuron.runtime import background
from gluon_neuron.targets.cpu.dynamic import _KEPT_SHAPES
from tests.agreement import agree
from tests.unseen import ready


class Function(nn.HybridBlock):
    """A block of a function of F and the inputs, with a product in front so that it is worth a region."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function = function
        with self.name_scope():
            for i, layer in enumerate(layers):
                setattr(self, f"layer{i}", layer())
        self.count = len(layers)

    def hybrid_forward(self, F, *data):
        return self.function(F, *[getattr(self, f"layer{i}") for i in range(self.count)], *data)


def dense(units=8, **more):
    return lambda: nn.Dense(units, flatten=False, **more)


def conv(channels=6, kernel=3, **more):
    return lambda: nn.Conv2D(channels, kernel, **more)


def attention(F, q, k, v, x):
    """Heads by reshape; x (N, L, 8)."""

    def heads(y):
        return F.transpose(y.reshape((0, 0, 2, -1)), (0, 2, 1, 3)).reshape((-1, 0, 0), reverse=True)

    scores = F.batch_dot(F.contrib.div_sqrt_dim(heads(q(x))), heads(k(x)), transpose_b=True)
    y = F.batch_dot(F.softmax(scores), heads(v(x))).reshape((-1, 2, 0, 0), reverse=True)
    return x + F.transpose(y, (0, 2, 1, 3)).reshape((0, 0, -1))


def masked(F, layer, x, length):
    """Positions are added, and what is beyond a sentence's length is masked."""
    steps = F.contrib.arange_like(x, axis=1)
    mask = F.broadcast_lesser(F.reshape(steps, (1, -1)), F.reshape(length, (-1, 1)))
    y = layer(F.broadcast_add(x, F.reshape(steps, (1, -1, 1)) * 0.01))
    y = F.broadcast_mul(y, F.expand_dims(mask, 2))
    return F.SequenceMask(F.transpose(y, (1, 0, 2)), length, use_sequence_length=True, value=-1)


def u_net(F, down, up, x):
    """An odd size is cropped to what it was."""
    y = down(x)
    y = F.UpSampling(y, scale=2, sample_type="nearest")
    return up(F.concat(F.slice_like(y, x, axes=(2, 3)), x, dim=1))


def anchors(F, down, x):
    """Each place of several maps has numbers of its own, as in detectors; of the deepest map little is left."""
    found = []
    for _ in range(4):
        x = down(x)
        own = F.slice_like(F.reshape(F.arange(4096) / 4096, (1, 1, 64, 64)), x, axes=(2, 3))
        found.append(F.flatten(F.broadcast_mul(x, own)))
    return F.concat(*found, dim=1)


NETS = {
    "anchors": (Function(anchors, conv(3, strides=3, padding=1)), [(1, 3, 90, 70)]),
    "windows by matrices": (
        Function(lambda F, a, x: F.contrib.AdaptiveAvgPooling2D(a(x), output_size=(4, 3)), conv()),
        [(1, 3, 12, 12)],
    ),
    "resized as another": (
        Function(lambda F, a, x: F.contrib.BilinearResize2D(a(x), x, mode="like"), conv(strides=2)),
        [(1, 3, 12, 17)],
    ),
    "resized to a size": (
        Function(
            lambda F, a, x: F.contrib.BilinearResize2D(a(x), height=9, width=30, align_corners=False), conv(padding=1)
        ),
        [(1, 3, 12, 17)],
    ),
    "mlp": (Function(lambda F, a, b, x: b(F.relu(a(x))), dense(16), dense()), [(3, 5, 8)]),
    "batch alone": (Function(lambda F, a, b, x: b(a(x)), conv(), lambda: nn.Dense(4)), [(2, 3, 9, 11)]),
    "strides": (
        Function(
            lambda F, a, b, x: F.Pooling(b(F.relu(a(x))), global_pool=True, pool_type="avg", kernel=(1, 1)),
            *(conv(strides=2, padding=1), conv(strides=2)),
        ),
        [(1, 3, 33, 40)],
    ),
    "pools": (
        Function(
            lambda F, a, x: F.concat(
                F.Pooling(a(x), kernel=(3, 3), stride=(2, 2), pool_type="max"),
                F.Pooling(a(x), kernel=(3, 3), stride=(2, 2), pool_type="avg", count_include_pad=True),
            ),
            conv(padding=1),
        ),
        [(1, 3, 20, 27)],
    ),
    "windows beyond the end": (
        Function(
            lambda F, a, x: F.concat(
                *(
                    F.Pooling(a(x), kernel=(3, 2), stride=(2, 3), pad=(1, 0), pooling_convention="full", **how)
                    for how in ({"pool_type": "max"}, {"pool_type": "sum"}, {"pool_type": "lp", "p_value": 2})
                )
            ),
            conv(),
        ),
        [(1, 3, 20, 27)],
    ),
    "up and down": (Function(u_net, conv(strides=2, padding=1), conv(padding=1)), [(1, 3, 17, 24)]),
    "transposed": (
        Function(lambda F, a, b, x: b(a(x)), conv(strides=2), lambda: nn.Conv2DTranspose(4, 4, 2, 1)),
        [(2, 3, 21, 20)],
    ),
    "attention": (Function(attention, dense(), dense(), dense()), [(2, 7, 8)]),
    "masks": (Function(masked, dense()), [(3, 6, 5), (3,)]),
    "split and concat": (
        Function(
            lambda F, a, x: F.concat(
                *F.split(a(x), num_outputs=2, axis=2),
                F.slice_axis(x, axis=2, begin=-4, end=None),
                F.reverse(a(x), axis=1),
                dim=2,
            ),
            dense(),
        ),
        [(2, 5, 8)],
    ),
    "like": (
        Function(
            lambda F, a, x: (
                F.broadcast_like(F.mean(a(x), axis=1, keepdims=True), x, lhs_axes=(1,), rhs_axes=(1,))
                + F.zeros_like(a(x))
                + F.broadcast_mul(F.ones_like(x), F.sum(F.ones_like(F.slice_axis(x, axis=2, begin=0, end=1))))
            ),
            dense(),
        ),
        [(2, 5, 8)],
    ),
    "last steps": (
        Function(
            lambda F, a, x: F.broadcast_add(
                F.slice_axis(a(x), axis=1, begin=-3, end=None),
                F.expand_dims(F.argmax(x, axis=1), 1).sum(axis=2, keepdims=True),
            ),
            dense(),
        ),
        [(2, 6, 4)],
    ),
    "two lengths": (
        Function(
            lambda F, a, b, x, y: F.batch_dot(F.softmax(F.batch_dot(a(x), b(y), transpose_b=True)), y), dense(), dense()
        ),
        [(2, 6, 8), (2, 6, 8)],
    ),
    "batch norm of rows": (
        Function(lambda F, a, b, x: b(a(x)), conv(padding=1), lambda: nn.BatchNorm(axis=2, in_channels=7)),
        [(2, 3, 7, 9)],
    ),
    "layer norm": (
        Function(lambda F, a, b, x: b(a(x)), dense(), lambda: nn.LayerNorm(in_channels=8)),
        [(1, 4, 8)],
    ),
}

OTHERS = {
    "anchors": [(1, 3, 30, 31), (2, 3, 81, 82), (1, 3, 82, 81), (3, 3, 120, 128), (1, 3, 128, 83), (1, 3, 1, 5)],
    "windows by matrices": [(1, 3, 20, 33), (3, 3, 7, 6), (2, 3, 64, 5), (1, 3, 4, 3)],
    "resized as another": [(1, 3, 20, 33), (3, 3, 7, 6), (2, 3, 64, 5), (1, 3, 3, 3)],
    "resized to a size": [(1, 3, 20, 33), (3, 3, 7, 6), (2, 3, 64, 5), (1, 3, 1, 1), (1, 3, 9, 30)],
    "batch norm of rows": [(1, 3, 7, 9), (3, 3, 7, 4), (5, 3, 7, 30)],
    "batch alone": [(1, 3, 9, 11), (7, 3, 9, 11), (20, 3, 9, 11)],
    "strides": [(1, 3, 7, 9), (3, 3, 34, 41), (2, 3, 35, 42), (1, 3, 64, 36), (5, 3, 13, 100)],
    "pools": [(1, 3, 5, 6), (3, 3, 21, 28), (2, 3, 22, 29), (1, 3, 63, 24)],
    "windows beyond the end": [(1, 3, 5, 6), (3, 3, 21, 28), (2, 3, 22, 29), (1, 3, 63, 24), (1, 3, 20, 26)],
    "up and down": [(1, 3, 9, 9), (2, 3, 18, 25), (3, 3, 31, 32), (1, 3, 64, 63)],
    "transposed": [(1, 3, 7, 8), (3, 3, 22, 23), (2, 3, 40, 31)],
    "two lengths": [[(2, 6, 8), (2, 9, 8)], [(1, 1, 8), (1, 5, 8)], [(5, 30, 8), (5, 2, 8)]],
}
LENGTHS = [(1, 4), (2, 3), (5, 9), (3, 32), (1, 65)]


def shapes_of(name, sample):
    for shape in OTHERS.get(name, LENGTHS):
        if name == "two lengths":
            yield shape
        elif name in OTHERS:
            yield [shape]
        else:
            yield [(*shape[: len(s)], *s[2:]) for s in sample]


def data(shapes):
    return [mx.nd.array(np.arange(1, s[0] + 1)) if len(s) == 1 else mx.nd.random.normal(shape=s) for s in shapes]


def made(name):
    net, sample = NETS[name]
    net.initialize(mx.init.Xavier(), force_reinit=True)
    net(*data(sample))
    return net, sample


def compiled_for(net, sample, **options):
    arrays = data(sample)
    return gluon_neuron.compile(net, arrays if len(arrays) > 1 else arrays[0], **options)


@pytest.mark.parametrize("name", NETS)
def test_agrees_with_mxnet(name):
    net, sample = made(name)
    compiled = compiled_for(net, sample)
    (region,) = compiled.report.regions
    assert region.dynamic and not region.why_static, region.why_static
    assert "one program for" in str(compiled.report)
    before = native_library.stats()
    # What OpenVINO makes for a small shape may serve larger ones, and the other way round.
    rising = sorted(shapes_of(name, sample), key=lambda shapes: [sorted(s) for s in shapes])
    for shapes in [*rising, *shapes_of(name, sample), sample]:
        arrays = data(shapes)
        agree(ready(compiled, *arrays), net(*arrays), 1e-4, 1e-5)
    after = native_library.stats()
    assert after["specialisations"] == before["specialisations"]
    assert after["compiles"] - before["compiles"] <= 2


ATTENTIONS = {
    "of another": (lambda F, x, m: F.batch_dot(F.softmax(F.batch_dot(x, m, transpose_b=True)), m), 0),
    "scaled, masked": (
        lambda F, x, m: F.batch_dot(
            F.softmax(F.broadcast_add(F.batch_dot(x, m, transpose_b=True) / 3, F.mean(m, axis=(0, 1, 2)))), m
        ),
        0,
    ),
    "of itself": (lambda F, a, b, x: F.batch_dot(F.softmax(F.batch_dot(a(x), x, transpose_b=True)), b(x)), 2),
    "with heads": (attention, 3),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention_that_begins_with_one(name, tmp_path):
    """OpenVINO's kernel for all of it, made for one key, did not normalise 16 and more."""
    function, layers = ATTENTIONS[name]
    net = Function(function, *[dense()] * layers)
    net.initialize(mx.init.Xavier())
    inputs = 1 if layers else 2
    sample = [(2, 7, 8)] * inputs
    net(*data(sample))
    compiled = compiled_for(net, sample)
    assert compiled.report.regions[0].dynamic
    compiled.export(tmp_path / "net")
    for model in (compiled, gluon_neuron.load(tmp_path / "net")):
        for length in (1, 33, 16, 5, 64):
            arrays = data([(3, 4, 8), (3, length, 8)][-inputs:])
            agree(ready(model, *arrays), net(*arrays), 1e-4, 1e-5)


def mean_by_hand(F, a, x):
    return F.broadcast_mul(F.sum(a(x), axis=1), F.mean(F.contrib.arange_like(x, axis=1)))


def pooled(kind, stride):
    return lambda F, a, x: F.mean(
        F.Pooling(a(x), kernel=(3, 3), stride=(stride, stride), pooling_convention="full", pool_type=kind, p_value=2),
        axis=(2, 3),
    )


REFUSED = {
    "means of windows beyond the end": (
        Function(pooled("avg", 2), conv()),
        *([(1, 3, 20, 20)], "another attribute, exclude-pad"),
    ),
    "a number that is not whole": (Function(mean_by_hand, dense()), [(2, 4, 3)], "not whole"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_not_derived(name):
    net, sample, why = REFUSED[name]
    net.initialize(mx.init.Xavier(), force_reinit=True)
    net(*data(sample))
    compiled = compiled_for(net, sample)
    (region,) = compiled.report.regions
    assert not region.dynamic
    assert re.search(why, region.why_static), region.why_static
    assert region.why_static in str(compiled.report)
    other = [
        (s[0], *(n + 3 for n in s[1:2]), *s[2:]) if len(s) == 3 else (s[0], s[1], *(n + 3 for n in s[2:]))
        for s in sample
    ]
    arrays = data(other)
    agree(ready(compiled, *arrays), net(*arrays), 1e-4, 1e-5)


def halved(mode):
    return lambda F, a, x: F.mean(F.contrib.BilinearResize2D(a(x), mode=mode) ** 2, axis=(2, 3))


BY_REMAINDER = {
    **{f"{kind} windows, {stride}": pooled(kind, stride) for kind, stride in (("max", 2), ("avg", 3), ("lp", 3))},
    **{mode: halved(mode) for mode in ("to_even_down", "to_odd_up")},
}


@pytest.mark.parametrize("name", BY_REMAINDER)
def test_what_is_otherwise_for_some_remainders(name):
    """By chance all extents that are looked at may be even, or odd: these samples once showed it."""
    net = Function(BY_REMAINDER[name], conv(padding=1))
    net.initialize(mx.init.Xavier())
    for sample in ((1, 3, 16, 16), (4, 3, 23, 23), (1, 3, 90, 90)):
        compiled = compiled_for(net, [sample])
        batch, channels, height, width = sample
        for more in ((1, 0, 0), (0, 1, 0), (0, -2, 1)):
            x = data([(batch + more[0], channels, height + more[1], width + more[2])])
            agree(ready(compiled, *x), net(*x), 1e-4, 1e-5)


@pytest.mark.parametrize("dynamic", [True, False])
def test_values_that_follow_from_the_shape_of_what_is_not_read(dynamic):
    def count(F, layer, x, y):
        return F.broadcast_mul(layer(x), F.sum(F.ones_like(y)))

    net = Function(count, dense())
    net.initialize()
    sample = [(2, 3), (4, 5)]
    net(*data(sample))
    compiled = compiled_for(net, sample, dynamic=dynamic)
    for shapes in (sample, [(2, 3), (7, 5)], [(2, 3), (4, 8)], [(3, 3), (1, 1)]):
        arrays = data(shapes)
        agree(ready(compiled, *arrays), net(*arrays), 1e-4, 1e-5)


@pytest.mark.parametrize("options", [{"dynamic": False}, {"inline_weights": True}])
def test_not_wanted(options):
    net, sample = made("mlp")
    (region,) = compiled_for(net, sample, **options).report.regions
    assert not region.dynamic and ("dynamic=False" in region.why_static or "baked in" in region.why_static)


def test_axes_and_ranges_that_are_chosen():
    net, sample = made("mlp")
    compiled = compiled_for(net, sample, dynamic={"data": {1: (2, 30)}})
    (region,) = compiled.report.regions
    assert region.dynamic == ("axis 1 of data from 2 to 30",)
    before = native_library.stats()["specialisations"]
    for shape, made_anew in (((3, 2, 8), 0), ((3, 30, 8), 0), ((3, 31, 8), 1), ((2, 9, 8), 2)):
        arrays = data([shape])
        agree(ready(compiled, *arrays), net(*arrays), 1e-4, 1e-5)
        assert native_library.stats()["specialisations"] == before + made_anew


@pytest.mark.parametrize(
    ("dynamic", "why"),
    [
        ({"date": {0: (1, 9)}}, "did you mean 'data'|Did you mean 'data'|names 'date'"),
        ({"data": {3: (1, 9)}}, "axis 3 of 'data'"),
        ({"data": {1: (6, 9)}}, "the sample has 5"),
        ({"data": {1: (9, 6)}}, "must be True, False"),
        ({"data": {1: 6}}, "must be True, False"),
        ({"data": [3]}, "axis 3 of 'data'"),
        ({"data": {-4: None}}, "axis -4 of 'data'"),
        ({"data": {1: None, -2: None}}, "axis 1 of 'data' twice"),
        ({"data": {1: None}, 0: {1: None}}, "axis 1 of 'data' twice"),
        ({1: {0: None}}, "names input 1, and the model takes 1"),
        ("yes", "must be True, False"),
    ],
)
def test_choices_that_are_wrong(dynamic, why):
    net, sample = made("mlp")
    with pytest.raises(gluon_neuron.errors.OptionError, match=why):
        compiled_for(net, sample, dynamic=dynamic)


def test_files_and_threads(tmp_path):
    net, sample = made("strides")
    compiled = compiled_for(net, sample)
    compiled.export(str(tmp_path / "net"))
    loaded = gluon_neuron.load(str(tmp_path / "net"))
    arrays = [data(shapes) for shapes in shapes_of("strides", sample)]
    wanted = [net(*given) for given in arrays]
    before = native_library.stats()["specialisations"]

    def call(given):
        return [loaded(*given).asnumpy() for _ in range(3) if background.wait()][-1]

    with ThreadPoolExecutor(4) as pool:
        for found, right in zip(pool.map(call, arrays), wanted, strict=True):
            agree(found, right.asnumpy(), 1e-4, 1e-5)
    assert native_library.stats()["specialisations"] == before


def test_weights_that_change():
    net, sample = made("mlp")
    compiled = compiled_for(net, sample)
    (given,) = data([(4, 7, 8)])
    for scale in (1, 2, -1):
        for param in net.collect_params().values():
            param.set_data(param.data() * scale)
        agree(ready(compiled, given), net(given), 1e-4, 1e-5)


class Embedded(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.table = nn.Embedding(9, 8)
            self.layer = nn.Dense(8, flatten=False)

    def hybrid_forward(self, F, x):
        return self.layer(self.table(x))


def test_halves_of_integers():
    net = Embedded()
    net.initialize()
    sample = mx.nd.array([[1, 2, 3], [4, 5, 6]], dtype="int64")
    net(sample)
    compiled = gluon_neuron.compile(net, sample)
    (region,) = compiled.report.regions
    assert region.dynamic, region.why_static
    for shape in ((2, 5), (4, 7)):
        given = mx.nd.random.randint(0, 9, shape, dtype="int64")
        agree(ready(compiled, given), net(given), 1e-4, 1e-5)


@pytest.mark.parametrize("cast", ["matmult", "all"])
@pytest.mark.parametrize("name", ["mlp", "layer norm"])
def test_casts_as_in_a_program_of_its_own(cast, name):
    net, sample = made(name)
    compiled, alone = (compiled_for(net, sample, auto_cast=cast, dynamic=d) for d in (True, False))
    (region,) = compiled.report.regions
    assert region.dynamic, region.why_static
    for shapes in [*shapes_of(name, sample)][:2]:
        arrays = data(shapes)
        found, wanted = ready(compiled, *arrays), ready(alone, *arrays)
        agree(found, wanted, 1e-2, 1e-2)


def kept_kernels(compiled):
    """How many kernels of a kind the engine may keep, of each program for any shape."""
    artifacts = [p.data().asnumpy().tobytes() for n, p in compiled.collect_params().items() if n.endswith("_neuronbin")]
    programs = [p.program for a in artifacts for p in unpack(a).payloads]
    return [int(p["config"]["CPU_RUNTIME_CACHE_CAPACITY"]) for p in programs if "free" in p]


def test_the_engine_keeps_the_kernels_of_some_shapes_and_not_of_all():
    # Three products with weights that are alike, and two of data that are not.
    net = Function(attention, *[dense(in_units=8)] * 3)
    net.initialize()
    x = mx.nd.random.uniform(shape=(2, 6, 8))
    assert kept_kernels(gluon_neuron.compile(net, x)) == [2 * _KEPT_SHAPES]
