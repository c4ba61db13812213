"""Detection with GluonCV: an SSD learns shapes, is compiled, and draws the same boxes."""

# %% [markdown]
# # Detection with GluonCV
#
# An SSD of GluonCV learns to find circles, squares and triangles, and is compiled: a picture goes in, and boxes come
# out, suppression of overlapping boxes included. The page shows what the compiler made of such a net, and that boxes
# stay where they were.
#
# The pictures are drawn here, and the net is small, so that it learns within a minute or two; GluonCV's large models
# go the same way.

# %%
import os

# MXNet reads it when it is imported, and may take a single thread where it is not set.
os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))

import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
from gluoncv.loss import SSDMultiBoxLoss
from gluoncv.model_zoo.ssd.ssd import SSD
from gluoncv.model_zoo.ssd.target import SSDTargetGenerator
from gluoncv.utils.metrics.voc_detection import VOCMApMetric
from mxnet import autograd, gluon
from PIL import Image, ImageDraw

import gluon_neuron

mx.random.seed(0)

# %% [markdown]
# ## Pictures with something to find
#
# One to four shapes on a cloudy ground, of any colour that differs from it. Each has a box `(left, top, right,
# bottom)` in pixels and a class.

# %%
SIZE = 128
CLASSES = ["circle", "square", "triangle"]
MOST = 4


def overlap(a, b, margin=3):
    return a[0] < b[2] + margin and b[0] < a[2] + margin and a[1] < b[3] + margin and b[1] < a[3] + margin


def draw(rng):
    """A picture of SIZE x SIZE pixels, and MOST rows of a box and its class, -1 where there is none."""
    ground = rng.integers(0, 256, 3)
    clouds = np.clip(ground + rng.normal(0, 25, (16, 16, 3)), 0, 255).astype("uint8")
    picture = Image.fromarray(clouds).resize((SIZE, SIZE), Image.BILINEAR)
    pen = ImageDraw.Draw(picture)
    labels = []
    wanted = rng.integers(1, MOST + 1)
    for _ in range(20):
        side = int(rng.integers(20, 57))
        x, y = (int(v) for v in rng.integers(2, SIZE - side - 2, 2))
        box = (x, y, x + side, y + side)
        paint = ground
        while np.abs(paint - ground).sum() <= 150:
            paint = rng.integers(0, 256, 3)
        fill = tuple(int(v) for v in paint)
        kind = int(rng.integers(len(CLASSES)))
        if len(labels) == wanted or any(overlap(box, other) for other in labels):
            continue
        if CLASSES[kind] == "circle":
            pen.ellipse(box, fill=fill)
        elif CLASSES[kind] == "square":
            pen.rectangle(box, fill=fill)
        else:
            pen.polygon([(x, y + side), (x + side, y + side), (x + side / 2, y)], fill=fill)
        labels.append((*box, kind))
    padded = np.full((MOST, 5), -1, "float32")
    padded[: len(labels)] = labels
    return np.asarray(picture), padded


def drawn(count, seed):
    rng = np.random.default_rng(seed)
    return [np.stack(parts) for parts in zip(*(draw(rng) for _ in range(count)))]


pictures, labels = drawn(768, seed=1)
held_out, truth = drawn(128, seed=2)
shapes = int((truth[..., 4] >= 0).sum())
print(f"{len(pictures)} pictures to learn from, {len(held_out)} to be tested with, {shapes} shapes in those")

# %% [markdown]
# ## The net
#
# GluonCV's `SSD` over a backbone of eight convolutions: three scales of anchors for small, middle and large shapes, a
# class and a correction of its box for each anchor, and non-maximum suppression at the end.


# %%
def convolution(channels, stride):
    block = gluon.nn.HybridSequential()
    block.add(
        gluon.nn.Conv2D(channels, 3, stride, 1, use_bias=False), gluon.nn.BatchNorm(), gluon.nn.Activation("relu")
    )
    return block


class Backbone(gluon.HybridBlock):
    """Features at a 1/8, 1/16 and 1/32 of the picture's size."""

    def __init__(self, **kwargs):
        super().__init__()
        with self.name_scope():
            self.stages = gluon.nn.HybridSequential()
            for plan in [(16, 2), (32, 2), (32, 1), (64, 2), (64, 1)], [(96, 2), (96, 1)], [(96, 2)]:
                stage = gluon.nn.HybridSequential()
                stage.add(*(convolution(channels, stride) for channels, stride in plan))
                self.stages.add(stage)

    def hybrid_forward(self, F, x):
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


net = SSD(
    None,
    SIZE,
    Backbone,
    None,
    sizes=[20, 32, 48, 64],
    ratios=[[1, 2, 0.5]] * 3,
    steps=[8, 16, 32],
    classes=CLASSES,
    anchor_alloc_size=16,
    nms_topk=100,
    post_nms=10,
)
net.initialize(mx.init.Xavier())


def as_input(pixels):
    return mx.nd.array(pixels.transpose(0, 3, 1, 2) / 127.5 - 1)


# %% [markdown]
# ## Training
#
# As GluonCV has it: anchors are matched with the true boxes once, beforehand, and the loss looks at the hardest of
# the anchors that have none. A GluonCV detector computes something else in training (what the loss needs) than
# afterwards (boxes), which is decided when it is traced: `hybridize()` again in between has it traced anew.

# %%
with autograd.train_mode():
    _, _, anchors = net(as_input(pictures[:1]))
match = SSDTargetGenerator(negative_mining_ratio=-1)
targets = []
for start in range(0, len(pictures), 64):
    boxes = mx.nd.array(labels[start : start + 64])
    targets.append(match(anchors, None, boxes[:, :, :4], boxes[:, :, 4:])[:2])
class_targets, box_targets = (mx.nd.concat(*parts, dim=0) for parts in zip(*targets))
matched = float((class_targets > 0).sum(axis=1).mean().asscalar())
print(f"{anchors.shape[1]} anchors, of which {matched:.0f} match a shape, on average")

EPOCHS, BATCH = 8, 32
steps = EPOCHS * len(pictures) // BATCH
schedule = mx.lr_scheduler.CosineScheduler(steps, base_lr=6e-3, final_lr=1e-4, warmup_steps=20)
trainer = gluon.Trainer(net.collect_params(), mx.optimizer.Adam(learning_rate=6e-3, lr_scheduler=schedule))
loss_of = SSDMultiBoxLoss()
inputs = as_input(pictures)
order = np.random.default_rng(3)

net.hybridize()
for epoch in range(EPOCHS):
    total = 0.0
    for chosen in order.permutation(len(pictures)).reshape(-1, BATCH):
        rows = mx.nd.array(chosen, dtype="int32")
        with autograd.record():
            classes, boxes, _ = net(inputs.take(rows))
            losses, _, _ = loss_of(classes, boxes, class_targets.take(rows), box_targets.take(rows))
        autograd.backward(losses)
        trainer.step(1)
        total += losses[0].mean().asscalar()
    print(f"epoch {epoch}: loss {total * BATCH / len(pictures):.4f}")

# %% [markdown]
# ## From picture to boxes: what is to be compiled
#
# What serves pictures should not have to know how the net likes its input. So what is compiled is the net with its
# preprocessing: bytes of pictures in, `(batch, height, width, channels)` as a camera gives them, and three arrays
# out: classes, scores and boxes.


# %%
class Detector(gluon.HybridBlock):
    """Pictures as bytes in; classes, scores and boxes out."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def hybrid_forward(self, F, picture):
        pixels = F.transpose(F.cast(picture, "float32"), axes=(0, 3, 1, 2))
        return self.network(pixels / 127.5 - 1)


detector = Detector(net)
detector.hybridize(static_alloc=True, static_shape=True)
sample = mx.nd.array(held_out[:1], dtype="uint8")
compiled = gluon_neuron.compile(detector, sample)
print(compiled.report)

# %% [markdown]
# ## Why five operators stay in MXNet
#
# Nothing is left out in silence: each operator outside has a reason, in the table above and as data in
# `report.outside`. All convolutions, the anchors' arithmetic, the softmax and the classes' scores are in one region,
# which is all but a millionth of the arithmetic. Non-maximum suppression goes through the boxes one after the other,
# which compilers for NeuronCores cannot express, so that MXNet does it, behind the region. And the slices behind that
# are so little work that handing them to a second region would cost more than they do.

# %%
report = compiled.report
behind = [o.op for o in report.outside]
parts = [
    ("pictures\nuint8", "white"),
    (
        f"one compiled region\n{report.compiled_operators} operators\n{report.flops_share:.1%} of the arithmetic",
        "tab:blue",
    ),
    (f"MXNet\n{behind.count('_contrib_box_nms')} box_nms\n{behind.count('slice_axis')} slice_axis", "tab:orange"),
    ("classes,\nscores, boxes", "white"),
]
figure, axis = plt.subplots(figsize=(8, 1.2))
before = None
for place, (text, colour) in zip((0, 1.1, 2.3, 3.2), parts):
    style = {"boxstyle": "round,pad=0.6", "facecolor": colour, "edgecolor": "gray"}
    ink = "black" if colour == "white" else "white"
    written = axis.text(place, 0, text, ha="center", va="center", bbox=style, color=ink, fontsize=9)
    if before is not None:
        ends = {"patchA": before.get_bbox_patch(), "patchB": written.get_bbox_patch()}
        axis.annotate(
            "", (place, 0), before.get_position(), arrowprops={"arrowstyle": "->", "shrinkA": 2, "shrinkB": 2, **ends}
        )
    before = written
axis.set_xlim(-0.4, 3.6)
axis.set_ylim(-1, 1)
axis.axis("off")
figure.savefig("partition.png", bbox_inches="tight")

# %% [markdown]
# ## The same boxes?
#
# The average precision is GluonCV's own measure, over pictures that the net has not seen: a shape is found where a
# box of its class covers it by half at least. The batch of 32 is not what was compiled for; the program for other
# batch sizes takes it. Then boxes are compared one by one: how far the compiled net's are from MXNet's, in pixels.


# %%
def detect(model, batch=32):
    """Classes, scores and boxes of all held-out pictures."""
    starts = range(0, len(held_out), batch)
    found = [model(mx.nd.array(held_out[s : s + batch], dtype="uint8")) for s in starts]
    return [mx.nd.concat(*parts, dim=0) for parts in zip(*found)]


def mean_average_precision(classes, scores, boxes):
    metric = VOCMApMetric(iou_thresh=0.5, class_names=CLASSES)
    answer = mx.nd.array(truth)
    metric.update(boxes, classes, scores, answer[:, :, :4], answer[:, :, 4:])
    return dict(zip(*metric.get()))


theirs, ours = detect(detector), detect(compiled)
for who, found in (("MXNet", theirs), ("the compiled net", ours)):
    values = mean_average_precision(*found)
    by_class = ", ".join(f"{name} {values[name]:.3f}" for name in CLASSES)
    print(f"mAP of {who}: {values['mAP']:.4f} ({by_class})")

# %%
SURE = 0.5


def sure_boxes(found):
    """For each picture, `(class, box)` of what was found with some certainty."""
    classes, scores, boxes = (a.asnumpy() for a in found)
    return [
        [(int(k[0]), b) for k, s, b in zip(*picture) if k[0] >= 0 and s[0] > SURE]
        for picture in zip(classes, scores, boxes)
    ]


distances = []
for mine, others in zip(sure_boxes(ours), sure_boxes(theirs), strict=True):
    assert sorted(kind for kind, _ in mine) == sorted(kind for kind, _ in others)
    for kind, box in others:
        distances.append(min(np.abs(box - near).max() for own, near in mine if own == kind))
print(f"boxes that both found: {len(distances)}")
print(f"largest distance between MXNet's boxes and the compiled net's: {max(distances):.5f} pixels")
print(gluon_neuron.verify(compiled, detector, sample))

# %% [markdown]
# ## Boxes drawn
#
# Six held-out pictures with what the compiled net found in them: the class and the score.

# %%
figure, axes = plt.subplots(2, 3, figsize=(4.2, 2.95))
tints = {"circle": "#e41a1c", "square": "#377eb8", "triangle": "#4daf4a"}
classes, scores, boxes = (a.asnumpy() for a in ours)
for i, axis in enumerate(axes.flat):
    axis.imshow(held_out[i], interpolation="nearest")
    for kind, score, box in zip(classes[i, :, 0], scores[i, :, 0], boxes[i]):
        if kind < 0 or score <= SURE:
            continue
        name = CLASSES[int(kind)]
        left, top, right, bottom = box
        frame = plt.Rectangle((left, top), right - left, bottom - top, fill=False, color=tints[name], linewidth=1.8)
        axis.add_patch(frame)
        label = {"facecolor": tints[name], "edgecolor": "none", "pad": 1}
        axis.text(left, top - 2, f"{name} {score:.2f}", fontsize=6, color="white", bbox=label, va="bottom")
    axis.axis("off")
figure.tight_layout(pad=0.3)
figure.savefig("boxes.png")

# %% [markdown]
# ## Into service
#
# Two files, loaded without GluonCV: what is in them are MXNet's operators and the compiled program. Here as a server
# would take it, one picture at a time, and as a batch.

# %%
detector_files = compiled.export("shapes")
served = gluon_neuron.load("shapes")
again = detect(served)
same = all(np.allclose(a.asnumpy(), b.asnumpy(), rtol=1e-4, atol=1e-3) for a, b in zip(again, ours))
print(f"the loaded net finds the same: {same}")

measured = gluon_neuron.benchmark(served, mx.nd.array(held_out[:1], dtype="uint8"), batch_sizes=(1, 8), calls=60)
print(measured)
for timing in measured.timings:
    if timing.who == "MXNet":
        print(f"batch {timing.batch}: MXNet takes {timing.times:.1f} times as long")
