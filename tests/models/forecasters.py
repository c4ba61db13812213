"""Forecasters of time series: DeepAR, one step of its decoding, and the Temporal Fusion Transformer."""

from __future__ import annotations

from typing import Any

from mxnet.gluon import nn, rnn


class StudentT(nn.HybridBlock):
    """Projects features to the location, the scale and the degrees of freedom of Student's t."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.project = nn.Dense(3, flatten=False)

    def hybrid_forward(self, F: Any, x: Any, scale: Any) -> Any:
        mu, sigma, nu = F.split(self.project(x), num_outputs=3, axis=-1, squeeze_axis=True)
        mu, sigma = F.broadcast_mul(mu, scale), F.broadcast_mul(F.Activation(sigma, act_type="softrelu"), scale)
        return mu, sigma, 2 + F.Activation(nu, act_type="softrelu")


class DeepAR(nn.HybridBlock):
    """Autoregressive recurrent net that gives a distribution for each step (Salinas et al., 2017).

    Inputs are the categories of a series (batch, categories), its target and what of it was observed (batch, history),
    known covariates (batch, context + horizon, covariates) and the target to be forecast (batch, horizon), which is
    there in training and when a forecast is judged.
    """

    def __init__(
        self, cardinalities=(7, 4), lags=(1, 2, 5), context=6, horizon=4, units=16, cell=rnn.LSTMCell, **options
    ):
        super().__init__(**options)
        self.lags, self.context, self.horizon = lags, context, horizon
        with self.name_scope():
            self.embeddings = nn.HybridSequential()
            for cardinality in cardinalities:
                self.embeddings.add(nn.Embedding(cardinality, 3))
            self.rnn = rnn.HybridSequentialRNNCell()
            self.rnn.add(cell(units))
            self.rnn.add(rnn.ResidualCell(rnn.DropoutCell(0.1)))
            self.rnn.add(rnn.ZoneoutCell(rnn.ResidualCell(cell(units)), zoneout_states=0.1))
            self.distribution = StudentT()

    def static(self, F: Any, categories: Any, target: Any, observed: Any) -> Any:
        """The scale of a series (batch, 1), and what does not change along it (batch, features)."""
        mean = F.sum(F.abs(target) * observed, axis=1) / F.maximum(F.sum(observed, axis=1), 1.0)
        scale = F.expand_dims(F.where(mean > 0, mean, F.ones_like(mean)), axis=1)
        codes = F.SliceChannel(categories, num_outputs=len(self.embeddings), axis=1, squeeze_axis=True)
        return scale, F.concat(*(e(c) for e, c in zip(self.embeddings, codes)), F.log(scale), dim=1)

    def hybrid_forward(self, F: Any, categories: Any, target: Any, observed: Any, covariates: Any, future: Any) -> Any:
        steps = self.context + self.horizon
        scale, static = self.static(F, categories, target, observed)
        sequence = F.broadcast_div(F.concat(target, future, dim=1), scale)
        lagged = [F.slice_axis(sequence, axis=1, begin=-lag - steps, end=-lag) for lag in self.lags]
        repeated = F.repeat(F.expand_dims(static, axis=1), repeats=steps, axis=1)
        inputs = F.concat(F.stack(*lagged, axis=-1), covariates, repeated, dim=-1)
        outputs, states = self.rnn.unroll(steps, inputs, layout="NTC", merge_outputs=True)
        return self.distribution(outputs, scale), states


class DeepARStep(nn.HybridBlock):
    """One step of DeepAR's decoding: the parameters of the next distribution, or a sample of it, and the states."""

    def __init__(self, model: DeepAR, draw: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.model, self.draw = model, draw

    def hybrid_forward(self, F: Any, lagged: Any, covariates: Any, static: Any, scale: Any, states: Any) -> Any:
        inputs = F.concat(F.broadcast_div(lagged, scale), covariates, static, dim=1)
        output, states = self.model.rnn(inputs, states)
        mu, sigma, nu = self.model.distribution(F.expand_dims(output, axis=1), scale)
        if self.draw:
            return F.sample_normal(mu, sigma), states
        return mu, sigma, nu, states


class Gated(nn.HybridBlock):
    """Gated residual network: a layer of ELUs, with a context or without, gated and added to its input."""

    def __init__(self, units: int, context: bool = False, skip: bool = False, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.first = nn.Dense(units, flatten=False)
            self.second = nn.Dense(units, flatten=False)
            self.context = nn.Dense(units, flatten=False, use_bias=False) if context else None
            self.skip = nn.Dense(units, flatten=False) if skip else None
            self.gate = Gate(units)

    def hybrid_forward(self, F: Any, x: Any, context: Any = None) -> Any:
        hidden = self.first(x)
        if self.context is not None:
            hidden = F.broadcast_add(hidden, self.context(context))
        hidden = self.second(F.LeakyReLU(hidden, act_type="elu", slope=1.0))
        return self.gate(hidden, x if self.skip is None else self.skip(x))


class Gate(nn.HybridBlock):
    """A gated linear unit, added to what goes around it, and normalized."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.dropout = nn.Dropout(0.1)
            self.project = nn.Dense(2 * units, flatten=False)
            self.norm = nn.LayerNorm()

    def hybrid_forward(self, F: Any, x: Any, skip: Any) -> Any:
        value, gate = F.split(self.project(self.dropout(x)), num_outputs=2, axis=-1)
        return self.norm(skip + value * F.sigmoid(gate))


class Selection(nn.HybridBlock):
    """Variable selection: each variable through a network of its own, and their sum by weights of a softmax."""

    def __init__(self, variables: int, units: int, context: bool = False, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.each = nn.HybridSequential()
            for _ in range(variables):
                self.each.add(nn.HybridSequential())
                self.each[-1].add(nn.Dense(units, flatten=False), Gated(units))
            self.weigh = Gated(variables, context, skip=True)

    def hybrid_forward(self, F: Any, x: Any, context: Any = None) -> Any:
        variables = F.split(x, num_outputs=len(self.each), axis=-1)
        values = F.stack(*(net(v) for net, v in zip(self.each, variables)), axis=-1)
        weights = F.softmax(self.weigh(x) if context is None else self.weigh(x, context), axis=-1)
        return F.sum(F.broadcast_mul(values, F.expand_dims(weights, axis=-2)), axis=-1), weights


class Attention(nn.HybridBlock):
    """Interpretable multi-head attention: heads share their values, and their mean is taken."""

    def __init__(self, units: int, heads: int, **options: Any) -> None:
        super().__init__(**options)
        self.heads, self.units = heads, units
        with self.name_scope():
            self.queries = nn.Dense(units, flatten=False, use_bias=False)
            self.keys = nn.Dense(units, flatten=False, use_bias=False)
            self.values = nn.Dense(units // heads, flatten=False, use_bias=False)
            self.out = nn.Dense(units, flatten=False, use_bias=False)

    def by_head(self, x: Any) -> Any:
        """(batch, steps, units) as (batch * heads, steps, units / heads)."""
        x = x.reshape((0, 0, self.heads, -1)).transpose((0, 2, 1, 3))
        return x.reshape((-1, 0, 0), reverse=True)

    def hybrid_forward(self, F: Any, query: Any, memory: Any, mask: Any) -> Any:
        scores = F.batch_dot(self.by_head(self.queries(query)), self.by_head(self.keys(memory)), transpose_b=True)
        scores = F.reshape(scores / (self.units / self.heads) ** 0.5, shape=(-4, -1, self.heads, -2))
        mask = F.broadcast_like(F.expand_dims(mask, axis=1), scores)
        weights = F.softmax(F.where(mask, scores, F.ones_like(scores) * -1e9), axis=-1).mean(axis=1)
        return self.out(F.batch_dot(weights, self.values(memory))), weights


class TFT(nn.HybridBlock):
    """The Temporal Fusion Transformer (Lim et al., 2019).

    Inputs are static values (batch, S), past ones (batch, history, P), known future ones (batch, horizon, K) and what
    of the past was observed (batch, history). Outputs are the quantiles (batch, horizon, Q), what the attention looked
    at, and the weights of the past variables.
    """

    def __init__(self, static=2, past=3, known=2, units=8, heads=2, quantiles=3, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.select = Selection(static, units)
            self.contexts = nn.HybridSequential()
            for _ in range(4):
                self.contexts.add(Gated(units))
            self.select_past = Selection(past, units, context=True)
            self.select_known = Selection(known, units, context=True)
            self.encoder = rnn.LSTM(units, layout="NTC")
            self.decoder = rnn.LSTM(units, layout="NTC")
            self.local = Gate(units)
            self.enrich = Gated(units, context=True)
            self.attention = Attention(units, heads)
            self.attended = Gate(units)
            self.feed = Gated(units)
            self.last = Gate(units)
            self.quantiles = nn.Dense(quantiles, flatten=False)

    def hybrid_forward(self, F: Any, static: Any, past: Any, known: Any, observed: Any) -> Any:
        summary, _ = self.select(static)
        for_selection, hidden, memory, for_enrichment = (net(summary) for net in self.contexts)
        along = F.expand_dims(for_selection, axis=1)
        past, past_weights = self.select_past(past, along)
        known, _ = self.select_known(known, along)
        states = [F.expand_dims(hidden, axis=0), F.expand_dims(memory, axis=0)]
        encoded, states = self.encoder(past, states)
        decoded, _ = self.decoder(known, states)
        together = self.local(F.concat(encoded, decoded, dim=1), F.concat(past, known, dim=1))
        enriched = self.enrich(together, F.expand_dims(for_enrichment, axis=1))
        future = F.slice_like(F.reverse(enriched, axis=1), known, axes=(1,))
        future = F.reverse(future, axis=1)
        attended, weights = self.attention(future, enriched, self.mask(F, observed, known))
        ours = F.reverse(F.slice_like(F.reverse(together, axis=1), known, axes=(1,)), axis=1)
        attended = self.attended(attended, future)
        return self.quantiles(self.last(self.feed(attended), ours)), weights, past_weights

    def mask(self, F: Any, observed: Any, known: Any) -> Any:
        """(batch, horizon, history + horizon): a step sees what was observed, itself and the known steps before it."""
        steps = F.contrib.arange_like(known, axis=1)
        before = F.broadcast_lesser_equal(F.expand_dims(steps, axis=0), F.expand_dims(steps, axis=1))
        one = F.ones_like(F.slice_axis(known, axis=2, begin=0, end=1))
        return F.concat(
            F.broadcast_mul(one, F.expand_dims(observed, axis=1)),
            F.broadcast_mul(one, F.expand_dims(before, axis=0)),
            dim=2,
        )
