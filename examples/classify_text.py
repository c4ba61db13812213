"""Text classification with a transformer: one compiled program for sentences of every length."""

# %% [markdown]
# # Text of any length
#
# A small transformer learns whether a review is a good one, and is compiled once. Reviews have any number of words,
# and **one compiled program serves all lengths**: this page shows that a length that was never met before costs no
# compile, and how that compares with MXNet.

# %%
import os

# The net is small: a core each is what a server would give it. MXNet reads it when it is imported.
os.environ["OMP_NUM_THREADS"] = "1"

import math
import time

import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon

import gluon_neuron

mx.random.seed(4)

# %% [markdown]
# ## Reviews
#
# They are made up, so that the page needs no download: one to nine statements, each for or against, with words in
# between that say nothing. A review is good if most of its statements are. Counting good and bad words is not enough:
# two statements in five have a *not* or *never*, which turns their meaning around.

# %%
GOOD = ["good", "great", "lovely", "superb", "fresh", "friendly", "warm", "quick"]
BAD = ["bad", "awful", "dull", "rude", "cold", "slow", "stale", "poor"]
THINGS = ["food", "service", "room", "soup", "music", "waiter", "wine", "view", "bread", "price"]
ADVERBS = ["very", "really", "quite", "rather", "so"]
CHATTER = [
    "we",
    "came",
    "on",
    "sunday",
    "with",
    "friends",
    "they",
    "told",
    "us",
    "about",
    "it",
    "before",
    "our",
    "table",
    "stood",
    "near",
    "the",
    "window",
]
WORDS = ["<pad>", *sorted({*GOOD, *BAD, *THINGS, *ADVERBS, *CHATTER, "the", "was", "not", "never", "and", "but"})]
NUMBER = {word: number for number, word in enumerate(WORDS)}


def statement(rng):
    good, negated = rng.random() < 0.5, rng.random() < 0.4
    words = ["the", rng.choice(THINGS), "was"]
    if rng.random() < 0.4:
        words.append(rng.choice(ADVERBS))
    if negated:
        words.append(rng.choice(["not", "never"]))
    words.append(rng.choice(GOOD if good else BAD))
    return words, 1 if good != negated else -1


def review(rng):
    """Its words, and 1 if it is good, else 0."""
    words, total = [], 0
    for place in range(rng.choice([1, 3, 5, 7, 9], p=[0.5, 0.3, 0.12, 0.05, 0.03])):
        if place:
            words.append(rng.choice(["and", "but"]))
        if rng.random() < 0.3:
            words += list(rng.choice(CHATTER, rng.integers(2, 5)))
        more, opinion = statement(rng)
        words += more
        total += opinion
    return words, int(total > 0)


def reviews(count, seed):
    rng = np.random.default_rng(seed)
    return [review(rng) for _ in range(count)]


def as_input(texts, multiple=1):
    """Words as numbers, (texts, words), with zeros behind the end of the shorter ones."""
    longest = max(map(len, texts))
    numbers = np.zeros((len(texts), -(-longest // multiple) * multiple), "float32")
    for row, words in zip(numbers, texts):
        row[: len(words)] = [NUMBER[word] for word in words]
    return mx.nd.array(numbers)


train, test = reviews(4096, seed=1), reviews(500, seed=2)
lengths = sorted({len(words) for words, _ in test})
print(f"{len(train)} reviews to learn from, {len(test)} to be tested with")
print(f"the test's have {lengths[0]} to {lengths[-1]} words, in {len(lengths)} different lengths")
for words, good in test[:4]:
    print(f"  {'good' if good else 'bad '}  {' '.join(words)}")

# %% [markdown]
# ## A transformer
#
# Two layers of four heads each, with MXNet's fused attention operators, which GluonNLP's BERT uses as well. The
# further apart two words are, the less they attend to each other, by a slope for each head (as in ALiBi). Nothing in
# it names a length: places are counted by `arange_like`, and zeros behind the end are masked.


# %%
class Layer(gluon.HybridBlock):
    """Self-attention, then two dense layers, on (words, texts, units)."""

    def __init__(self, units, heads):
        super().__init__()
        self.heads = heads
        with self.name_scope():
            self.before = gluon.nn.LayerNorm(in_channels=units)
            self.project = gluon.nn.Dense(3 * units, flatten=False, in_units=units)
            self.join = gluon.nn.Dense(units, flatten=False, in_units=units)
            self.dense = gluon.nn.HybridSequential()
            self.dense.add(
                gluon.nn.LayerNorm(in_channels=units),
                gluon.nn.Dense(2 * units, activation="relu", flatten=False, in_units=units),
                gluon.nn.Dense(units, flatten=False, in_units=2 * units),
            )

    def hybrid_forward(self, F, x, mask):
        projected = self.project(self.before(x))
        scores = F.contrib.interleaved_matmul_selfatt_qk(projected, heads=self.heads)
        weights = F.softmax(F.broadcast_add(scores, mask), axis=-1)
        x = x + self.join(F.contrib.interleaved_matmul_selfatt_valatt(projected, weights, heads=self.heads))
        return x + self.dense(x)


class Reader(gluon.HybridBlock):
    """Numbers of words, (texts, words), in; out come two scores for each text, (texts, 2), for bad and for good, and
    what each word says for the second, less what it says for the first, (texts, words)."""

    def __init__(self, units=64, heads=4, layers=2):
        super().__init__()
        self.heads, self.scale = heads, math.sqrt(units)
        with self.name_scope():
            self.embed = gluon.nn.Embedding(len(WORDS), units)
            self.slopes = self.params.get_constant("slopes", 2.0 ** np.arange(1, 1 - heads, -1).reshape(1, heads, 1, 1))
            self.layers = gluon.nn.HybridSequential()
            self.layers.add(*(Layer(units, heads) for _ in range(layers)))
            self.after = gluon.nn.LayerNorm(in_channels=units)
            self.score = gluon.nn.Dense(2, flatten=False, in_units=units)

    def hybrid_forward(self, F, words, slopes):
        there = words > 0
        x = F.transpose(self.embed(words) * self.scale, axes=(1, 0, 2))
        place = F.contrib.arange_like(words, axis=1)
        distance = F.abs(F.broadcast_sub(F.expand_dims(place, axis=0), F.expand_dims(place, axis=1)))
        behind = F.expand_dims(F.expand_dims((there - 1) * 1e9, axis=1), axis=1)
        mask = F.broadcast_sub(behind, F.broadcast_mul(slopes, F.expand_dims(F.expand_dims(distance, axis=0), axis=0)))
        mask = F.reshape(mask, (-3, 0, 0))
        for layer in self.layers:
            x = layer(x, mask)
        # Each word has a say, having looked at the others; what is behind the end has none.
        counted = F.expand_dims(F.transpose(there), axis=2)
        said = F.broadcast_mul(self.score(self.after(x)), counted)
        bad, good = F.split(said, num_outputs=2, axis=2, squeeze_axis=True)
        return F.broadcast_div(F.sum(said, axis=0), F.sum(counted, axis=0)), F.transpose(good - bad)


net = Reader()
net.initialize(mx.init.Xavier())
net.hybridize()

# %% [markdown]
# ## Training
#
# By MXNet, in batches of reviews of about one length.

# %%
EPOCHS, BATCH = 4, 64
by_length = sorted(train, key=lambda item: len(item[0]))
batches = [by_length[start : start + BATCH] for start in range(0, len(train), BATCH)]
steps = EPOCHS * len(batches)
schedule = mx.lr_scheduler.CosineScheduler(steps, base_lr=4e-3, final_lr=1e-4, warmup_steps=30)
trainer = gluon.Trainer(net.collect_params(), mx.optimizer.Adam(learning_rate=4e-3, lr_scheduler=schedule))
loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
order = np.random.default_rng(5)

for epoch in range(EPOCHS):
    total = 0.0
    for chosen in order.permutation(len(batches)):
        texts, answers = zip(*batches[chosen])
        with autograd.record():
            scores, _ = net(as_input(texts, multiple=4))
            loss = loss_of(scores, mx.nd.array(answers))
        loss.backward()
        trainer.step(BATCH)
        total += loss.mean().asscalar()
    print(f"epoch {epoch}: loss {total / len(batches):.4f}")

# %% [markdown]
# ## Compile, with one review as the sample
#
# The line to look at is the one below "Other shapes": beside the program for the sample's shape there is **one for
# all lengths and all batch sizes**. It is derived from the net, with the range in which it holds, and was compared
# with what the net gives for a shape that had no part in deriving it.

# %%
compiled = gluon_neuron.compile(net, as_input([test[0][0]]))
print(compiled.report)

# %% [markdown]
# ## A review at a time, of whatever length comes
#
# As a server meets them. The first call of each length is timed apart from later ones, for the compiled net and for
# MXNet's hybridized one. All of it is done three times, each time with nets that have met no length before, and the
# middle of the three counts, as other work on the machine disturbs single calls.


# %%
def copy_of(trained):
    made = Reader()
    made.initialize()
    for mine, its in zip(made.collect_params().values(), trained.collect_params().values(), strict=True):
        mine.set_data(its.data())
    made.hybridize(static_alloc=True, static_shape=True)
    return made


sample = as_input([test[0][0]])
first = {"MXNet": {}, "compiled": {}}
later = {"MXNet": {}, "compiled": {}}
right = {"MXNet": [], "compiled": []}
apart = 0.0
for _ in range(3):
    rivals = {"MXNet": copy_of(net), "compiled": gluon_neuron.compile(net, sample)}
    met = set()
    for words, good in test:
        given = as_input([words])
        found = {}
        for who, model in rivals.items():
            start = time.perf_counter()
            found[who] = model(given)[0].asnumpy()
            milliseconds = 1e3 * (time.perf_counter() - start)
            times = later if len(words) in met else first
            times[who].setdefault(len(words), []).append(milliseconds)
            right[who].append(int(found[who].argmax()) == good)
        met.add(len(words))
        apart = max(apart, float(np.abs(found["MXNet"] - found["compiled"]).max()))

for who, answers in right.items():
    print(f"accuracy of {who}: {np.mean(answers):.3f}")
print(f"largest difference of a score: {apart:.1e}")
middle = {who: [float(np.median(taken)) for taken in found.values()] for who, found in first.items()}
for who, taken in middle.items():
    print(f"first calls of {len(taken)} lengths, {who}: slowest {max(taken):.1f} ms")

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True)
for axis, found, title in zip(axes, (first, later), ("first call of a length", "later calls")):
    for who, marker in (("MXNet", "s"), ("compiled", "o")):
        points = sorted((length, float(np.median(taken))) for length, taken in found[who].items())
        axis.semilogy(*zip(*points), marker, markersize=4, label=who)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("words")
    axis.set_ylim(0.1, 10_000)
    axis.grid(alpha=0.3)
axes[0].set_ylabel("milliseconds")
axes[0].axhline(1e3 * compiled.report.seconds["compile"], color="black", linewidth=1)
axes[0].text(4, 800 * compiled.report.seconds["compile"], "a compile", va="top", fontsize=8)
axes[1].legend()
figure.savefig("lengths.png", bbox_inches="tight")

# %% [markdown]
# A stall would be a compile within a call: the black line is how long that takes for this net. Nothing comes near it.
# Where MXNet's own operators are quicker with a new shape than a program is in getting ready for it, a compiled net
# leaves the first calls to them.

# %% [markdown]
# ## Other batches, other lengths
#
# `verify` compares with MXNet for shapes that neither of the two has met, and has the compiled program run them from
# the first call on.

# %%
rng = np.random.default_rng(6)
shapes = [(1, 2), (3, 17), (8, 33), (16, 64), (2, 128), (5, 200)]
unseen = [mx.nd.array(rng.integers(1, len(WORDS), shape).astype("float32")) for shape in shapes]
print(gluon_neuron.verify(compiled, net, unseen))

# %% [markdown]
# ## How fast, and what a program of its own adds
#
# A program for any shape cannot lay out its memory and choose its kernels for one. For shapes that are frequent,
# `shapes=` compiles static programs beside it, and calls find theirs by themselves. Both are compared with MXNet
# below: how many times as long MXNet's call takes, at the median, on one core. For a net as small as this one, the
# program for any shape is there so that nothing stalls, and the static ones for speed.

# %%
frequent = [(1, 16), (1, 64), (8, 16), (8, 64)]
with_static = gluon_neuron.compile(net, as_input([test[0][0]]), shapes=frequent)
print("texts x words   any shape   a program of its own")
for shape in frequent:
    given = mx.nd.array(rng.integers(1, len(WORDS), shape).astype("float32"))
    times = [gluon_neuron.benchmark(model, given, calls=100).timings[1].times for model in (compiled, with_static)]
    print(f"{shape[0]:>5} x {shape[1]:<5}   {times[0]:>9.1f}   {times[1]:>20.1f}")

# %% [markdown]
# ## A sentence of your own
#
# The net's second result is what each word says, and the verdict is their mean: a *not* turns the word that it
# belongs to around.

# %%
own = [
    "the soup was not good",
    "the waiter was never rude and the wine was quite lovely but the bread was stale",
]
figure, axes = plt.subplots(1, 2, figsize=(9, 2.3), width_ratios=[1, 3])
for axis, text in zip(axes, own):
    words = text.split()
    scores, said = compiled(as_input([words]))
    print(f"{mx.nd.softmax(scores).asnumpy()[0, 1]:.2f} good: {text}")
    said = said.asnumpy()[0]
    axis.bar(range(len(words)), said, color=np.where(said > 0, "tab:green", "tab:red"))
    axis.set_xticks(range(len(words)), words, rotation=60, ha="right", fontsize=8)
    axis.axhline(0, color="black", linewidth=0.8)
axes[0].set_ylabel("speaks for it")
figure.savefig("words.png", bbox_inches="tight")
