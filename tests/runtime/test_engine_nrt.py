"""NEFFs on NeuronCores, by the double of libnrt: results, what is written when, faults, and the end."""

import gc
import logging
import threading

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.engine import callbacks, native_library
from tests.agreement import agree
from tests.nets import run_python
from tests.runtime import chip as chips
from tests.runtime import damage, tiny

ALLOCATING = ("nrt_load", "nrt_tensor_allocate", "nrt_allocate_tensor_set", "nrt_add_tensor_to_tensor_set")


def bind(region, artifact, values=None, **attrs):
    values = values or tiny.arrays(region, artifact)
    return tiny.bind(chips.node(region, artifact, **attrs), values), values


def check(region, executor, values):
    agree(executor.forward()[0], tiny.reference(region)(values)[0], 1e-4, 1e-5)


def test_results_are_mxnets_and_only_data_moves(chip, region, artifact):
    executor, values = bind(region, artifact)
    check(region, executor, values)
    weights = sum(w.nbytes for w in region.weights.values())
    assert chip.count("written") == weights + values["data"].size * 4
    chip.reset()
    for _ in range(3):
        values["data"] += 1
        check(region, executor, values)
    assert chip.count("written") == 3 * values["data"].size * 4
    assert chip.count("read") == 3 * 2 * 3 * 4
    assert [chip.count(f) for f in (*ALLOCATING, "nrt_init")] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("mode", tiny.MODES)
def test_gluon_loads_once_and_follows_its_parameters(chip, region, artifact, mode):
    params = tiny.parameters(region, artifact)
    block = tiny.block(tiny.node(region, artifact), params, tiny.MODES[mode])
    data = mx.nd.random.normal(shape=(2, 5))
    for _ in range(3):
        values = {"data": data, **{n: p.data() for n, p in params.items()}}
        expected = tiny.reference(region)(values)[0]
        agree(block(data), expected, 1e-4, 1e-5)
    assert chip.count("nrt_load") == 1
    for name in ("weight", "mean"):
        params[name].set_data(params[name].data() + 1)
        values = {"data": data, **{n: p.data() for n, p in params.items()}}
        expected = tiny.reference(region)(values)[0]
        agree(block(data), expected, 1e-4, 1e-5)
    assert chip.count("nrt_load") == 1, "other weights need another write, not another load"


def test_nets_with_equal_weights_share_the_device(chip, region, artifact):
    pairs = [bind(region, artifact) for _ in range(3)]
    for executor, values in pairs:
        check(region, executor, values)
    assert chip.count("alive model") == 1
    pairs[1][1]["bias"] += 1
    for executor, values in pairs:
        check(region, executor, values)
    assert chip.count("nrt_load") == 1


def test_the_last_user_unloads(chip, region, artifact):
    first, second = bind(region, artifact), bind(region, artifact)
    for executor, values in (first, second):
        check(region, executor, values)
        check(region, executor, values)
    del first, executor
    gc.collect()
    mx.nd.waitall()
    assert chip.count("alive model") == 1
    del second
    gc.collect()
    mx.nd.waitall()
    assert chip.count("alive model") == chip.count("alive tensor") == 0


def test_many_threads_at_once(chip, region, artifact):
    def work(seed):
        values = tiny.arrays(region, artifact, seed=seed)
        executor = bind(region, artifact, values)[0]
        for _ in range(20):
            values["data"] += 1
            agree(executor.forward()[0], expected(values), 1e-3, 1e-3)
        right.append(seed)

    def expected(v):
        v = {n: a.asnumpy() for n, a in v.items() if not n.endswith("_neuronbin")}
        out = v["data"] @ v["weight"].T + v["bias"]
        return (out - v["mean"]) * v["gamma"] / np.sqrt(v["var"] + 1e-3) + v["beta"]

    right = []
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(right) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("function", "status", "words"),
    [
        ("nrt_load", 10, "load a program for inf2 on NeuronCore 0: NRT_UNSUPPORTED_NEFF_VERSION .10."),
        ("nrt_load", 4, "NRT_RESOURCE .4.: a resource"),
        ("nrt_load", 9, "NeuronCore 0 .this process may use 4 .* of which 3 are free.: NRT_LOAD_NOT_ENOUGH_NC .9."),
        ("nrt_get_model_tensor_info", 3, "list a program's tensors: NRT_INVALID_HANDLE .3."),
        ("nrt_tensor_allocate", 4, "allocate .* bytes for 'input.': NRT_RESOURCE"),
        ("nrt_allocate_tensor_set", 11, "make a tensor set: NRT_FAIL_HOST_MEM_ALLOC"),
        ("nrt_add_tensor_to_tensor_set", 2, "put 'input.' into a tensor set: NRT_INVALID"),
        ("nrt_tensor_write", 3, "write a weight: NRT_INVALID_HANDLE"),
        ("nrt_execute", 1002, "run a program on NeuronCore 0: NRT_EXEC_BAD_INPUT .1002."),
        ("nrt_execute", 1204, "NRT_EXEC_SW_NQ_OVERFLOW .1204."),
        ("nrt_execute", 77, "status 77, which is not among the published ones"),
        ("nrt_tensor_read", 1, "read the output 'output0': NRT_FAILURE"),
    ],
)
def test_a_failure_is_said_in_words_and_the_next_call_works(chip, region, artifact, function, status, words):
    executor, values = bind(region, artifact)
    chip.fail(function, status)
    if status in (4, 9):
        chip.fail(function, status, 2)  # what is exhausted is tried once more
    with pytest.raises(mx.MXNetError, match=f"node region0: the Neuron runtime failed to .*{words}"):
        executor.forward()[0].asnumpy()
    check(region, executor, values)


def test_room_is_made_by_what_nobody_uses(chip, region, artifact):
    check(region, *bind(region, artifact))  # called once, so that its model waits for another user
    other = tiny.dense(units=4)
    program = chips.artifact(other, chips.payload(other, chips.dense))
    assert chip.count("alive model") == 1
    chip.fail("nrt_load", 4)
    check(other, *bind(other, program))
    assert chip.count("nrt_unload") == 1


def test_nan_is_delivered_with_one_warning(chip, region, artifact, caplog):
    native_library.functions().gn_set_warning_callback(callbacks._warn)  # forgets what was said before
    executor, values = bind(region, artifact)
    values["data"][0, 0] = np.nan
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            out = executor.forward()[0].asnumpy()
    assert np.isnan(out[0]).all() and np.isfinite(out[1]).all()
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "node region0: the results hold NaN" in caplog.text and "1003" in caplog.text


def test_inf1_has_its_weights_inside_and_notices_others(chip, region, monkeypatch, caplog):
    native_library.functions().gn_set_warning_callback(callbacks._warn)
    values = tiny.arrays(region, b"")
    artifact = chips.artifact(region, chips.payload_inf1(region, values))
    values["region0_neuronbin"] = tiny.blob(artifact)
    executor = bind(region, artifact, values)[0]
    check(region, executor, values)
    assert chip.count("written") == values["data"].size * 4 and chip.count("nrt_execute") == 1
    values["bias"] += 1
    with caplog.at_level(logging.WARNING):
        check(region, executor, values)
        check(region, executor, values)
    assert chip.count("nrt_execute") == 1
    assert "'bias' has changed since. Compile the model again" in caplog.text and len(caplog.records) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p["inputs"][1].update(tensor="input9"), "no tensor 'input9', which is to be the input 'weight'"),
        (lambda p: p["inputs"][2].update(tensor="input0"), "'input0' has 40 bytes, and the input 'bias' is float32.3."),
        (lambda p: p["outputs"][0].update(tensor="out"), "no tensor 'out', which is to be output 0"),
    ],
)
def test_a_neff_with_other_tensors_is_refused(chip, region, artifact, change, words):
    wrong = damage.edited(artifact, lambda header: change(header["payloads"][1]["program"]))
    executor = bind(region, wrong)[0]
    with pytest.raises(mx.MXNetError, match=f"its NEFF and the artifact's header disagree: .*{words}"):
        executor.forward()[0].asnumpy()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.update(cores=0), "impossible number of NeuronCores"),
        (lambda p: p["inputs"].pop(), "does not read the input var"),
        (lambda p: p["inputs"][0].update(name="other"), "disagree about the tensors"),
        (lambda p: p["outputs"].clear(), "does not write all outputs"),
        (lambda p: p.update(format="other"), "a format that this version does not read"),
    ],
)
def test_a_damaged_header_is_refused(region, artifact, change, words):
    wrong = damage.edited(artifact, lambda header: change(header["payloads"][1]["program"]))
    with pytest.raises(mx.MXNetError, match=f"artifact of node region0 is damaged: .*{words}"):
        bind(region, wrong)[0].forward()[0].asnumpy()


def test_every_dtype_crosses(chip):
    for dtype in ("float32", "float16", "uint8", "int8", "int32", "bool"):
        region = tiny.mirror(((2, 3), dtype))
        artifact = chips.artifact(region, chips.payload(region, lambda x: [x["data"]]))
        values = tiny.arrays(region, artifact)
        out = bind(region, artifact, values)[0].forward()[0]
        assert np.array_equal(out.asnumpy(), values["data"].asnumpy()), dtype
    assert chip.count("nrt_execute") == 6


AT_EXIT = """
    import os, signal, sys, threading, time
    from pathlib import Path
    import mxnet as mx
    from gluon_neuron.engine import callbacks, native_library
    from gluon_neuron.runtime import registration
    from tests.runtime import chip, tiny
    registration.register()
    region = tiny.dense()
    artifact = Path(sys.argv[1]).read_bytes()
    values = tiny.arrays(region, artifact)
    symbol = tiny.node(region, artifact)
    executor, other = tiny.bind(symbol, values), tiny.bind(symbol, values)
    assert executor.forward()[0].asnumpy().shape == (2, 3)
    child = os.fork()
    if child == 0:
        signal.alarm(40)
        try:
            other.forward()[0].asnumpy()
        except mx.MXNetError as error:
            sys.exit(0 if "a child of one that has started the Neuron runtime" in str(error) else 3)
        sys.exit(4)
    assert os.waitpid(child, 0)[1] == 0
    assert executor.forward()[0].asnumpy().shape == (2, 3)
    executor.forward()  # still running when the process ends
    print("end")
"""


def test_the_end_frees_all_and_a_forked_child_refuses(nrt_environment, region, artifact, tmp_path):
    import os

    report, file = tmp_path / "report", tmp_path / "artifact"
    file.write_bytes(artifact)
    env = {**os.environ, **nrt_environment, "NRT_DOUBLE_REPORT": str(report), "NRT_DOUBLE_EXEC_MS": "50"}
    assert run_python(AT_EXIT, file, env=env) == "end\n"
    left = dict(line.split("=") for line in report.read_text().splitlines())
    assert {n: v for n, v in left.items() if n.startswith("alive") and v != "0"} == {}
    assert (left["nrt_init"], left["nrt_close"], left["nrt_load"], left["nrt_unload"]) == ("1", "1", "1", "1")
    assert "violations" not in left
