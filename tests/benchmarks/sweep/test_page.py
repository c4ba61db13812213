"""The walk's page says of each model what its record does, and can be read back."""

from __future__ import annotations

from benchmarks.sweep.page import records
from benchmarks.sweep.table import table

NAMES = {"gluoncv": 3, "gluoncv2": 3}
DONE = {
    "kind": "classification",
    "stage": "done",
    "compiled": 5,
    "operators": 7,
    "flops_share": 0.5,
    "regions": 2,
    "agrees": True,
    "difference": 2e-6,
    "outside": [["_contrib_box_nms", "", "", 1], ["slice_axis", "", "", 4]],
}
WALKED = [
    {**DONE, "package": "gluoncv", "name": "resnet18_v1"},
    {**DONE, "package": "gluoncv2", "name": "resnet18_v1", "outside": []},
    {**DONE, "package": "gluoncv2", "name": "resnet18_v2", "rounding": {"compiled": 1e-4, "MXNet": 2e-4}},
    {**DONE, "package": "gluoncv", "name": "resnet34_v1", "agrees": False, "difference": 0.5, "repeatable": False},
    {"package": "gluoncv2", "name": "resnet50_v1", "kind": "classification", "stage": "run", "error": "E: it, or: so"},
    {"package": "gluoncv", "name": "resnet50_v1", "kind": "classification", "stage": "crashed", "error": "SIGABRT"},
]


def test_it_is_read_back_as_it_was_written():
    page = table(WALKED, NAMES)
    found = records(page)
    assert {(r["package"], r["name"]): r["stage"] for r in found} == {
        (r["package"], r["name"]): r["stage"] for r in WALKED
    }
    by_name = {(r["package"], r["name"]): r for r in found}
    assert table([by_name[r["package"], r["name"]] for r in WALKED], NAMES) == page


def test_rounding_and_differences_are_told():
    page = table(WALKED, NAMES)
    assert (
        "resnet18_v2: from what MXNet computes in float64, the compiled model is 1.0e-04 away and MXNet 2.0e-04" in page
    )
    assert "resnet34_v1: largest difference 5e-01; MXNet's own results differ from run to run" in page
