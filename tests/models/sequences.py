"""Nets over sequences: WaveNet, a vocoder of transposed convolutions, a text recogniser, a speech synthesiser."""

from __future__ import annotations

from typing import Any

import mxnet as mx
from mxnet.gluon import nn, rnn


class Causal(nn.HybridBlock):
    """A residual layer of WaveNet: a dilated convolution of the past, gated, with what local conditions add."""

    def __init__(self, channels: int, skips: int, dilation: int, **options: Any) -> None:
        super().__init__(**options)
        self.past = dilation
        with self.name_scope():
            self.filter = nn.Conv1D(channels, 2, padding=dilation, dilation=dilation)
            self.gate = nn.Conv1D(channels, 2, padding=dilation, dilation=dilation)
            self.of_conditions = nn.Conv1D(2 * channels, 1, use_bias=False)
            self.out = nn.Conv1D(channels, 1)
            self.skip = nn.Conv1D(skips, 1)

    def hybrid_forward(self, F: Any, x: Any, conditions: Any) -> Any:
        added = F.split(self.of_conditions(conditions), num_outputs=2, axis=1)
        parts = [F.slice_axis(c(x), axis=2, begin=0, end=-self.past) for c in (self.filter, self.gate)]
        gated = F.tanh(parts[0] + added[0]) * F.sigmoid(parts[1] + added[1])
        return x + self.out(gated), self.skip(gated)


class WaveNet(nn.HybridBlock):
    """WaveNet (van den Oord et al., 2016).

    Inputs are samples as integers of the µ-law (batch, steps) and conditions (batch, C, steps / 4); the output are
    logits of the next sample (batch, levels, steps).
    """

    def __init__(
        self, levels: int = 16, channels: int = 6, dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2), **options: Any
    ):
        super().__init__(**options)
        with self.name_scope():
            self.embed = nn.Embedding(levels, channels)
            self.enlarge = nn.Conv1DTranspose(4, 8, 4, 2)
            self.layers = nn.HybridSequential()
            for dilation in dilations:
                self.layers.add(Causal(channels, 8, dilation))
            self.last = nn.HybridSequential()
            self.last.add(nn.Activation("relu"), nn.Conv1D(8, 1, activation="relu"), nn.Conv1D(levels, 1))

    def hybrid_forward(self, F: Any, samples: Any, conditions: Any) -> Any:
        x, conditions, total = self.embed(samples).transpose((0, 2, 1)), self.enlarge(conditions), 0.0
        for layer in self.layers:
            x, skip = layer(x, conditions)
            total = total + skip
        return self.last(total)


def vocoder(channels: int = 12) -> nn.HybridSequential:
    """As MelGAN's generator (Kumar et al., 2019): spectra (batch, bands, frames) to samples (batch, 1, 8 * frames)."""
    net = nn.HybridSequential()
    net.add(nn.Conv1D(channels, 7, padding=3))
    for stride in (4, 2):
        channels //= 2
        net.add(nn.LeakyReLU(0.2), nn.Conv1DTranspose(channels, 2 * stride, stride, stride // 2))
        net.add(nn.LeakyReLU(0.2), nn.Conv1D(channels, 3, padding=3, dilation=3))
    net.add(nn.LeakyReLU(0.2), nn.Conv1D(1, 7, padding=3, activation="tanh"))
    return net


class Recogniser(nn.HybridBlock):
    """CRNN (Shi et al., 2015): lines of text (batch, 1, 32, width) to log-probabilities and best classes for CTC.

    There is one step for four columns.
    """

    def __init__(self, classes: int = 11, units: int = 12, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.features = nn.HybridSequential()
            for channels, pool in ((6, (2, 2)), (8, (2, 2)), (12, (2, 1)), (12, (2, 1))):
                self.features.add(nn.Conv2D(channels, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"))
                self.features.add(nn.MaxPool2D(pool, pool))
            self.features.add(nn.Conv2D(16, (2, 3), padding=(0, 1), activation="relu"))
            self.rnn = rnn.LSTM(units, num_layers=2, bidirectional=True)
            self.classify = nn.Dense(classes, flatten=False)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        steps = F.transpose(F.squeeze(self.features(x), axis=2), axes=(2, 0, 1))
        logits = F.swapaxes(self.classify(self.rnn(steps)), dim1=0, dim2=1)
        return F.log_softmax(logits, axis=-1), F.argmax(logits, axis=-1)


class SpeechEncoder(nn.HybridBlock):
    """Tacotron 2's encoder (Shen et al., 2017): characters (batch, steps), of which some count, to memory."""

    def __init__(self, characters: int = 20, units: int = 12, **options: Any) -> None:
        super().__init__(**options)
        with self.name_scope():
            self.embed = nn.Embedding(characters, units)
            self.convolve = nn.HybridSequential()
            for _ in range(2):
                self.convolve.add(
                    nn.Conv1D(units, 5, padding=2), nn.BatchNorm(), nn.Activation("relu"), nn.Dropout(0.5)
                )
            self.forward_rnn = rnn.LSTM(units // 2, layout="NTC")
            self.backward_rnn = rnn.LSTM(units // 2, layout="NTC")

    def hybrid_forward(self, F: Any, characters: Any, lengths: Any) -> Any:
        x = self.convolve(self.embed(characters).transpose((0, 2, 1))).transpose((0, 2, 1))
        ahead = self.forward_rnn(x)
        back = self.backward_rnn(self.reverse(F, x, lengths))
        memory = F.concat(ahead, self.reverse(F, back, lengths), dim=2)
        return F.SequenceMask(memory, lengths, use_sequence_length=True, axis=1)

    def reverse(self, F: Any, x: Any, lengths: Any) -> Any:
        """(batch, steps, units) from the last step that counts to the first."""
        x = F.SequenceReverse(F.swapaxes(x, dim1=0, dim2=1), lengths, use_sequence_length=True)
        return F.swapaxes(x, dim1=0, dim2=1)


class SpeechDecoder(nn.HybridBlock):
    """Tacotron 2's decoder for a few frames, each from the one before, with attention that knows where it has been.

    Inputs are the memory (batch, steps, units), how many steps count, the last frame (batch, bands), the last attention
    weights and their sum so far (batch, steps), what was read last (batch, units) and the states of the cell. Outputs
    are the new frames (batch, frames, bands), whether each is the last, and what to go on from.
    """

    def __init__(self, frames: int = 3, bands: int = 5, units: int = 12, **options: Any) -> None:
        super().__init__(**options)
        self.frames = frames
        with self.name_scope():
            self.prenet = nn.HybridSequential()
            self.prenet.add(nn.Dense(8, activation="relu"), nn.Dense(8, activation="relu"))
            self.cell = rnn.LSTMCell(units)
            self.query = nn.Dense(8, flatten=False, use_bias=False)
            self.keys = nn.Dense(8, flatten=False, use_bias=False)
            self.location = nn.Conv1D(4, 5, padding=2, use_bias=False)
            self.of_location = nn.Dense(8, flatten=False, use_bias=False)
            self.score = nn.Dense(1, flatten=False)
            self.frame = nn.Dense(bands)
            self.stop = nn.Dense(1)

    def hybrid_forward(self, F: Any, memory, lengths, frame, weights, total, read, states) -> Any:
        keys, frames, stops = self.keys(memory), [], []
        for _ in range(self.frames):
            output, states = self.cell(F.concat(self.prenet(frame), read, dim=1), states)
            place = self.of_location(self.location(F.stack(weights, total, axis=1)).swapaxes(1, 2))
            energy = F.tanh(F.broadcast_add(keys + place, F.expand_dims(self.query(output), axis=1)))
            energy = F.squeeze(self.score(energy), axis=2)
            weights = F.softmax(energy, lengths, use_length=True, axis=-1)
            total = total + weights
            read = F.squeeze(F.batch_dot(F.expand_dims(weights, axis=1), memory), axis=1)
            both = F.concat(output, read, dim=1)
            frame = self.frame(both)
            frames.append(frame)
            stops.append(self.stop(both))
        return F.stack(*frames, axis=1), F.sigmoid(F.concat(*stops, dim=1)), (frame, weights, total, read, states)

    def start(self, memory: mx.nd.NDArray) -> tuple[Any, ...]:
        """What to go on from at the beginning."""
        batch, steps, units = memory.shape
        weights = mx.nd.one_hot(mx.nd.zeros(batch), steps)
        states = self.cell.begin_state(batch)
        return mx.nd.zeros((batch, self.frame._units)), weights, weights, mx.nd.zeros((batch, units)), states
