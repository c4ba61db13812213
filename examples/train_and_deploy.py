"""From training to deployment: digits, a compiled net, two files, another process."""

# %% [markdown]
# # From training to deployment
#
# A small convolutional net learns to read handwritten digits with Gluon. `gluon_neuron` compiles it, the accuracy is
# compared, the compiled model is written to two files, and a new process loads them and predicts. All of this runs on
# a CPU; the last section says what changes for a NeuronCore.

# %%
import os

# MXNet reads it when it is imported, and may take a single thread where it is not set.
os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))

import subprocess
import sys
import warnings

import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import gluon_neuron

mx.random.seed(1)
np.random.seed(1)

# %% [markdown]
# ## The data
#
# 1,797 images of 8 × 8 pixels that come with scikit-learn; a quarter is kept for the test.

# %%
digits = load_digits()
images = (digits.images[:, None] / 16).astype("float32")
train_x, test_x, train_y, test_y = train_test_split(
    images, digits.target.astype("float32"), test_size=0.25, random_state=0, stratify=digits.target
)
print(f"{len(train_x)} images to learn from, {len(test_x)} to be tested with, each {train_x.shape[1:]}")

# %% [markdown]
# ## The net, and its training
#
# Nothing here is special to `gluon_neuron`: any `HybridBlock` will do.

# %%
net = gluon.nn.HybridSequential()
net.add(
    gluon.nn.Conv2D(32, kernel_size=3, padding=1, use_bias=False),
    gluon.nn.BatchNorm(),
    gluon.nn.Activation("relu"),
    gluon.nn.Conv2D(64, kernel_size=3, padding=1, use_bias=False),
    gluon.nn.BatchNorm(),
    gluon.nn.Activation("relu"),
    gluon.nn.MaxPool2D(),
    gluon.nn.Dropout(0.3),
    gluon.nn.Dense(128, activation="relu"),
    gluon.nn.Dense(10),
)
net.initialize(mx.init.Xavier())
net.hybridize()

loader = gluon.data.DataLoader(gluon.data.ArrayDataset(train_x, train_y), batch_size=64, shuffle=True)
loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 2e-3})

losses = []
for epoch in range(8):
    total = 0.0
    for x, y in loader:
        with autograd.record():
            loss = loss_of(net(x), y)
        loss.backward()
        trainer.step(x.shape[0])
        total += loss.sum().asscalar()
    losses.append(total / len(train_x))
    print(f"epoch {epoch}: loss {losses[-1]:.4f}")


# %%
def predictions(model, batch=64):
    parts = [test_x[start : start + batch] for start in range(0, len(test_x), batch)]
    return np.concatenate([model(mx.nd.array(part)).asnumpy().argmax(axis=1) for part in parts])


before = predictions(net)
print(f"accuracy of the trained net: {(before == test_y).mean():.4f}")

# %% [markdown]
# ## Compile
#
# One call, with a sample input. The report says what became of each operator: here all of them are in one region, and
# the dropout, which does nothing at inference, is gone with it. The last batch of the test set is smaller than the
# sample, and that is no trouble: beside the sample's program there is one for other batch sizes, as the report says.

# %%
compiled = gluon_neuron.compile(net, mx.nd.array(test_x[:64]))
print(compiled.report)

# %% [markdown]
# ## Compare
#
# `verify` runs both and compares every output; where they part, it looks for the operator that is at fault. The
# accuracy is the same because every single prediction is.

# %%
after = predictions(compiled)
print(f"accuracy of the compiled net: {(after == test_y).mean():.4f}")
print(f"predictions that differ: {(after != before).sum()} of {len(test_y)}")
print(gluon_neuron.verify(compiled, net, mx.nd.array(test_x[:64])))

# %%
wrong = np.flatnonzero(after != test_y)[:3]
shown = [*wrong, *np.flatnonzero(after == test_y)[: 8 - len(wrong)]]
figure, axes = plt.subplots(1, 8, figsize=(9, 1.6))
for axis, i in zip(axes, shown):
    axis.imshow(test_x[i, 0], cmap="gray_r")
    right = after[i] == test_y[i]
    title = f"{after[i]:.0f}" if right else f"{after[i]:.0f}, is {test_y[i]:.0f}"
    axis.set_title(title, fontsize=10, color="black" if right else "tab:red")
    axis.axis("off")
figure.suptitle("What the compiled net reads; its mistakes in red", y=1.1, fontsize=11)
figure.savefig("digits.png", bbox_inches="tight")

# %% [markdown]
# ## Export, and import in another process
#
# Two files hold everything: the graph, with the original operators inside, and the parameters, with the compiled
# programs. The new process compiles nothing.

# %%
symbol_file, parameters_file = compiled.export("digits")
for file in (symbol_file, parameters_file):
    print(f"{file}: {os.path.getsize(file) / 1e6:.2f} MB")

np.save("images.npy", test_x[:64])
program = """
import mxnet as mx, numpy as np
import gluon_neuron

net = gluon_neuron.load("digits")
np.save("scores.npy", net(mx.nd.array(np.load("images.npy"))).asnumpy())
"""
subprocess.run([sys.executable, "-c", program], check=True)

there = np.load("scores.npy")
here = compiled(mx.nd.array(test_x[:64])).asnumpy()
print(f"largest difference between the processes: {np.abs(there - here).max():.1e}")

# %% [markdown]
# Plain MXNet loads the same files once `gluon_neuron` is imported, with `SymbolBlock.imports`. So code that serves
# models today needs one more line.

# %%
warnings.filterwarnings("ignore", message="Cannot decide type")  # MXNet's own, at every import

served = gluon.SymbolBlock.imports(symbol_file, ["data"], parameters_file)
difference = np.abs(served(mx.nd.array(test_x[:64])).asnumpy() - here).max()
print(f"largest difference of SymbolBlock.imports: {difference:.1e}")

# %% [markdown]
# ## How fast
#
# A fair comparison takes turns in one run, gives MXNet its best settings, and waits for the results: MXNet's calls
# return before they are done. `benchmark` does so, and prints percentiles, throughput and more. Here are the fastest
# of sixty calls each, which other work on a shared machine disturbs least. Look at the ratio: times are those of the
# machine that made this page.

# %%
batches = (1, 8, 64)
measured = gluon_neuron.benchmark(gluon_neuron.load("digits"), mx.nd.array(test_x[:64]), batch_sizes=batches, calls=60)
fastest = {(t.who, t.batch): t.latency["p0"] for t in measured.timings}
times = {batch: fastest["MXNet", batch] / fastest["gluon_neuron", batch] for batch in batches}
for batch in batches:
    ours, theirs = fastest["gluon_neuron", batch], fastest["MXNet", batch]
    print(f"batch {batch}: {ours:.2f} ms compiled, {theirs:.2f} ms in MXNet, {times[batch]:.1f} times as long")

# %%
figure, axis = plt.subplots(figsize=(5, 2.2))
bars = axis.barh([f"batch {batch}" for batch in times], list(times.values()), color="tab:blue", height=0.6)
axis.bar_label(bars, fmt="%.1f", padding=3)
axis.axvline(1, color="black", linewidth=1)
axis.set_xlim(0, 1.15 * max(*times.values(), 1))
axis.set_xlabel("MXNet's fastest call / the compiled net's")
figure.savefig("speed.png", bbox_inches="tight")

# %% [markdown]
# ## On a NeuronCore
#
# The same script compiles for AWS's chips with `target="inf2"` (or `inf1`, `trn1`, `trn2`), where Amazon's compiler
# is installed; the chip itself is not needed to compile. What would be compiled can be asked for anywhere:

# %%
print(gluon_neuron.analyze(net, mx.nd.array(test_x[:64]), target="inf2"))
