"""What the reader of a page has before its blocks: a net, a sample, files of the names that it uses."""

from __future__ import annotations

_NET = """
import mxnet as mx
import gluon_neuron
net = mx.gluon.nn.HybridSequential(prefix="net_")
with net.name_scope():
    net.add(mx.gluon.nn.Conv2D(4, 3, activation="relu"), mx.gluon.nn.GlobalAvgPool2D(), mx.gluon.nn.Dense(10))
net.initialize()
sample = mx.nd.random.normal(shape=(1, 3, 16, 16))
"""

# A model that looks at as many words as `lengths` says, whatever stands behind them.
_WORDS = """
class Mean(mx.gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        self.words, self.last = mx.gluon.nn.Embedding(50, 8), mx.gluon.nn.Dense(4)

    def hybrid_forward(self, F, tokens, lengths):
        kept = F.SequenceMask(self.words(tokens), lengths, use_sequence_length=True, axis=1)
        return self.last(F.broadcast_div(kept.sum(axis=1), lengths.expand_dims(1)))


net = Mean()
net.initialize()
tokens, lengths = mx.nd.ones((1, 128)), mx.nd.array([100])
"""

_CHECKPOINT = (
    _NET
    + """
compiled = net(mx.sym.var("data"))
values = {n: p.data() for n, p in net.collect_params().items() if net(sample) is not None}
mx.model.save_checkpoint("resnet-50_compiled", 0, compiled, values, {})
"""
)

_LABELS = """
from pathlib import Path
Path("store").mkdir()
Path("synset.txt").write_text("".join(f"class {i}\\n" for i in range(1000)))
"""

BEFORE: dict[tuple[str, int], str] = {
    ("docs/artifact.md", 0): _NET + 'gluon_neuron.compile(net, sample).export("net")\n',
    ("docs/migration.md", 1): _CHECKPOINT,
    ("docs/neuron.md", 0): _NET,
    ("docs/neuron.md", 1): _WORDS,
    ("docs/profile.md", 0): _NET + "x, net = sample, gluon_neuron.compile(net, sample)\n",
    ("docs/serving.md", 0): _LABELS,
}
"""By page and number of its Python block, what is run before it."""
