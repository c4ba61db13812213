"""Nets that make images compile whole and agree with MXNet, at odd sizes too."""

from __future__ import annotations

import mxnet as mx
import pytest

from tests.models import generators
from tests.models.whole import compiles
from tests.nets import initialized

pytestmark = pytest.mark.models


def normal(*shape):
    return mx.nd.random.normal(shape=shape)


def compare(net, *shapes, **options):
    """Compile for the first shape, and compare for all."""
    samples = [(normal(*shape),) for shape in shapes]
    compiles(initialized(net, *samples[0]), *samples, **options)


@pytest.mark.parametrize("enlarge", ["transposed", "nearest", "bilinear", "learned"])
def test_unet(enlarge):
    compare(generators.UNet(enlarge), (1, 2, 21, 19), (2, 2, 24, 16))


def test_dcgan():
    compare(generators.dcgan(), (1, 7, 1, 1), (5, 7, 1, 1))


def test_discriminator():
    compare(generators.discriminator(), (1, 3, 32, 32), (5, 3, 32, 32))


def test_resnet_generator():
    compare(generators.resnet_generator(), (1, 3, 20, 16), (3, 3, 20, 16))


def test_generator_with_styles():
    samples = [(normal(b, 6), [normal(b, 1, 8, 8), normal(b, 1, 16, 16)]) for b in (1, 3)]
    compiles(initialized(generators.StyleGenerator(), *samples[0]), *samples)


def test_vae():
    # The noise is drawn by MXNet's own generator: one region is before it and one behind.
    compare(generators.VAE(), (1, 1, 12, 12), (4, 1, 12, 12), stays={"_random_normal_like": 1}, regions=2)


def test_decoder_of_a_vae():
    compare(generators.VAE().decode, (1, 4), (6, 4))


@pytest.mark.parametrize("shuffle", ["block", "operator"])
def test_super_resolution(shuffle):
    compare(generators.super_resolution(shuffle), (1, 3, 9, 7), (2, 3, 9, 7))
