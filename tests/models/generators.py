"""Nets that make images: U-Net, DCGAN, a ResNet generator, one with styles, the decoder of a VAE, ESPCN."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon
from mxnet.gluon import nn


def block(channels: int) -> nn.HybridSequential:
    """Two convolutions, each with BatchNorm and ReLU."""
    net = nn.HybridSequential()
    for _ in range(2):
        net.add(nn.Conv2D(channels, 3, padding=1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
    return net


class UNet(nn.HybridBlock):
    """U-Net (Ronneberger et al., 2015) for images of any size: what was enlarged is made as large as what it joins.

    `enlarge` is "transposed" (convolutions, then slice_like), "nearest" (UpSampling, then a central Crop), "bilinear"
    (to the size of the other) or "learned" (UpSampling with weights, then slice_like).
    """

    def __init__(self, enlarge: str, classes: int = 3, widths: tuple[int, ...] = (4, 8, 12), **options: Any) -> None:
        super().__init__(**options)
        self.enlarge, self.depth = enlarge, len(widths)
        with self.name_scope():
            self.pool = nn.MaxPool2D(2, 2, ceil_mode=True)
            self.down, self.up, self.larger = (nn.HybridSequential() for _ in range(3))
            for width in widths:
                self.down.add(block(width))
            for width in widths[-2::-1]:
                transposed = nn.Conv2DTranspose(width, 2, 2) if enlarge == "transposed" else nn.Conv2D(width, 1)
                self.larger.add(transposed)
                self.up.add(block(width))
            if enlarge == "learned":
                for number, width in enumerate(widths[-2::-1]):
                    self.params.get(f"kernel{number}_weight", shape=(width, 1, 4, 4), init=mx.init.Bilinear())
                    setattr(self, f"kernel{number}", self.params.get(f"kernel{number}_weight"))
            self.classify = nn.Conv2D(classes, 1)

    def hybrid_forward(self, F: Any, x: Any, **kernels: Any) -> Any:
        joins = []
        for number, down in enumerate(self.down):
            x = down(self.pool(x) if number else x)
            joins.append(x)
        for number, (larger, up, join) in enumerate(zip(self.larger, self.up, joins[-2::-1])):
            x = larger(x)
            if self.enlarge == "nearest":
                x = F.Crop(F.UpSampling(x, scale=2, sample_type="nearest"), join, center_crop=True)
            elif self.enlarge == "bilinear":
                x = F.contrib.BilinearResize2D(x, join, mode="like")
            elif self.enlarge == "learned":
                width = {"num_filter": self.up[number][0]._channels}
                kernel = kernels[f"kernel{number}"]
                x = F.slice_like(F.UpSampling(x, kernel, scale=2, sample_type="bilinear", **width), join, axes=(2, 3))
            else:
                x = F.slice_like(x, join, axes=(2, 3))
            x = up(F.concat(x, join, dim=1))
        return self.classify(x)


def dcgan(width: int = 8) -> nn.HybridSequential:
    """DCGAN's generator (Radford et al., 2015): noise (batch, Z, 1, 1) to images (batch, 3, 32, 32)."""
    net = nn.HybridSequential()
    net.add(nn.Conv2DTranspose(4 * width, 4, 1, 0, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
    for factor in (2, 1):
        net.add(nn.Conv2DTranspose(factor * width, 4, 2, 1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
    net.add(nn.Conv2DTranspose(3, 4, 2, 1, use_bias=False), nn.Activation("tanh"))
    return net


def discriminator(width: int = 8) -> nn.HybridSequential:
    """DCGAN's discriminator: images (batch, 3, 32, 32) to a score (batch, 1)."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(width, 4, 2, 1, use_bias=False), nn.LeakyReLU(0.2))
    for factor in (2, 4):
        net.add(nn.Conv2D(factor * width, 4, 2, 1, use_bias=False), nn.BatchNorm(), nn.LeakyReLU(0.2))
    net.add(nn.Conv2D(1, 4, 1, 0, use_bias=False), nn.Flatten())
    return net


class Residual(nn.HybridBlock):
    """Two reflected convolutions with InstanceNorm around which the input goes."""

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.body = nn.HybridSequential()
            self.body.add(nn.ReflectionPad2D(1), nn.Conv2D(channels, 3), nn.InstanceNorm(), nn.Activation("relu"))
            self.body.add(nn.ReflectionPad2D(1), nn.Conv2D(channels, 3), nn.InstanceNorm())

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return x + self.body(x)


def resnet_generator(width: int = 6, blocks: int = 2) -> nn.HybridSequential:
    """CycleGAN's generator (Zhu et al., 2017): images to images of the same size, which 4 divides."""
    net = nn.HybridSequential()
    net.add(nn.ReflectionPad2D(3), nn.Conv2D(width, 7), nn.InstanceNorm(), nn.Activation("relu"))
    for factor in (2, 4):
        net.add(nn.Conv2D(factor * width, 3, 2, 1), nn.InstanceNorm(), nn.Activation("relu"))
    for _ in range(blocks):
        net.add(Residual(4 * width))
    for factor in (2, 1):
        net.add(nn.Conv2DTranspose(factor * width, 3, 2, 1, output_padding=1), nn.InstanceNorm(), nn.Activation("relu"))
    net.add(nn.ReflectionPad2D(3), nn.Conv2D(3, 7), nn.Activation("tanh"))
    return net


class Styled(nn.HybridBlock):
    """A layer of a generator with styles: enlarge, blur, convolve, add noise, normalize, and scale by the style."""

    def __init__(self, channels: int, before: int, **options: Any) -> None:
        super().__init__(**options)
        self.before, self.channels = before, channels
        blur = np.outer([1, 2, 1], [1, 2, 1]).astype("float32") / 16
        with self.name_scope():
            self.blur = self.params.get_constant("blur", mx.nd.array(blur).broadcast_to((before, 1, 3, 3)))
            self.convolve = nn.Conv2D(channels, 3, padding=1)
            self.strength = self.params.get("strength_weight", shape=(1, channels, 1, 1))
            self.norm = nn.InstanceNorm(center=False, scale=False)
            self.style = nn.Dense(2 * channels)

    def hybrid_forward(self, F: Any, x: Any, w: Any, noise: Any, blur: Any, strength: Any) -> Any:
        x = F.UpSampling(x, scale=2, sample_type="nearest")
        x = F.Convolution(
            x, blur, kernel=(3, 3), pad=(1, 1), num_filter=self.before, num_group=self.before, no_bias=True
        )
        x = F.broadcast_add(self.convolve(x), F.broadcast_mul(noise, strength))
        x = self.norm(F.LeakyReLU(x, slope=0.2))
        scale, shift = F.split(F.reshape(self.style(w), shape=(0, -1, 1, 1)), num_outputs=2, axis=1)
        return F.broadcast_add(F.broadcast_mul(x, scale + 1), shift)


class StyleGenerator(nn.HybridBlock):
    """As StyleGAN's (Karras et al., 2018): noise is mapped to a style, which scales every layer.

    Inputs are z (batch, Z) and the noise of each layer, (batch, 1, 8, 8) and (batch, 1, 16, 16).
    """

    def __init__(self, width: int = 8, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.constant = self.params.get("constant_weight", shape=(1, width, 4, 4))
            self.mapping = nn.HybridSequential()
            for _ in range(2):
                self.mapping.add(nn.Dense(width), nn.LeakyReLU(0.2))
            self.layers = nn.HybridSequential()
            self.layers.add(Styled(width, width), Styled(width // 2, width))
            self.colours = nn.Conv2D(3, 1)

    def hybrid_forward(self, F: Any, z: Any, noises: Any, constant: Any) -> Any:
        z = F.broadcast_mul(z, F.rsqrt(F.mean(F.square(z), axis=1, keepdims=True) + 1e-8))
        w = self.mapping(z)
        x = F.broadcast_like(constant, w, lhs_axes=(0,), rhs_axes=(0,))
        for layer, noise in zip(self.layers, noises):
            x = layer(x, w, noise)
        return F.clip(self.colours(x), -1, 1)


class VAE(nn.HybridBlock):
    """A variational autoencoder (Kingma and Welling, 2013) of images (batch, 1, 12, 12); it draws its noise itself."""

    def __init__(self, latent: int = 4, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.encode = nn.HybridSequential()
            self.encode.add(nn.Conv2D(6, 3, 2, 1, activation="relu"), nn.Dense(2 * latent))
            self.decode = nn.HybridSequential()
            self.decode.add(
                nn.Dense(8 * 3 * 3, activation="relu"), nn.HybridLambda(lambda F, x: x.reshape((0, 8, 3, 3)))
            )
            self.decode.add(nn.Conv2DTranspose(6, 4, 2, 1, activation="relu"), nn.Conv2DTranspose(1, 4, 2, 1))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        mean, log_variance = F.split(self.encode(x), num_outputs=2, axis=1)
        z = mean + F.random.normal_like(mean) * F.exp(0.5 * log_variance)
        return F.sigmoid(self.decode(z)), mean, log_variance


def super_resolution(shuffle: str, factor: int = 3) -> nn.HybridSequential:
    """ESPCN (Shi et al., 2016): channels become pixels, by Gluon's block or by depth_to_space."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, 5, padding=2, activation="tanh"), nn.Conv2D(6, 3, padding=1, activation="tanh"))
    net.add(nn.Conv2D(3 * factor**2, 3, padding=1))
    if shuffle == "block":
        net.add(gluon.contrib.nn.PixelShuffle2D(factor))
    else:
        net.add(nn.HybridLambda(lambda F, x: F.depth_to_space(x, block_size=factor)))
    return net
