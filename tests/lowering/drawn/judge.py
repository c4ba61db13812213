"""What becomes of a drawn case: MXNet rejects it, the rule refuses it, or their results are compared everywhere."""

from __future__ import annotations

import numpy as np
from mxnet.base import MXNetError

from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.registry import refusal
from gluon_neuron.targets.cpu.target import CpuTarget
from tests.agreement import agree

from ..harness import TOLERANCE, mxnet_result, node_of, run_rule
from .case import Case

DISCARDED, REFUSED, COMPARED, COMPILED = "discarded", "refused", "compared in NumPy", "compared in OpenVINO too"


def judge(op: str, case: Case, openvino: bool = True) -> str:
    """Run a case and say what became of it; raises AssertionError when a namespace disagrees with MXNet.

    The reference namespace computes whatever the rule accepts, OpenVINO, if asked for, what the CPU target accepts too.
    """
    try:
        node = node_of(op, [Spec(v.shape, v.dtype.name) for v in case.inputs], case.attrs, case.outputs)
    except (MXNetError, TypeError, ValueError):
        # MXNet does not know the attributes, or cannot infer a shape (then it says None) or a dtype.
        return DISCARDED
    specs = [s for s in (*node.ins, *node.outs.values()) if s is not None]
    if any(size < 0 for spec in specs for size in spec.shape):
        return DISCARDED
    refused = refusal(node)
    if refused is not None:
        assert len(refused[1]) > 10, f"{node} {case}: refused without a sentence: {refused}"
        return REFUSED
    try:
        expected = dict(zip(case.outputs, mxnet_result(op, case.inputs, case.attrs, case.outputs)))
    except MXNetError:
        return DISCARDED
    openvino = openvino and CpuTarget().refusal(node) is None
    namespaces = ("numpy", "openvino") if openvino else ("numpy",)
    for namespace in namespaces:
        got = run_rule(namespace, node, case.inputs, case.weights)
        for index, want in expected.items():
            where = f"{node} {case} output {index} in {namespace}"
            try:
                _compare(got[index], want, case, where)
            except AssertionError:
                # In half precision MXNet's own sums lose digits or overflow; in single precision they are the same.
                if "float16" not in {want.dtype.name, *(v.dtype.name for v in case.inputs)}:
                    raise
                _compare(got[index], _in_single_precision(op, case, index).astype(want.dtype), case, where)
    return COMPILED if openvino else COMPARED


def _in_single_precision(op: str, case: Case, index: int) -> np.ndarray:
    """MXNet's result in float32 where the case has float16."""
    inputs = [v.astype("float32") if v.dtype == np.float16 else v for v in case.inputs]
    attrs = {key: "float32" if value == "float16" else value for key, value in case.attrs.items()}
    return mxnet_result(op, inputs, attrs, (index,))[0]


def _compare(got: np.ndarray, want: np.ndarray, case: Case, where: str) -> None:
    assert got.shape == want.shape and got.dtype == want.dtype, f"{where}: {got.dtype}{got.shape}"
    if want.dtype.kind in "biu":
        agree(got, want, where=where)
        return
    kinds = {v.dtype.name for v in (*case.inputs, want)} & TOLERANCE.keys() | ({"float32"} if case.single else set())
    tolerance = max(TOLERANCE[kind] for kind in kinds)
    # What MXNet has no number for is not promised.
    there = ~np.isnan(want)
    got, want = got[there].astype(np.float64), want[there].astype(np.float64)
    size = np.abs(want)
    largest = size[np.isfinite(want)].max(initial=1e-6)
    if case.elementwise:
        allowed = np.where(np.isfinite(want), size, 0) + min(largest, 1.0)
    else:
        given = [np.abs(v.astype(np.float64)).max(initial=0.0) for v in case.inputs if v.dtype.kind == "f"]
        allowed = np.full(want.shape, max(largest, *given, 0.0))
    with np.errstate(invalid="ignore"):
        # The difference of two infinities is not a number.
        close = (got == want) | (np.abs(got - want) <= tolerance * allowed)
    assert close.all(), f"{where}: {got[~close][:5]} where MXNet has {want[~close][:5]}"
