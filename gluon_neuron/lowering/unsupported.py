"""Why MXNet operators without a rule have none: what is not for inference, what cannot be compiled, what is not yet."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..refusal import Category

NOT_FOR_INFERENCE, NEVER, NOT_YET = Category.NOT_FOR_INFERENCE, Category.CANNOT_BE_COMPILED, Category.NOT_YET


@dataclass(frozen=True)
class LeftOut:
    """Operators by a pattern of their names, the kind of reason, and the reason as the report gives it."""

    kind: Category
    reason: str
    names: re.Pattern[str]


def _left(kind: Category, reason: str, *patterns: str) -> LeftOut:
    return LeftOut(kind, reason, re.compile("|".join(f"(?:{p})" for p in patterns)))


_DISTRIBUTIONS = (
    "normal|uniform|gamma|exponential|poisson|negative_binomial|generalized_negative_binomial|randint|multinomial"
)

LEFT_OUT: tuple[LeftOut, ...] = (
    _left(
        NOT_FOR_INFERENCE,
        "it updates weights, which is training",
        r"(?!_sparse_).*_update(_phase[12])?",
        "multi_lars|multi_sum_sq|(multi_)?all_finite|reset_arrays",
    ),
    _left(
        NOT_FOR_INFERENCE,
        "it is a loss, which inference does not need",
        "(_contrib_)?(CTCLoss|ctc_loss)|softmax_cross_entropy|IdentityAttachKLSparseReg|_contrib_hawkesll",
    ),
    _left(
        NOT_FOR_INFERENCE,
        "it makes training targets",
        "(_contrib_|_npx_)?(MultiBoxTarget|multibox_target)|_contrib_(bipartite_matching|box_encode|calibrate_entropy)",
    ),
    _left(
        NOT_FOR_INFERENCE,
        "it draws random numbers, which are MXNet's own",
        rf"_?(random|sample)_({_DISTRIBUTIONS})(_like)?|normal|uniform|_sample_unique_zipfian",
        "_?random_pdf_.*|_?shuffle|_npi_shuffle|_npi_choice|(_npx_)?_image_random_.*|_npx__image_random_.*",
        rf"_npi_({_DISTRIBUTIONS}|bernoulli|gumbel|logistic|pareto|powerd|rayleigh|weibull|random_randint)(_n)?",
    ),
    _left(
        NOT_FOR_INFERENCE,
        "it reads and decodes images while a data set is prepared",
        "_imdecode|(_npi)?_?cv(imdecode|imread|imresize|copyMakeBorder)",
    ),
    _left(NOT_FOR_INFERENCE, "it samples graphs", "_contrib_dgl_.*|_contrib_edge_id"),
    _left(
        NOT_FOR_INFERENCE,
        "it works on sparse storage, and compiled regions take dense arrays",
        "_sparse_.*|cast_storage|_contrib_getnnz|_square_sum",
    ),
    _left(
        NOT_FOR_INFERENCE,
        "it is one of MXNet's own quantized kernels; export the model before MXNet quantizes it",
        "_contrib_(re|de)?quantize.*",
    ),
    _left(
        NOT_FOR_INFERENCE,
        "it is MXNet's own fusion for oneDNN; export the model before optimize_for('MKLDNN')",
        "_sg_mkldnn_.*",
    ),
    _left(
        NOT_FOR_INFERENCE,
        "it writes into arrays or moves them between devices, which MXNet does by itself",
        "_CachedOp.*|_CrossDeviceCopy|_NoGradient|(_npi)?_copyto|_npi_share_memory|_set_value|fill_element_0index",
        "_(npi_)?scatter_set_nd|_scatter_.*|_onehot_encode|_npx_constraint_check|_npi_boolean_mask_assign_.*",
    ),
    _left(NEVER, "MXNet's inference loses the shapes of what it joins; use concatenate", "_npi_[hd]stack"),
    _left(
        NEVER,
        "how many steps a loop takes, or which branch is taken, depends on the data; MXNet computes no more than that",
        "_while_loop|_cond",
    ),
    _left(NEVER, "MXNet computes it on GPUs only", "_contrib_(i?fft|count_sketch)"),
    _left(NEVER, "it calls Python or another library", "(_npi_)?Custom|_CustomFunction|_NDArray|_Native"),
    _left(
        NEVER,
        "the shape of its result depends on the data",
        "(_contrib|_npi)_boolean_mask|_np[ix]_nonzero|_npi_unique|_npi_delete|_npi_insert_tensor|_npi_bincount",
    ),
    _left(
        NEVER,
        "it suppresses or sorts boxes one after the other, which a NeuronCore cannot do; MXNet does it between regions",
        "_contrib_(box_nms|box_non_maximum_suppression|MultiBoxDetection|(Multi)?Proposal)|_npx_multibox_detection",
    ),
    _left(
        NEVER,
        "LAPACK iterates for it, in a number of steps that depends on the data",
        "_?linalg_syevd|_npi_(pinv|pinv_scalar_rcond|svd|eig|eigh|eigvals|eigvalsh)",
    ),
    _left(
        NOT_YET,
        "there is no lowering rule for it yet",
        "_contrib_allclose|_?histogram|_npi_(histogram|lcm|lcm_scalar)|_?linalg_gelqf",
    ),
)


def left_out(op: str) -> LeftOut | None:
    """Why the operator has no rule; None when nothing is known about it."""
    return next((entry for entry in LEFT_OUT if entry.names.fullmatch(op)), None)
