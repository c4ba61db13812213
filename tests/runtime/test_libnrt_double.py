"""The double of libnrt is as strict as the contract: it refuses what is wrong, says so, and counts what is left."""

import ctypes
import shutil
from ctypes import byref, c_char_p, c_void_p

import pytest

from tests.doubles import neff
from tests.doubles.libnrt.double import Double
from tests.runtime import chip as chips
from tests.runtime import tiny

SUCCESS, INVALID, INVALID_HANDLE, RESOURCE, NOT_ENOUGH, VERSION, UNINITIALIZED, CLOSED = 0, 2, 3, 4, 9, 10, 13, 14
BAD_INPUT = 1002
DEVICE, VIRTUAL = 0, 2


@pytest.fixture(scope="module")
def program():
    """A NEFF with one input and one output of 24 bytes, called input0 and output0."""
    region = tiny.mirror(((2, 3), "float32"))
    return chips.payload(region, lambda x: [x["data"] * 2]).data


@pytest.fixture
def nrt(nrt_environment, monkeypatch, tmp_path):
    """Another copy of the double, with a state of its own: four cores, not initialised."""
    for name, value in nrt_environment.items():
        monkeypatch.setenv(name, value)
    copy = tmp_path / "libnrt_copy.so"
    shutil.copy(nrt_environment["GLUON_NEURON_NRT"], copy)
    library = ctypes.CDLL(str(copy))
    library.nrt_load.argtypes = [c_char_p, ctypes.c_size_t, ctypes.c_int32, ctypes.c_int32, c_void_p]
    library.nrt_tensor_allocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_size_t, c_char_p, c_void_p]
    library.nrt_tensor_write.argtypes = library.nrt_tensor_read.argtypes = [c_void_p, c_void_p, *[ctypes.c_size_t] * 2]
    library.nrt_add_tensor_to_tensor_set.argtypes = [c_void_p, c_char_p, c_void_p]
    library.nrt_execute.argtypes = [c_void_p] * 3
    library.nrt_unload.argtypes = [c_void_p]
    library.double = Double(copy)
    return library


@pytest.fixture
def started(nrt):
    assert nrt.nrt_init(4, b"1", b"1") == SUCCESS
    return nrt


def load(nrt, program, core=0):
    model = c_void_p()
    status = nrt.nrt_load(program, len(program), core, -1, byref(model))
    return model if status == SUCCESS else status


def tensor(nrt, size=24, core=0, placement=DEVICE):
    made = c_void_p()
    status = nrt.nrt_tensor_allocate(placement, core, size, b"t", byref(made))
    return made if status == SUCCESS else status


def tensor_set(nrt, **tensors):
    made = c_void_p()
    assert nrt.nrt_allocate_tensor_set(byref(made)) == SUCCESS
    for name, held in tensors.items():
        assert nrt.nrt_add_tensor_to_tensor_set(made, name.encode(), held) == SUCCESS
    return made


def test_before_the_beginning_and_after_the_end(nrt, program):
    assert load(nrt, program) == tensor(nrt) == UNINITIALIZED
    assert nrt.nrt_init(9, b"1", b"1") == INVALID
    assert nrt.nrt_init(4, b"1", b"1") == SUCCESS and nrt.nrt_init(4, b"1", b"1") != SUCCESS
    nrt.nrt_close()
    assert tensor(nrt) == CLOSED
    assert nrt.double.count("violations") == 5


def test_loading(started, program):
    large = neff.unpack(program)
    large = neff.pack(neff.Neff(3, large.info, large.files))
    newer = neff.pack(neff.Neff(1, neff.unpack(program).info, neff.unpack(program).files, major=9))
    assert load(started, program, 4) == load(started, large, 2) == NOT_ENOUGH
    assert load(started, newer) == VERSION
    assert load(started, program[:-1]) == load(started, b"x" * 2000) == load(started, program, -2) == INVALID
    assert load(started, program[:-1] + b"?") == INVALID, "the hash does not match"
    model = load(started, large, 1)
    assert started.double.count("alive model") == 1
    started.double.reset()
    assert started.nrt_unload(model) == SUCCESS and started.nrt_unload(model) == INVALID_HANDLE
    assert "unloaded before" in started.double.violation


def test_tensors(started, monkeypatch):
    monkeypatch.setenv("NRT_DOUBLE_MEMORY", "100")
    assert tensor(started, 0) == tensor(started, 8, core=4) == tensor(started, placement=3) == INVALID
    assert tensor(started, 101) == RESOURCE
    held, room = tensor(started), ctypes.create_string_buffer(32)
    assert started.nrt_tensor_write(held, room, 0, 24) == SUCCESS
    assert started.nrt_tensor_write(held, room, 0, 25) == started.nrt_tensor_read(held, room, 24, 1) == INVALID
    kept = c_void_p(held.value)
    started.nrt_tensor_free(byref(held))
    assert held.value is None
    before = started.double.count("violations")
    assert started.nrt_tensor_read(kept, room, 0, 24) == INVALID_HANDLE
    started.nrt_tensor_free(byref(kept))
    assert started.double.count("violations") == before + 2 and started.double.count("alive tensor") == 0


def test_execution(started, program):
    model, given, made = load(started, program, 1), tensor(started, core=1), tensor(started, core=1)
    data = (ctypes.c_float * 6)(*range(6))
    assert started.nrt_tensor_write(given, data, 0, 24) == SUCCESS
    right, out = tensor_set(started, input0=given), tensor_set(started, output0=made)
    assert started.nrt_execute(model, right, out) == SUCCESS
    assert started.nrt_tensor_read(made, data, 0, 24) == SUCCESS and list(data) == [0, 2, 4, 6, 8, 10]
    assert started.double.violation == "" and len(started.double.clock(1)) == 1
    wrong = {
        "lacks the tensor 'input0'": (tensor_set(started, input1=given), out, BAD_INPUT),
        "received: 20": (tensor_set(started, input0=tensor(started, 20, core=1)), out, BAD_INPUT),
        "on core 0, and the model on 1": (tensor_set(started, input0=tensor(started)), out, INVALID),
        "has placement 2": (tensor_set(started, input0=tensor(started, core=1, placement=VIRTUAL)), out, INVALID),
        "does not have": (tensor_set(started, input0=given, more=given), out, INVALID),
        "no set": (given, out, INVALID_HANDLE),
    }
    for words, (inputs, outputs, status) in wrong.items():
        started.double.reset()
        assert started.nrt_execute(model, inputs, outputs) == status
        assert words in started.double.violation
    started.double.reset()
    started.nrt_tensor_free(byref(given))
    assert started.nrt_execute(model, right, out) == INVALID_HANDLE and "freed tensor" in started.double.violation
    started.double.reset()
    started.nrt_destroy_tensor_set(byref(right))
    assert "freed before the set that holds it" in started.double.violation


def test_it_fails_when_told(started, program):
    started.double.fail("nrt_load", 5, nth=2)
    assert [isinstance(load(started, program), c_void_p) for _ in range(3)] == [True, False, True]
