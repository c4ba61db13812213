"""The models of `benchmarks.shapes`, each with the shapes that its users call it with."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import nn, rnn

from . import sequences

Data = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """A model: `make` gives its net, without values; `data` its inputs for one of its `shapes`, the sample's first."""

    name: str
    make: Callable[[], Any]
    data: Callable[[Any], Data]
    shapes: Sequence[Any]


class Decoder(nn.HybridBlock):
    """Four layers of attention over what came before: a step's input (batch, 1, 64) and each layer's cache."""

    def __init__(self) -> None:
        super().__init__()
        with self.name_scope():
            self.layers = nn.HybridSequential()
            for width in (64, 128, 64) * 4:
                self.layers.add(nn.Dense(width, flatten=False, in_units=64))

    def hybrid_forward(self, F: Any, x: Any, caches: Any) -> Any:
        made = []
        for i, cache in enumerate(caches):
            query, both, out = (self.layers[3 * i + k] for k in range(3))
            made.append(F.concat(cache, both(x), dim=1))
            key, value = F.split(made[-1], num_outputs=2, axis=2)
            x = x + out(F.batch_dot(F.softmax(F.batch_dot(query(x), key, transpose_b=True)), value))
        return x, made


def cases(count: int) -> Iterator[Case]:
    """All cases, each with `count` shapes besides the sample's."""
    steps = range(2, count + 2)
    sizes = _pairs(range(192, 513, 32), range(192, 513, 32), count)
    many = _pairs(range(96, 417), range(96, 417), count)
    scales = [0.1 ** (i / count) for i in range(1, count + 1)]
    # Few rows, and one alone, have OpenVINO lay the weights out again, once for all such lengths.
    lengths = dict.fromkeys([512, 1, 40, *_drawn(range(1, 513), min(count, 509))])
    yield Case("BERT base, 1 x length", _bert, _words, [128, *lengths])
    yield Case("encoder, batch x length", _encoder, _sequences, [(4, 64), *_pairs(range(1, 17), range(1, 200), count)])
    yield Case("decoder, growing cache", Decoder, _step, [(4, 1), *((4, n) for n in steps)])
    beams = [(8 - 7 * n // (count + 2), n) for n in steps]
    yield Case("decoder, beams that end", Decoder, _step, [(8, 1), *beams])
    yield Case("LSTM language model", _lstm, _texts, [(35, 4), *_pairs(range(5, 80), range(1, 17), count)])
    context = _pairs(range(1, 65), range(24, 200), count)
    yield Case("forecaster, batch x context", _forecaster, _series, [(32, 48), *context])
    yield Case("WaveNet-like convolutions", _wavenet, _sound, [2000, *_drawn(range(200, 8000, 5), count)])
    pyramid = [(round(480 * s), round(640 * s)) for s in scales]
    yield Case("image pyramid (P-Net)", _pnet, _image, [(480, 640), *pyramid])
    for name in ("ssd_512_mobilenet1.0_coco", "yolo3_mobilenet1.0_coco", "faster_rcnn_resnet50_v1b_coco"):
        yield Case(f"{name}, image sizes", partial(_detector, name), _image, [(256, 320), *sizes])
    yield Case("fcn_resnet50_ade, image sizes", partial(_detector, "fcn_resnet50_ade"), _image, [(256, 320), *sizes])
    batches = _drawn(range(1, 65), min(count, 63))
    yield Case("resnet50_v1, batches 1 to 64", partial(_zoo, "resnet50_v1"), _batch, [16, *batches])
    for name in ("mobilenetv2_0.5", "resnet50_v1"):
        yield Case(f"{name}, image sizes", partial(_zoo, name), _image, [(224, 224), *many])


def initializer() -> Any:
    """Xavier's for all that has two axes; some detectors leave the gammas of their batch norms to it."""

    class Weights(mx.init.Xavier):
        def _init_weight(self, name: str, arr: Any) -> None:
            if len(arr.shape) < 2:
                arr[:] = 1
            else:
                super()._init_weight(name, arr)

    return Weights()


def _drawn(values: Sequence[int], count: int) -> list[int]:
    return random.Random(0).sample(list(values), min(count, len(values)))


def _pairs(first: Sequence[int], second: Sequence[int], count: int) -> list[tuple[int, int]]:
    every = [(a, b) for a in first for b in second]
    return random.Random(0).sample(every, min(count, len(every)))


def _bert() -> Any:
    return sequences.bert(1)[0]


def _words(length: int) -> Data:
    words = np.random.default_rng(length).integers(0, 30522, (1, length))
    return mx.nd.array(words), mx.nd.zeros((1, length)), mx.nd.full((1,), length)


def _encoder() -> Any:
    from gluonnlp.model.bert import BERTEncoder

    return BERTEncoder(units=256, hidden_size=1024, max_length=512, num_layers=4, num_heads=4)


def _sequences(shape: tuple[int, int]) -> Data:
    return (mx.nd.random.normal(shape=(*shape, 256)),)


def _step(shape: tuple[int, int]) -> Data:
    batch, length = shape
    return mx.nd.ones((batch, 1, 64)), [mx.nd.random.normal(shape=(batch, length, 128)) for _ in range(4)]


def _lstm() -> Any:
    net = nn.HybridSequential()
    net.add(nn.Embedding(10_000, 200), rnn.LSTM(200, 2), nn.Dense(10_000, flatten=False))
    return net


def _texts(shape: tuple[int, int]) -> Data:
    return (mx.nd.array(np.random.default_rng(shape[0]).integers(0, 10_000, shape)),)


def _forecaster() -> Any:
    net = nn.HybridSequential()
    net.add(rnn.GRU(64, 2, layout="NTC"), nn.Dense(32, flatten=False, activation="relu"))
    net.add(nn.Dense(3, flatten=False))
    return net


def _series(shape: tuple[int, int]) -> Data:
    return (mx.nd.random.normal(shape=(*shape, 12)),)


def _wavenet() -> Any:
    net = nn.HybridSequential()
    for dilation in (1, 2, 4, 8, 16, 32) * 2:
        net.add(nn.Conv1D(64, 3, padding=dilation, dilation=dilation, activation="relu"))
    net.add(nn.Conv1D(256, 1))
    return net


def _sound(length: int) -> Data:
    return (mx.nd.random.normal(shape=(1, 64, length)),)


def _pnet() -> Any:
    net = nn.HybridSequential()
    net.add(nn.Conv2D(10, 3), nn.PReLU(), nn.MaxPool2D(2, 2, ceil_mode=True))
    net.add(nn.Conv2D(16, 3), nn.PReLU(), nn.Conv2D(32, 3), nn.PReLU())
    net.add(nn.Conv2D(6, 1))
    return net


def _image(shape: tuple[int, int]) -> Data:
    return (mx.nd.random.uniform(-1, 1, (1, 3, *shape)),)


def _batch(size: int) -> Data:
    return (mx.nd.random.uniform(-1, 1, (size, 3, 224, 224)),)


def _detector(name: str) -> Any:
    from gluoncv import model_zoo

    net = model_zoo.get_model(name, pretrained=False, pretrained_base=False)
    if hasattr(net, "set_nms"):
        # Which of the boxes of random weights are suppressed hangs on the last bit; all of them are compared.
        net.set_nms(nms_thresh=0, nms_topk=-1, post_nms=-1)
    if hasattr(net, "rpn"):
        # Of 300: a call would take 8 s on 2 cores, most of it in the layers that each box is shown to.
        net._rpn_test_post_nms = net.rpn._test_post_nms = 30
    return net


def _zoo(name: str) -> Any:
    from gluon_neuron.model_zoo import get_network

    return get_network(name)
