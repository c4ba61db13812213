"""Every loss of Gluon behind a layer: with weights, with sample weights and without, in MXNet's ways to say so."""

from mxnet.gluon import HybridBlock, loss, nn

from gluon_neuron.errors import BlockError
from tests.shadow.corpus import FRONT_ENDS, Plain, add, integers, net, normal, positive, signs


class WithLoss(HybridBlock):
    """A layer and the loss of what it gives; what else the loss takes may be left out."""

    def __init__(self, body, loss):
        super().__init__()
        with self.name_scope():
            self.body = body
            self.loss = loss

    def hybrid_forward(self, F, x, label, *rest):
        """The loss, and what it is of."""
        y = self.body(x)
        return self.loss(y, label, *rest), y


BOTH = {"front_ends": FRONT_ENDS}
WITH_LABELS = {
    "l2": (loss.L2Loss, {}, {"weight": 0.3}, normal, BOTH),
    "l1": (loss.L1Loss, {}, {"weight": 0.3}, normal, BOTH),
    "sigmoid": (loss.SigmoidBinaryCrossEntropyLoss, {}, {"weight": 2.0}, positive, BOTH),
    "softmax of shares": (loss.SoftmaxCrossEntropyLoss, {"sparse_label": False}, {"weight": 2.0}, positive, BOTH),
    "divergence": (loss.KLDivLoss, {"from_logits": False}, {"axis": -1}, positive, {}),
    "huber": (loss.HuberLoss, {}, {"rho": 0.4}, normal, {}),
    "hinge": (loss.HingeLoss, {}, {"margin": 0.7}, signs, {}),
    "squared hinge": (loss.SquaredHingeLoss, {}, {"weight": 0.5}, signs, {}),
    "logistic": (loss.LogisticLoss, {}, {"weight": 0.5}, signs, {}),
    "logistic of 0 and 1": (loss.LogisticLoss, {"label_format": "binary"}, {}, lambda *s: integers(2, *s), {}),
    "poisson": (loss.PoissonNLLLoss, {}, {"weight": 0.5}, lambda *s: integers(6, *s), {}),
}
for name, (kind, options, weights, label, known) in WITH_LABELS.items():
    add(
        f"{name} loss",
        lambda kind=kind, one=options, two={**options, **weights}: Plain(
            lambda b, F, x, y, weight: (b.one(b.body(x), y), b.two(b.body(x), y, weight)),
            body=nn.Dense(4),
            one=kind(**one),
            two=kind(**two),
        ),
        lambda n, label=label: (normal(n, 6), label(n, 4), positive(n, 1)),
        **known,
    )
NO_SYMBOL = (BlockError, "cannot be exported to a symbol")
add("refused: smoothed metric loss", lambda: loss.SDMLLoss(), lambda n: (normal(n, 6), normal(n, 6)), error=NO_SYMBOL)
add(
    "refused: whole poisson loss",
    lambda: loss.PoissonNLLLoss(compute_full=True),
    lambda n: (normal(n, 4), integers(6, n, 4, low=2)),
    error=NO_SYMBOL,
)


@net(lambda n: (normal(n, 6), integers(4, n), positive(n, 1)), **BOTH)
def softmax_loss():
    """Of labels."""
    return WithLoss(nn.Dense(4), loss.SoftmaxCELoss(weight=0.5))


@net(lambda n: (normal(n, 3, 6, 5), integers(4, n, 6, 5)), **BOTH)
def softmax_loss_of_pixels():
    """Of the channels, as in segmentation."""
    return WithLoss(nn.Conv2D(4, 1), loss.SoftmaxCrossEntropyLoss(axis=1))


@net(lambda n: (normal(n, 6), positive(n, 4), None, positive(1, 4)))
def sigmoid_loss_of_unequal_classes():
    """A weight of each class, none of the samples."""
    return WithLoss(nn.Dense(4), loss.SigmoidBCELoss())


@net(lambda n: (normal(n, 6), positive(n, 4), positive(n, 1), positive(1, 4)), **BOTH)
def sigmoid_loss_of_shares():
    """Of what a sigmoid gave."""
    return WithLoss(nn.Dense(4, activation="sigmoid"), loss.SigmoidBCELoss(from_sigmoid=True))


@net(lambda n: (normal(n, 6), normal(n, 4), normal(n, 4)))
def triplet_loss():
    """With two more inputs."""
    return WithLoss(nn.Dense(4), loss.TripletLoss(margin=2))


@net(lambda n: (normal(n, 6), normal(n, 4), signs(n), positive(n, 1)))
def cosine_loss():
    """With weights."""
    return WithLoss(nn.Dense(4), loss.CosineEmbeddingLoss(margin=0.1))


class Script:
    """Blocks, and how a script calls them."""

    def __init__(self, *parts):
        *self.blocks, self.function = parts

    def __call__(self, *args):
        """Run the script."""
        return self.function(*self.blocks, *args)


@net(lambda n: (normal(n, 12, 6), integers(4, n, 3, low=1)), stays=("CTCLoss",))
def connectionist_loss():
    """CTC."""
    return WithLoss(nn.Dense(5, flatten=False), loss.CTCLoss())


@net(
    lambda n: (normal(12, n, 6), integers(4, 3, n, low=1), integers(13, n, low=8), integers(4, n, low=1)),
    stays=("CTCLoss",),
)
def connectionist_loss_with_lengths():
    """CTC with time first, and lengths of both."""
    return WithLoss(nn.Dense(5, flatten=False), loss.CTCLoss(layout="TNC", label_layout="TN"))


@net(lambda n: (normal(n, 6), normal(n, 4)))
def a_loss_after_a_net():
    """As a script for validation calls them: one after the other."""
    return Script(nn.Dense(4), loss.L2Loss(), lambda body, loss, x, label: loss(body(x), label))


@net(lambda n: (normal(n, 6), normal(n, 4), integers(3, n)))
def two_losses():
    """Of two heads, weighed and added."""

    def function(block, F, x, values, labels):
        y = block.body(x)
        return block.l1(block.one(y), values) * 0.3 + block.ce(block.two(y), labels)

    parts = {"body": nn.Dense(6, activation="relu"), "one": nn.Dense(4), "two": nn.Dense(3)}
    return Plain(function, **parts, l1=loss.L1Loss(), ce=loss.SoftmaxCrossEntropyLoss())
