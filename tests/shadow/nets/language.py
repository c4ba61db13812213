"""Blocks in the manner of gluonnlp: calls of their own, masks of lengths, attention, language models with states."""

import math

from mxnet.gluon import HybridBlock, nn, rnn

from tests.shadow.corpus import Plain, add, chain, integers, net, normal


class Attention(HybridBlock):
    """Scaled products of several heads; keys that a mask leaves out weigh nothing."""

    def __init__(self, units, heads, scaled=True):
        super().__init__()
        self.units, self.heads, self.scaled = units, heads, scaled
        with self.name_scope():
            self.query, self.key, self.value, self.out = (nn.Dense(units, flatten=False) for _ in range(4))

    def __call__(self, query, key=None, value=None, mask=None):
        """Of itself, where no key is given."""
        key = query if key is None else key
        return super().__call__(query, key, key if value is None else value, mask)

    def _split(self, F, x):
        x = F.reshape(x, (0, 0, self.heads, -1)).transpose((0, 2, 1, 3))
        return F.reshape(x, (-3, 0, 0))

    def hybrid_forward(self, F, query, key, value, mask=None):
        """What is attended to, and the weights."""
        q, k, v = (self._split(F, layer(x)) for layer, x in ((self.query, query), (self.key, key), (self.value, value)))
        if self.scaled:
            q = F.contrib.div_sqrt_dim(q)
        scores = F.batch_dot(q, k, transpose_b=True)
        if mask is not None:
            wide = F.reshape(F.broadcast_axis(F.expand_dims(mask, 1), axis=1, size=self.heads), (-3, 0, 0))
            scores = F.where(wide, scores, F.ones_like(scores) * -1e18)
        weights = F.softmax(scores, axis=-1)
        found = F.reshape(F.batch_dot(weights, v), (-4, -1, self.heads, 0, 0)).transpose((0, 2, 1, 3))
        return self.out(F.reshape(found, (0, 0, -3))), F.reshape(weights, (-4, -1, self.heads, 0, 0))


class EncoderCell(HybridBlock):
    """Attention and a feed-forward net, each with a shortcut and a norm."""

    def __init__(self, units, before=False):
        super().__init__()
        self.before = before
        with self.name_scope():
            self.attention = Attention(units, 2)
            self.ffn = chain(nn.Dense(2 * units, flatten=False), nn.GELU(), nn.Dense(units, flatten=False))
            self.one, self.two = nn.LayerNorm(), nn.LayerNorm()
            self.drop = nn.Dropout(0.1)

    def hybrid_forward(self, F, x, mask=None):
        """As long as it was, and the weights."""
        if self.before:
            y, weights = self.attention(self.one(x), None, None, mask)
            x = x + self.drop(y)
            return x + self.ffn(self.two(x)), weights
        y, weights = self.attention(x, None, None, mask)
        x = self.one(x + self.drop(y))
        return self.two(x + self.ffn(x)), weights


class Encoder(HybridBlock):
    """Cells over positions, with a call of its own that makes the optional arguments explicit, as BERTEncoder has."""

    def __init__(self, units=8, layers=1, before=False, outputs=False):
        super().__init__()
        self.units, self.outputs = units, outputs
        with self.name_scope():
            self.places = self.params.get("places", shape=(12, units))
            self.norm = nn.LayerNorm()
            self.cells = nn.HybridSequential()
            self.cells.add(*(EncoderCell(units, before) for _ in range(layers)))

    def __call__(self, inputs, states=None, valid_length=None):
        """As BERTEncoder."""
        return super().__call__(inputs, states, valid_length)

    def hybrid_forward(self, F, inputs, states=None, valid_length=None, places=None):
        """The last layer's outputs, or all; and all weights."""
        steps = F.contrib.arange_like(inputs, axis=1)
        mask = None
        if valid_length is not None:
            inside = F.broadcast_lesser(F.reshape(steps, (1, -1)), F.reshape(valid_length, (-1, 1)))
            mask = F.broadcast_mul(F.expand_dims(inside, 2), F.expand_dims(inside, 1))
        places = F.expand_dims(F.Embedding(steps, places, 12, self.units), axis=0)
        x = self.norm(F.broadcast_add(inputs * math.sqrt(self.units), places))
        outputs, weights = [], []
        for cell in self.cells._children.values():
            x, weight = cell(x, mask)
            if self.outputs:
                x = (
                    x
                    if valid_length is None
                    else F.SequenceMask(x, sequence_length=valid_length, use_sequence_length=True, axis=1)
                )
                outputs.append(x)
            weights.append(weight)
        return (outputs if self.outputs else x), weights


def _lengths(n, steps=5):
    return integers(steps + 1, n, low=1)


add("attention", lambda: Attention(8, 2), lambda n: (normal(n, 5, 6),))
add("attention of another sequence", lambda: Attention(8, 4), lambda n: (normal(n, 3, 6), normal(n, 5, 7)))
add(
    "attention with a mask",
    lambda: Attention(8, 2, scaled=False),
    lambda n: (normal(n, 3, 6), normal(n, 5, 6), normal(n, 5, 6), integers(2, n, 3, 5)),
)
for _name, _options in {"": {}, " of all layers": {"outputs": True, "before": True, "layers": 2}}.items():
    add(f"encoder{_name}", lambda options=_options: Encoder(**options), lambda n: (normal(n, 5, 8),))
    add(
        f"encoder{_name}, with lengths",
        lambda options=_options: Encoder(**options),
        lambda n: (normal(n, 5, 8), None, _lengths(n)),
    )
add("encoder cell", lambda: EncoderCell(8), lambda n: (normal(n, 5, 8), integers(2, n, 5, 5)))


class Model(HybridBlock):
    """Words, kinds of sentences and lengths; a pooled vector and the masked words."""

    def __init__(self, pooled=True, decoded=True):
        super().__init__()
        self.pooled, self.decoded = pooled, decoded
        with self.name_scope():
            self.words, self.kinds = nn.Embedding(20, 8), nn.Embedding(2, 8)
            self.encoder = Encoder(layers=1)
            self.pooler = nn.Dense(8, activation="tanh", flatten=False)
            self.decoder = nn.Dense(20, flatten=False, params=self.words.params, use_bias=False)

    def __call__(self, inputs, token_types, valid_length=None, masked_positions=None):
        """As BERTModel."""
        return super().__call__(inputs, token_types, valid_length, masked_positions)

    def hybrid_forward(self, F, inputs, token_types, valid_length=None, masked_positions=None):
        """A list as long as what was asked for."""
        x, _ = self.encoder(self.words(inputs) + self.kinds(token_types), None, valid_length)
        outputs = [x]
        if self.pooled:
            outputs.append(self.pooler(F.slice(x, begin=(0, 0, 0), end=(None, 1, None)).reshape((0, -1))))
        if self.decoded and masked_positions is not None:
            batch = F.broadcast_axis(F.contrib.arange_like(masked_positions, axis=0).expand_dims(1), axis=1, size=2)
            index = F.concat(F.reshape(batch, (1, -1)), F.reshape(masked_positions, (1, -1)), dim=0)
            outputs.append(self.decoder(F.reshape(F.gather_nd(x, index), (-1, 2, 8))))
        return outputs if len(outputs) > 1 else outputs[0]


add("a model of sentences", Model, lambda n: (integers(20, n, 5), integers(2, n, 5), _lengths(n), integers(5, n, 2)))
add("a model of sentences without lengths", Model, lambda n: (integers(20, n, 5), integers(2, n, 5)))
add(
    "a model of sentences that only encodes",
    lambda: Model(pooled=False, decoded=False),
    lambda n: (integers(20, n, 5), integers(2, n, 5), _lengths(n)),
)


class LanguageModel(HybridBlock):
    """Words to words with states; the decoder's weight is that of the embedding, and a weight may be dropped."""

    def __init__(self, mode="lstm", layers=2):
        super().__init__()
        with self.name_scope():
            self.embedding = chain(nn.Embedding(20, 6), nn.Dropout(0.3, axes=(0,)))
            self.encoder = {"lstm": rnn.LSTM, "gru": rnn.GRU, "rnn": rnn.RNN}[mode](6, layers, dropout=0.2)
            self.decoder = nn.Dense(20, flatten=False, params=self.embedding[0].params)

    def begin_state(self, *args, **kwargs):
        """The encoder's."""
        return self.encoder.begin_state(*args, **kwargs)

    def hybrid_forward(self, F, inputs, states=None):
        """As AWDRNN and StandardRNN: the words' scores, and the states after them."""
        encoded, after = self.encoder(self.embedding(inputs), states)
        return self.decoder(F.Dropout(encoded, p=0.4, axes=(0,))), after


for _mode, _count in {"lstm": 2, "gru": 1, "rnn": 1}.items():
    add(
        f"language model of {_mode}",
        lambda mode=_mode: LanguageModel(mode),
        lambda n, count=_count: (integers(20, 4, n), [normal(2, n, 6) for _ in range(count)]),
    )


class Dropped(HybridBlock):
    """A cell whose weight is dropped before each call, as AWD's; inference drops nothing."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.weight = self.params.get("weight", shape=(6, 6))
            self.body = nn.Dense(6)

    def hybrid_forward(self, F, x, state, weight):
        """A step."""
        after = F.tanh(self.body(x) + F.FullyConnected(state, F.Dropout(weight, p=0.5), no_bias=True, num_hidden=6))
        return after, [after]


add("a step with a dropped weight", Dropped, lambda n: (normal(n, 4), normal(n, 6)))


class Highway(HybridBlock):
    """Gates of what passes and what is changed."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.layers = nn.HybridSequential()
            self.layers.add(*(nn.Dense(12) for _ in range(2)))

    def hybrid_forward(self, F, x):
        """Twice."""
        for layer in self.layers:
            change, gate = F.split(layer(x), num_outputs=2, axis=1)
            gate = F.sigmoid(gate)
            x = gate * x + (1 - gate) * F.relu(change)
        return x


add("highway", Highway, lambda n: (normal(n, 6),))


@net(lambda n: (integers(20, n, 7),))
def characters_of_a_word():
    """Convolutions over them, the largest of each."""

    def function(block, F, x):
        y = block.embed(x).swapaxes(1, 2)
        return F.concat(*(F.relu(F.max(c(y), axis=2)) for c in (block.one, block.two, block.three)), dim=1)

    convolutions = {n: nn.Conv1D(3, k) for k, n in enumerate(("one", "two", "three"), 1)}
    return Plain(function, embed=nn.Embedding(20, 5), **convolutions)


@net(lambda n: (normal(n, 3, 8), [normal(n, 5, 8), integers(6, n, low=1)]))
def a_decoder():
    """Sees what came before, and what another net has encoded; its states are nested."""

    class Decoder(HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.own, self.other = Attention(8, 2), Attention(8, 2)

        def __call__(self, step, states, valid_length=None):
            return super().__call__(step, states, valid_length)

        def hybrid_forward(self, F, x, states, valid_length=None):
            memory, lengths = states
            places = F.contrib.arange_like(x, axis=1)
            past = F.broadcast_lesser_equal(places.reshape((1, 1, -1)), places.reshape((1, -1, 1)))
            x = x + self.own(x, None, None, F.broadcast_like(past, x, lhs_axes=(0,), rhs_axes=(0,)))[0]
            steps = F.contrib.arange_like(memory, axis=1)
            seen = F.broadcast_lesser(steps.reshape((1, -1)), lengths.reshape((-1, 1))).expand_dims(1)
            found, weights = self.other(x, memory, None, F.broadcast_like(seen, x, lhs_axes=(1,), rhs_axes=(1,)))
            return x + found, states, weights

    return Decoder()


@net(lambda n: (normal(n, 5, 6), _lengths(n)))
def a_mean_over_lengths():
    """Of the steps that count."""

    def function(block, F, x, lengths):
        y = F.SequenceMask(block.body(x), sequence_length=lengths, use_sequence_length=True, axis=1)
        return F.broadcast_div(F.sum(y, axis=1), F.expand_dims(lengths, axis=1))

    return Plain(function, body=nn.Dense(4, flatten=False))
