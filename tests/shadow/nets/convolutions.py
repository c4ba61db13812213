"""Convolutions of all kinds, and what changes the size of images."""

from mxnet.gluon import contrib, nn

from tests.shadow.corpus import FRONT_ENDS, Branches, Plain, add, chain, images, net, normal

SIZES = {1: (9,), 2: (9, 8), 3: (5, 6, 4)}
PLAIN = {1: nn.Conv1D, 2: nn.Conv2D, 3: nn.Conv3D}
TRANSPOSED = {1: nn.Conv1DTranspose, 2: nn.Conv2DTranspose, 3: nn.Conv3DTranspose}
LAYOUTS = {1: "NWC", 2: "NHWC", 3: "NDHWC"}

VARIANTS = (
    {},
    {"groups": 2, "padding": 1},
    {"groups": 4, "use_bias": False},
    {"dilation": 2, "padding": 2},
    {"strides": 2, "padding": 1, "activation": "relu"},
)
for dims, kind in PLAIN.items():
    add(
        f"convolutions of {dims} dimensions",
        lambda kind=kind: Branches(None, *(chain(kind(4, 3, **options), nn.Dense(3)) for options in VARIANTS)),
        lambda n, dims=dims: (normal(n, 4, *SIZES[dims]),),
        front_ends=FRONT_ENDS if dims == 2 else ("nd",),
    )
    add(
        f"transposed convolution of {dims} dimensions",
        lambda dims=dims: chain(TRANSPOSED[dims](4, 3, strides=2, padding=1, output_padding=1), PLAIN[dims](2, 1)),
        lambda n, dims=dims: (normal(n, 4, *SIZES[dims]),),
        front_ends=FRONT_ENDS if dims == 2 else ("nd",),
    )


@net(images(9))
def transposed_convolution_in_groups():
    """With a dilation."""
    return chain(
        nn.Conv2D(4, 1),
        nn.Conv2DTranspose(6, 3, in_channels=4, groups=2, dilation=2, use_bias=False, activation="relu"),
    )


@net(images(9, 4))
def convolution_of_unequal_sides():
    """Kernels, strides and padding that differ by axis."""
    return chain(nn.Conv2D(6, (1, 3), strides=(2, 1), padding=(0, 1)), nn.Conv2D(4, (3, 1), dilation=(2, 1)))


@net(images(9, 4), front_ends=FRONT_ENDS)
def separable_convolution():
    """Depthwise, then of single pixels, as in MobileNet."""
    layers = [nn.Conv2D(8, 3, padding=1, groups=4, use_bias=False), nn.BatchNorm(), nn.Activation("relu")]
    return chain(*layers, nn.Conv2D(6, 1, use_bias=False), nn.BatchNorm(), nn.GlobalAvgPool2D(), nn.Dense(3))


@net(lambda n: (normal(n, 4, 9),))
def pixel_shuffle_of_1_dimension():
    """Channels become steps."""
    return chain(nn.Conv1D(6, 3), contrib.nn.PixelShuffle1D(3), nn.Conv1D(2, 1))


@net(images(6))
def pixel_shuffle_of_2_dimensions():
    """Channels become pixels, by another factor on each axis."""
    return chain(nn.Conv2D(12, 3, padding=1), contrib.nn.PixelShuffle2D((2, 3)), nn.Conv2D(3, 3))


@net(lambda n: (normal(n, 2, 3, 4, 3),))
def pixel_shuffle_of_3_dimensions():
    """Channels become voxels."""
    return chain(nn.Conv3D(24, 1), contrib.nn.PixelShuffle3D((2, 3, 2)), nn.Conv3D(2, 1))


@net(images(6))
def reflection_pad():
    """Mirrored edges."""
    return chain(nn.ReflectionPad2D(2), nn.Conv2D(4, 3), nn.ReflectionPad2D(1), nn.Conv2D(2, 3))


@net(images(7, 4))
def deformable_convolution():
    """Samples where a convolution says."""
    return chain(
        contrib.cnn.DeformableConvolution(4, kernel_size=3, padding=1, offset_weight_initializer="normal"), nn.Dense(3)
    )


@net(images(7, 4))
def deformable_convolution_of_groups():
    """Without biases, with an activation."""
    options = {"num_deformable_group": 2, "use_bias": False, "offset_use_bias": False, "activation": "relu"}
    return chain(contrib.cnn.DeformableConvolution(4, kernel_size=3, strides=2, padding=1, **options), nn.Dense(3))


@net(images(7, 4))
def modulated_deformable_convolution():
    """Weighs its samples too."""
    return chain(contrib.cnn.ModulatedDeformableConvolution(4, kernel_size=3, padding=1), nn.Dense(3))


@net(images(6))
def upsampling():
    """Nearest and bilinear, and to the size of another image."""

    def function(block, F, x):
        small = block.body(x)
        nearest = F.UpSampling(small, scale=2, sample_type="nearest")
        resized = F.contrib.BilinearResize2D(small, height=9, width=7)
        return block.head(nearest), block.head(resized), block.head(F.contrib.BilinearResize2D(small, x, mode="like"))

    return Plain(function, body=nn.Conv2D(4, 3, strides=2), head=nn.Conv2D(2, 1))


@net(lambda n: (normal(n, 9, 8, 4),))
def channels_last():
    """What MXNet computes on the CPU in this layout: a pooling and a dense layer."""
    return chain(nn.Dense(5, flatten=False), nn.Activation("relu"), nn.Dense(4))
