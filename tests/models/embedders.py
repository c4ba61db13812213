"""Nets that measure likeness or score tables: faces, twins, and factorization machines over categories."""

from __future__ import annotations

from typing import Any

from mxnet.gluon import nn


def convolution(channels: int, kernel: int, strides: int = 1, padding: int = 0, groups: int = 1, act: bool = True):
    """A convolution with BatchNorm and PReLU."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(channels, kernel, strides, padding, groups=groups, use_bias=False), nn.BatchNorm(scale=act))
    if act:
        net.add(nn.PReLU(in_channels=channels))
    return net


class Bottleneck(nn.HybridBlock):
    """MobileFaceNet's: widened, filtered channel by channel, and narrowed; added to its input where shapes agree."""

    def __init__(self, before: int, channels: int, strides: int, **options: Any) -> None:
        super().__init__(**options)
        self.added = strides == 1 and before == channels
        with self.name_scope():
            self.body = nn.HybridSequential()
            self.body.add(convolution(2 * before, 1), convolution(2 * before, 3, strides, 1, groups=2 * before))
            self.body.add(convolution(channels, 1, act=False))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return x + self.body(x) if self.added else self.body(x)


class Face(nn.HybridBlock):
    """A face net as ArcFace trains (Deng et al., 2018).

    Images (batch, 3, 28, 28) become embeddings of length 1, and their scaled cosines to each person's weights.
    """

    def __init__(self, people: int = 9, units: int = 10, mode: str = "instance", **options: Any) -> None:
        super().__init__(**options)
        self.people, self.mode = people, mode
        with self.name_scope():
            self.features = nn.HybridSequential()
            self.features.add(convolution(6, 3, 2, 1), Bottleneck(6, 6, 1), Bottleneck(6, 8, 2), Bottleneck(8, 8, 1))
            # The convolution that is as large as its map, channel by channel, in the place of a pooling.
            self.features.add(convolution(8, 7, groups=8, act=False))
            self.embed = nn.HybridSequential()
            self.embed.add(nn.Flatten(), nn.Dropout(0.4), nn.Dense(units, use_bias=False), nn.BatchNorm(scale=False))
            self.weight = self.params.get("people_weight", shape=(people, units))

    def hybrid_forward(self, F: Any, x: Any, weight: Any) -> Any:
        # Images arrive as bytes do, and are brought to -1..1 in the net.
        features = self.features((x - 127.5) * 0.0078125)
        embedding = F.L2Normalization(self.embed(F.L2Normalization(features, mode=self.mode)), mode="instance")
        weight = F.L2Normalization(weight, mode="instance")
        cosine = F.FullyConnected(embedding, weight, no_bias=True, num_hidden=self.people)
        return embedding, F.clip(cosine, -1, 1) * 64


class Twins(nn.HybridBlock):
    """A siamese net: one tower for two images, their distance, and whether they show the same."""

    def __init__(self, tower: nn.HybridBlock, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.tower = tower
            self.same = nn.Dense(1)

    def hybrid_forward(self, F: Any, one: Any, other: Any) -> Any:
        first, second = self.tower(one), self.tower(other)
        difference = F.abs(first - second)
        return F.norm(first - second, axis=1), F.sigmoid(self.same(difference))


class DeepFM(nn.HybridBlock):
    """Factorization machine and perceptron over one table (Guo et al., 2017).

    Inputs are categories (batch, columns), whose codes do not overlap, and numbers (batch, N).
    """

    def __init__(self, codes: int = 30, columns: int = 4, factors: int = 5, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.linear = nn.Embedding(codes, 1)
            self.factors = nn.Embedding(codes, factors)
            self.numbers = nn.HybridSequential()
            self.numbers.add(nn.BatchNorm(), nn.Dense(8, activation="tanh"))
            self.deep = nn.HybridSequential()
            for _ in range(2):
                self.deep.add(nn.Dense(12), nn.BatchNorm(), nn.SELU(), nn.Dropout(0.2))
            self.deep.add(nn.Dense(1))

    def hybrid_forward(self, F: Any, categories: Any, numbers: Any) -> Any:
        factors = self.factors(categories)
        pairs = F.square(F.sum(factors, axis=1)) - F.sum(F.square(factors), axis=1)
        machine = F.sum(self.linear(categories), axis=1) + 0.5 * F.sum(pairs, axis=1, keepdims=True)
        deep = self.deep(F.concat(F.flatten(factors), self.numbers(numbers), dim=1))
        return F.sigmoid(F.squeeze(machine + deep, axis=1))
