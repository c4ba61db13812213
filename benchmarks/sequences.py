"""`python -m benchmarks.sequences`: transformers and recurrent layers beside MXNet's hybridized ones, in turns."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tabulate import tabulate

from .results import flat, wait
from .timing import in_turns, latency, ratios

Make = Callable[[], tuple[Any, tuple[Any, ...]]]


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequences", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="about how long each case is measured")
    parser.add_argument("--only", default="", help='measure the cases whose names hold this, such as "BERT base, 8"')
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))
    rows = [_row(name, make, given.seconds) for name, make in cases() if given.only in name]
    head = ("model", "MXNet takes", "ms", "operators", "difference")
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


def cases() -> Iterator[tuple[str, Make]]:
    for batch in (1, 8):
        yield f"BERT base, {batch} x 128 words", partial(bert, batch)
    for batch in (1, 8, 32):
        yield f"LSTM, 2 x 650, {batch} x 35 steps", partial(_layer, "LSTM", 650, 2, 35, batch)
        yield (
            f"LSTM both ways, 2 x 128, {batch} x 40",
            partial(_layer, "LSTM", 128, 2, 40, batch, bidirectional=True),
        )
        yield f"GRU, 2 x 256, {batch} x 50", partial(_layer, "GRU", 256, 2, 50, batch)
        yield f"RNN tanh, 256, {batch} x 50", partial(_layer, "RNN", 256, 1, 50, batch, activation="tanh")


def bert(batch: int) -> tuple[Any, tuple[Any, ...]]:
    import mxnet as mx
    import numpy as np
    from gluonnlp.model.bert import BERTEncoder, BERTModel

    encoder = BERTEncoder(units=768, hidden_size=3072, max_length=512, num_layers=12, num_heads=12)
    net = BERTModel(
        encoder=encoder,
        vocab_size=30522,
        token_type_vocab_size=2,
        units=768,
        embed_size=768,
        use_decoder=False,
        use_classifier=False,
    )
    words = np.random.default_rng(0).integers(0, 30522, (batch, 128))
    return net, (mx.nd.array(words), mx.nd.zeros((batch, 128)), mx.nd.full((batch,), 128))


def _layer(kind: str, size: int, layers: int, steps: int, batch: int, **options: Any) -> tuple[Any, tuple[Any, ...]]:
    import mxnet as mx

    net = mx.gluon.nn.HybridSequential()
    net.add(getattr(mx.gluon.rnn, kind)(size, layers, **options))
    return net, (mx.nd.random.normal(shape=(steps, batch, size)),)


def _row(name: str, make: Make, seconds: float) -> tuple[str, ...]:
    import mxnet as mx

    import gluon_neuron

    net, sample = make()
    net.initialize(mx.init.Uniform(0.05))
    net.hybridize(static_alloc=True, static_shape=True)
    theirs = flat(net(*sample))
    compiled = gluon_neuron.compile(net, sample)
    ours = flat(compiled(*sample))
    scale = max(float(b.abs().max().asscalar()) for b in theirs)
    apart = max(float((a - b).abs().max().asscalar()) for a, b in zip(ours, theirs, strict=True))
    calls = {"MXNet": lambda: wait(net(*sample)), "gluon_neuron": lambda: wait(compiled(*sample))}
    taken = in_turns(calls, seconds)
    ratio = ratios(taken["MXNet"], taken["gluon_neuron"])
    report = compiled.report
    return (
        name,
        f"{ratio['median']:.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})",
        f"{1e3 * latency(taken['gluon_neuron'], 1)['p50']:.2f}",
        f"{report.compiled_operators} of {report.operators}",
        f"{apart / scale:.0e}",
    )


if __name__ == "__main__":
    main()
