"""Porting a script for the archived Inferentia package: what changes is one import."""

# %% [markdown]
# # Porting a script for Inferentia's archived package
#
# AWS's MXNet packages for Inferentia are archived. This page takes a script as it was written for them, runs it here
# **with one line more**, on a machine without a chip, and then shows what can be had beyond that.
# [docs/migration.md](../docs/migration.md) has every call.

# %%
import os

# MXNet reads it when it is imported, and may take a single thread where it is not set.
os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))

# MXNet's executors say at each bind that they fuse operators for oneDNN.
os.environ.setdefault("MXNET_SUBGRAPH_VERBOSE", "0")

import warnings

import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

mx.random.seed(5)
np.random.seed(5)

# %% [markdown]
# ## A checkpoint of that time
#
# A symbol trained with `Module`, as models of that time were, and saved as `lenet-symbol.json` and
# `lenet-0000.params`. It reads scikit-learn's digits.

# %%
digits = load_digits()
images = (digits.images[:, None] / 16).astype("float32")
train_x, test_x, train_y, test_y = train_test_split(
    images, digits.target.astype("float32"), test_size=0.25, random_state=0, stratify=digits.target
)

x = mx.sym.var("data")
for number, channels in enumerate((32, 64)):
    x = mx.sym.Convolution(x, kernel=(3, 3), pad=(1, 1), num_filter=channels, name=f"conv{number}")
    x = mx.sym.BatchNorm(x, fix_gamma=False, name=f"bn{number}")
    x = mx.sym.Activation(x, act_type="relu", name=f"relu{number}")
x = mx.sym.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max", name="pool")
x = mx.sym.FullyConnected(mx.sym.Flatten(x, name="flat"), num_hidden=10, name="fc")
lenet = mx.sym.SoftmaxOutput(x, name="softmax")

trainer = mx.mod.Module(lenet, context=mx.cpu())
batches = mx.io.NDArrayIter(train_x, train_y, batch_size=64, shuffle=True)
trainer.fit(
    batches, num_epoch=6, optimizer="adam", optimizer_params={"learning_rate": 2e-3}, initializer=mx.init.Xavier()
)
mx.model.save_checkpoint("lenet", 0, lenet, *trainer.get_params())

# %% [markdown]
# ## The script
#
# Below is the whole script. Only the first line is new: it provides `mx.contrib.neuron`, `mx.neuron()` and the module
# `mx_neuron`, where AWS's own packages are not installed. The compiler's options stay: those that mean something on
# this machine have their effect, and the others are kept for the chip.

# %%
import gluon_neuron  # the new line

# ---- compile.py, of 2020
sym, args, aux = mx.model.load_checkpoint("lenet", 0)
inputs = {"data": mx.nd.ones((8, 1, 8, 8), name="data", dtype="float32")}
compile_args = {"--neuroncore-pipeline-cores": 4, "--verbose": 0, "excl_node_names": ["softmax"]}

csym, cargs, caux = mx.contrib.neuron.compile(sym, args, aux, inputs, **compile_args)
mx.model.save_checkpoint("lenet_compiled", 0, csym, cargs, caux)

# ---- infer.py, of 2020
csym, cargs, caux = mx.model.load_checkpoint("lenet_compiled", 0)
cargs["data"] = mx.nd.array(test_x[:8])
cargs["softmax_label"] = mx.nd.zeros(8)
executor = csym.bind(ctx=mx.neuron(0), args=cargs, aux_states=caux, grad_req="null")
probabilities = executor.forward(data=mx.nd.array(test_x[:8]))[0]
print("read:", probabilities.asnumpy().argmax(axis=1), "of", test_y[:8].astype(int))

# %% [markdown]
# ## What became of it
#
# The archived package said nothing about operators that it left on the host. Here the report does. The softmax is
# outside because the script asked for it; everything else is one region. Without a chip, the target is the CPU,
# through OpenVINO.

# %%
print(gluon_neuron.get_report(csym))

# %% [markdown]
# ## Are the numbers MXNet's?
#
# The old package cast to bfloat16 unless it was told not to. Here float32 is float32, so that the compiled symbol
# agrees with the original far beyond what decides a digit. `Module` runs it as well:


# %%
def probabilities_of(symbol, arguments, states, batch=8):
    module = mx.mod.Module(symbol, context=mx.cpu())
    module.bind([("data", (batch, 1, 8, 8))], [("softmax_label", (batch,))], for_training=False)
    module.set_params(arguments, states)
    return module.predict(mx.io.NDArrayIter(test_x, test_y, batch_size=batch)).asnumpy()


csym, cargs, caux = mx.model.load_checkpoint("lenet_compiled", 0)
theirs = probabilities_of(sym, args, aux)
ours = probabilities_of(csym, cargs, caux)
print(f"accuracy of MXNet: {(theirs.argmax(axis=1) == test_y).mean():.4f}")
print(f"accuracy of the compiled symbol: {(ours.argmax(axis=1) == test_y).mean():.4f}")
print(f"largest difference of a probability: {np.abs(ours - theirs).max():.1e}")

# %% [markdown]
# ## What bfloat16 would cost
#
# What a chip does with the old default can be judged here, before one is rented: the same option gives the same casts
# on the CPU. The curve shows, for each digit of the test set, how far the probabilities are from MXNet's.

# %%
differences = {}
for name, options in {
    "float32": {},
    "bfloat16 products": {"--auto-cast": "matmult", "--auto-cast-type": "bf16"},
}.items():
    made = mx.contrib.neuron.compile(sym, args, aux, inputs, **options)
    found = probabilities_of(*made)
    differences[name] = np.sort(np.abs(found - theirs).max(axis=1))
    right = (found.argmax(axis=1) == test_y).mean()
    print(f"{name}: accuracy {right:.4f}, largest difference {differences[name][-1]:.1e}")

figure, axis = plt.subplots(figsize=(5.5, 2.6))
for name, values in differences.items():
    axis.semilogy(np.linspace(0, 100, len(values)), np.maximum(values, 1e-9), label=name)
axis.set_xlabel("percent of the test's digits")
axis.set_ylabel("largest difference\nof a probability")
axis.grid(alpha=0.3)
axis.legend()
figure.savefig("precision.png", bbox_inches="tight")

# %% [markdown]
# ## A word that is wrong
#
# Arguments that mean nothing are errors with the nearest that does, before anything is compiled:

# %%
try:
    mx.contrib.neuron.compile(sym, args, aux, inputs, excl_node_name=["softmax"])
except gluon_neuron.errors.OptionError as error:
    print(error)

# %% [markdown]
# ## Beyond the old script
#
# The same in today's terms is a block: no labels to bind, any batch, and `verify` and `benchmark` beside it.
# `analyze` says what a chip of today would get.

# %%
warnings.filterwarnings("ignore", message="Cannot decide type")  # MXNet's own, for every SymbolBlock

# What serves needs no label: the layer that has one is a softmax at inference.
logits = sym.get_internals()["fc_output"]
params = {f"arg:{n}": a for n, a in args.items()} | {f"aux:{n}": a for n, a in aux.items()}
mx.nd.save("lenet.params", params)
net = mx.gluon.SymbolBlock(mx.sym.softmax(logits), [mx.sym.var("data")])
net.collect_params().load("lenet.params", ignore_extra=True)

compiled = gluon_neuron.compile(net, mx.nd.array(test_x[:8]))
print(gluon_neuron.verify(compiled, net, mx.nd.array(test_x[:50])), "\n")
print(gluon_neuron.benchmark(compiled, mx.nd.array(test_x[:8]), batch_sizes=(1, 8), calls=60), "\n")
print(gluon_neuron.analyze(net, mx.nd.array(test_x[:8]), target="trn1"))
