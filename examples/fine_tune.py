"""Fine-tuning a zoo's model and redeploying it without compiling again."""

# %% [markdown]
# # Fine-tune, and redeploy without compiling again
#
# A model of Gluon's zoo reads digits and is in service, compiled. Then the camera is replaced: the new one gives
# negatives, in poor light, and the model no longer reads anything. It is fine-tuned with a few images of the new
# camera, and goes back into service. **It is compiled once, at the beginning**: a compiled net holds programs, and
# its weights stay Gluon's parameters.

# %%
import os

# MXNet reads it when it is imported, and may take a single thread where it is not set.
os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))

import time

import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import gluon_neuron

mx.random.seed(2)
np.random.seed(2)

# %% [markdown]
# ## Two cameras
#
# The images are scikit-learn's digits, enlarged to 64 × 64 pixels with three equal channels, as the zoo's models take
# them.

# %%
digits = load_digits()
pixels = np.kron(digits.images / 16, np.ones((1, 8, 8))).astype("float32")
noise = np.random.default_rng(0)


def old_camera(images):
    return np.repeat(images[:, None], 3, axis=1)


def new_camera(images):
    negative = 0.7 - 0.5 * images + noise.normal(0, 0.08, images.shape)
    return np.repeat(negative[:, None], 3, axis=1).astype("float32")


train_x, test_x, train_y, test_y = train_test_split(
    pixels, digits.target.astype("float32"), test_size=0.25, random_state=0, stratify=digits.target
)
tests = {"old camera": old_camera(test_x), "new camera": new_camera(test_x)}

figure, axes = plt.subplots(2, 8, figsize=(6.5, 1.9))
for row, (name, images) in zip(axes, tests.items()):
    row[0].set_title(name, loc="left", fontsize=10)
    for axis, image in zip(row, images):
        axis.imshow(image[0], cmap="gray_r", vmin=0, vmax=1)
        axis.axis("off")
figure.savefig("cameras.png", bbox_inches="tight")

# %% [markdown]
# ## The zoo's model learns to read
#
# `pretrained=True` would download weights; here they are trained, which takes some seconds, as the net is small.

# %%
net = gluon.model_zoo.vision.get_model("mobilenet0.25", classes=10)
net.initialize(mx.init.Xavier())
net.hybridize()
loss_of = gluon.loss.SoftmaxCrossEntropyLoss()


def train(x, y, epochs, rate, after_epoch=lambda: None):
    loader = gluon.data.DataLoader(gluon.data.ArrayDataset(x, y), batch_size=32, shuffle=True)
    steps = epochs * len(loader)
    schedule = mx.lr_scheduler.CosineScheduler(steps, base_lr=rate, final_lr=rate / 20)
    trainer = gluon.Trainer(net.collect_params(), mx.optimizer.Adam(learning_rate=rate, lr_scheduler=schedule))
    for _ in range(epochs):
        for images, labels in loader:
            with autograd.record():
                loss = loss_of(net(images), labels)
            loss.backward()
            trainer.step(len(labels))
        after_epoch()


def accuracy(model, images):
    parts = [images[start : start + 64] for start in range(0, len(images), 64)]
    read = np.concatenate([model(mx.nd.array(part)).asnumpy().argmax(axis=1) for part in parts])
    return float((read == test_y).mean())


train(old_camera(train_x), train_y, epochs=8, rate=1e-2)
print(f"accuracy of MXNet's net with the old camera: {accuracy(net, tests['old camera']):.3f}")

# %% [markdown]
# ## Compile, and go into service
#
# The files of `export` are what a server loads. `served` stands for that server: a net of its own, with parameters of
# its own.

# %%
start = time.perf_counter()
compiled = gluon_neuron.compile(net, mx.nd.array(tests["old camera"][:64]))
seconds_to_compile = time.perf_counter() - start
print(compiled.report)

compiled.export("version1")
served = gluon_neuron.load("version1")
for name, images in tests.items():
    print(f"accuracy in service with the {name}: {accuracy(served, images):.3f}")

# %% [markdown]
# With the new camera the model is lost.
#
# ## Fine-tune
#
# 300 images of the new camera are labelled, and as many of the old one are kept, so that nothing is forgotten. The
# net that is trained is the original, by MXNet. The compiled net shares its parameters with it, batch norms'
# statistics included, and **follows each step**: so it can measure the progress, too. Each point below is a test of
# the compiled net, which was not compiled again.

# %%
few = slice(0, 300)
mixed_x = np.concatenate([old_camera(train_x[few]), new_camera(train_x[few])])
mixed_y = np.concatenate([train_y[few], train_y[few]])
progress = {name: [accuracy(compiled, images)] for name, images in tests.items()}


def measure():
    for name, images in tests.items():
        progress[name].append(accuracy(compiled, images))


train(mixed_x, mixed_y, epochs=8, rate=5e-3, after_epoch=measure)

figure, axis = plt.subplots(figsize=(5, 2.6))
for name, values in progress.items():
    axis.plot(values, marker="o", label=name)
axis.set_xlabel("epochs of fine-tuning")
axis.set_ylabel("accuracy, compiled net")
axis.set_ylim(0, 1.02)
axis.legend(loc="lower right")
axis.grid(alpha=0.3)
figure.savefig("progress.png", bbox_inches="tight")
for name, values in progress.items():
    print(f"accuracy of the compiled net with the {name}: {values[0]:.3f} before, {values[-1]:.3f} after")

# %% [markdown]
# Following is no approximation: the compiled net computes with the very same arrays, and `verify` finds no
# difference.

# %%
held = compiled.collect_params()
same = [held[name] is parameter for name, parameter in net.collect_params().items()]
print(f"parameters that are the same objects: {sum(same)} of {len(same)}")
print(gluon_neuron.verify(compiled, net, mx.nd.array(tests["new camera"][:64])))

# %% [markdown]
# ## Redeploy
#
# The server needs the new weights and nothing else. `collect_params().save` writes them under the names that the
# compiled net knows them by, and `load_parameters` takes a file without programs: those that are there stay. The
# first call then binds the weights to the program again.

# %%
net.collect_params().save("weights.params")

start = time.perf_counter()
served.load_parameters("weights.params")
served(mx.nd.array(tests["new camera"][:64])).wait_to_read()
seconds_to_redeploy = time.perf_counter() - start

for name, images in tests.items():
    print(f"accuracy in service with the {name}: {accuracy(served, images):.3f}")
print(f"compiling took {seconds_to_compile:.2f} s, redeploying {seconds_to_redeploy:.2f} s")

# %% [markdown]
# Servers that start later get two files, as before. `export` writes the same programs beside the new weights:

# %%
compiled.export("version2")
versions = [mx.nd.load(f"version{n}-0000.params") for n in (1, 2)]
programs = [n for n in versions[0] if n.endswith("_neuronbin")]
weights = [n for n in versions[0] if n not in programs]
changed = {n for n in versions[0] if not np.array_equal(versions[0][n].asnumpy(), versions[1][n].asnumpy())}
print(f"programs that changed: {len(changed & set(programs))} of {len(programs)}")
print(f"weights and statistics that changed: {len(changed & set(weights))} of {len(weights)}")

# %% [markdown]
# ## When is a new compile needed?
#
# When the graph changes: another number of classes, other layers, another precision. And with `inline_weights=True`,
# which bakes the weights into the program for the least overhead: such a net no longer has parameters that could be
# replaced.
