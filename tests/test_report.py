"""Report: shares, text and dict of what was compiled and what was not."""

import copy
import dataclasses
import json
import pickle

import pytest

import gluon_neuron
from gluon_neuron.report import REASONS, BucketReport, DynamicDimension, Outside, ProgramReport, RegionReport, Report
from tests.nets import Split, images, initialized

PROGRAM = ProgramReport(
    "trn1", "neuronx-cc 2.15", "neuronx-cc compile x.hlo", False, 12.34, 1, {"dot": 3, "while_loops": 1}
)
CACHED = ProgramReport("inf1", "neuron-cc 1.20", "neuron-cc compile y", True, 0.0, 4)
FIRST = RegionReport("region0", 3, 2_500_000_000, ("data", "mask"), ("fc", "act"), (PROGRAM, CACHED))
BATCH = DynamicDimension((("boxes", 0), ("sizes", 0)), 1, 64)
HEIGHT = DynamicDimension((("boxes", 2),), 32, 512, 32)
SECOND = RegionReport(
    *("region1", 1, 500_000_000, ("boxes",), ("out",)),
    batch_parts=4,
    dynamic=(str(BATCH), str(HEIGHT)),
    why_static="axis 3 stays",
    dynamic_dimensions=(BATCH, HEIGHT),
)
SHAPES = ({"data": (1, 3), "mask": ()}, {"data": (8, 3), "mask": ()})
SORTED = Outside("sort0", "sort", "no rule", "there is no rule for it")
SLOW = Outside("pool0", "Pooling", "slower", "MXNet is faster")
REPORT = Report(
    *("cpu", "openvino", 8, 4_000_000_000, (FIRST, SECOND)),
    (SORTED, dataclasses.replace(SORTED, node="sort1"), SLOW, dataclasses.replace(SLOW, sentence="another reason")),
    {"export": 0.123, "compile": 4.5},
    static_shapes=SHAPES,
    buckets=(BucketReport((("data", 0),), (1, 8)), BucketReport((("data", 1), ("mask", 1)), (3,), (0, 0.5))),
)
EMPTY = Report("cpu", "mxnet", 2, 100, (), (SORTED, SLOW))


def test_shares():
    assert (REPORT.compiled_operators, REPORT.operator_share) == (4, 0.5)
    assert (REPORT.compiled_flops, REPORT.flops_share) == (3_000_000_000, 0.75)
    assert (EMPTY.compiled_operators, EMPTY.operator_share, EMPTY.compiled_flops, EMPTY.flops_share) == (0, 0, 0, 0)


def test_shares_of_nothing():
    nothing = Report("cpu", "mxnet", 0, 0)
    assert nothing.operator_share == nothing.flops_share == 0.0
    assert str(nothing).splitlines()[1] == "Nothing was compiled: the model runs as plain MXNet."


def test_dict_and_back():
    for report in (REPORT, EMPTY):
        raw = report.to_dict()
        assert Report.from_dict(raw) == report
        # As the metadata of an exported symbol keeps it: lists for tuples.
        assert Report.from_dict(json.loads(json.dumps(raw))) == report


def test_dict_holds_every_field():
    raw = json.loads(json.dumps(REPORT.to_dict()))
    assert set(raw) == {f.name for f in dataclasses.fields(Report)}
    assert set(raw["regions"][0]) == {f.name for f in dataclasses.fields(RegionReport)}
    assert raw["regions"][0]["programs"][0]["quality"] == {"dot": 3, "while_loops": 1}
    assert raw["outside"][2] == dataclasses.asdict(SLOW)


def test_dict_of_older_files():
    raw = REPORT.to_dict()
    for region in raw["regions"]:
        del region["programs"], region["batch_parts"], region["dynamic_dimensions"]
    del raw["static_shapes"], raw["buckets"]
    found = Report.from_dict(raw)
    older = {"programs": (), "batch_parts": 1, "dynamic_dimensions": ()}
    assert found.regions == tuple(dataclasses.replace(r, **older) for r in REPORT.regions)
    assert found.static_shapes == found.buckets == ()


def test_former_name_of_batch_parts():
    raw = REPORT.to_dict()
    for region in raw["regions"]:
        region["parts"] = region.pop("batch_parts")
    assert Report.from_dict(raw) == REPORT
    state = {**vars(SECOND), "parts": 4}
    del state["batch_parts"]
    found = RegionReport.__new__(RegionReport)
    found.__setstate__(state)
    assert found == SECOND and found.parts == 4


@pytest.mark.parametrize("key", ["target", "engine", "operators", "flops", "seconds", "regions", "outside"])
def test_dict_that_lacks_something(key):
    raw = REPORT.to_dict()
    del raw[key]
    with pytest.raises(KeyError, match=key):
        Report.from_dict(raw)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol):
    found = pickle.loads(pickle.dumps(REPORT, protocol))
    assert found == REPORT and str(found) == str(REPORT)
    assert type(found.regions[0].programs[0]) is ProgramReport and type(found.outside[0]) is Outside


def test_copies():
    assert copy.deepcopy(REPORT) == REPORT


def test_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        REPORT.target = "trn1"


def test_text():
    lines = [line.rstrip() for line in str(REPORT).splitlines()]
    assert lines[0] == (
        "Target cpu (engine openvino): 4 of 8 operators (50.0%) and 75.0% of 4 GFLOP in 2 compiled regions."
    )
    rows = [line.split() for line in lines]
    assert ["region", "operators", "GFLOP", "inputs", "outputs"] in rows
    assert ["region0", "3", "2.5", "data,", "mask", "2"] in rows
    assert ["region1", "1", "0.5", "boxes", "1"] in rows
    assert "The CPU computes the batch in parts, each on a core or more of its own: region1 in 4." in lines
    at = lines.index("region0 for trn1, 1 NeuronCore, by neuronx-cc 2.15, compiled in 12.3 s:")
    assert lines[at + 1 : at + 3] == ["  neuronx-cc compile x.hlo", "  HLO: 3 dot, 1 while loops"]
    at = lines.index("region0 for inf1, 4 NeuronCores, by neuron-cc 1.20, from the compile cache:")
    assert lines[at + 1 : at + 3] == ["  neuron-cc compile y", ""]
    assert lines[-1] == "Seconds: export 0.12, compile 4.50"


def test_text_of_shapes():
    lines = str(REPORT).splitlines()
    at = lines.index("Static shapes:")
    assert lines[at + 1 : at + 4] == ["  data (1, 3), mask ()", "  data (8, 3), mask ()", ""]
    at = lines.index("Buckets:")
    assert lines[at + 1 : at + 4] == [
        "  axis 0 of data: 1, 8; padding is proved to be harmless.",
        "  axis 1 of data and axis 1 of mask: 3; padded with 0, 0.5, which is declared to be harmless.",
        "",
    ]
    at = lines.index("Other shapes on the CPU:")
    axes = "axis 0 of boxes, axis 0 of sizes from 1 to 64; axis 2 of boxes from 32 to 512 in steps of 32"
    assert lines[at + 1 : at + 3] == [
        f"  region1: one program for {axes}.",
        "    It is not for all that option dynamic names: axis 3 stays.",
    ]
    many = {f"data{i}": (i,) for i in range(9)}
    assert "data5 (5,) and 3 more\n" in str(dataclasses.replace(REPORT, static_shapes=(many,)))


def test_text_groups_what_stays():
    lines = str(REPORT).splitlines()
    rows = [line.split(maxsplit=3) for line in lines[lines.index("In MXNet:") + 1 :]]
    assert rows[0][:3] == ["operator", "nodes", "first"]
    assert rows[2:5] == [
        ["sort", "2", "sort0", "there is no rule for it"],
        ["Pooling", "1", "pool0", "MXNet is faster"],
        ["Pooling", "1", "pool0", "another reason"],
    ]


def test_text_where_nothing_was_compiled():
    text = str(EMPTY)
    assert text.startswith("Target cpu (engine mxnet): 0 of 2 operators (0.0%) and 0.0% of 1e-07 GFLOP in 0 compiled ")
    assert "Nothing was compiled: the model runs as plain MXNet." in text
    assert "GFLOP  " not in text and "Seconds" not in text and "in parts" not in text


def test_text_of_one_region():
    one = dataclasses.replace(REPORT, regions=(dataclasses.replace(SECOND, batch_parts=1),), outside=(), seconds={})
    text = str(one)
    assert "in 1 compiled region." in text
    assert "In MXNet" not in text and "in parts" not in text and "NeuronCore" not in text


def test_report_of_a_net():
    net = initialized(Split(), images(1, 8))
    report = gluon_neuron.compile(net, images(1, 8)).report
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    assert pickle.loads(pickle.dumps(report)) == report
    assert report.operators == report.compiled_operators + len(report.outside)
    assert report.static_shapes == ({"data": (1, 3, 8, 8)},)
    assert report.flops >= report.compiled_flops > 0 and 0 < report.operator_share < 1
    assert {o.category for o in report.outside} <= set(REASONS)
    assert all(seconds >= 0 for seconds in report.seconds.values()) and "_contrib_box_nms" in str(report)
