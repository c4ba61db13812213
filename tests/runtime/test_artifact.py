"""A damaged artifact is refused by the native reader, with its node's name and what is wrong."""

import hashlib
import re
import struct

import mxnet as mx
import pytest

from tests.runtime import damage, tiny


@pytest.fixture(scope="module")
def run():
    return damage.Runner()


def payload(header):
    return header["payloads"][0]


def program(header):
    return payload(header)["program"]


def inputs(header):
    return payload(header)["signature"]["inputs"]


def put(place, key, value):
    """A change that sets one value; a `value` that can be called is given the old one."""

    def change(header):
        at = place(header)
        at[key] = value(at[key]) if callable(value) else value

    return change


def drop(place, key):
    return lambda header: place(header).pop(key)


def top(header):
    return header


def swap_positions(header):
    first, second = program(header)["weights"][:2]
    first[1], second[1] = second[1], first[1]


def claim_twice(header):
    first, second = program(header)["weights"][:2]
    second[1] = first[1]


PAYLOAD_KEYS = ("target", "engine", "offset", "size", "sha256", "signature", "program")
PROGRAM_KEYS = ("xml", "literals", "weights", "literal_positions", "data", "config")

# What is done to the header, and what the message says.
HEADERS = [
    *((drop(top, k), f"lacks '{k}'") for k in ("data_size", "format", "graph", "options", "payloads")),
    *((drop(payload, k), f"lacks '{k}'") for k in PAYLOAD_KEYS),
    *((drop(program, k), f"lacks '{k}'") for k in PROGRAM_KEYS),
    (put(top, "format", 2), "another format version"),
    (put(top, "graph", 3), "'graph' in its header must be a string"),
    (put(top, "payloads", {}), "'payloads' in its header must be a list"),
    (put(top, "payloads", [3]), "has no object where 'offset' is looked for"),
    (put(top, "data_size", -64), "'data_size' in its header must be a whole number from 0 on"),
    (put(top, "data_size", 1.5), "'data_size' in its header must be a whole number from 0 on"),
    (put(top, "data_size", lambda n: n + 64), "its header promises"),
    (put(top, "data_size", 2**63 - 1), "an integer is too large|its header promises"),
    (put(top, "data_size", 2**64), "an integer is too large"),
    (put(payload, "offset", 2**62), "a payload lies outside its bytes"),
    (put(payload, "size", lambda n: n + 4096), "a payload lies outside its bytes"),
    (put(payload, "size", lambda n: n - 1), "lies outside its bytes|SHA-256"),
    (put(payload, "sha256", "00"), "the SHA-256 of its program does not match"),
    (put(program, "xml", [0]), "'xml' in its header must be a pair"),
    (put(program, "xml", [0, 2**62]), "'xml' lies outside its bytes"),
    (put(program, "xml", [2**62, 1]), "'xml' lies outside its bytes"),
    (put(program, "xml", [0, 0]), "a position in its header is not that of an offset"),
    (put(program, "literals", [64, 2**60]), "'literals' lies outside its bytes"),
    (put(program, "config", []), "'config' in its header must be an object"),
    (put(program, "config", {"INFERENCE_PRECISION_HINT": 1}), "must be a string"),
    (put(program, "halves", [0]), "reads the halves of an input that has none"),
    (put(program, "halves", [2**40]), "reads the halves of an input that has none"),
    (put(program, "halves", 0), "'halves' in its header must be a list"),
    (put(program, "parts", 0), "parts do not make up its signature"),
    (put(program, "parts", 3), "parts do not make up its signature"),
    (put(program, "parts", 2**40), "parts do not make up its signature"),
    (put(program, "parts", "2"), "'parts' in its header must be a whole number from 0 on"),
    (put(program, "data", []), "does not read the input data"),
    (put(program, "data", [0, 0]), "disagree about the inputs"),
    (put(program, "data", [1]), "disagree about the inputs"),
    (put(program, "data", [99]), "disagree about the inputs"),
    (put(program, "weights", lambda w: w[1:]), "does not read the input weight"),
    (put(program, "weights", lambda w: [*w, w[0]]), "disagree about the inputs"),
    (put(program, "weights", lambda w: [[i] for i, _ in w]), "must be a list of pairs"),
    (put(program, "weights", lambda w: [[i, [p + 1 for p in at]] for i, at in w]), "not that of an offset"),
    (put(program, "weights", lambda w: [[i, [2**40]] for i, _ in w]), "not that of an offset"),
    (put(program, "weights", lambda w: [[i, [0]] for i, _ in w]), "not that of an offset"),
    (put(program, "weights", lambda w: [[i, []] for i, _ in w]), "a constant that its header does not name"),
    (swap_positions, "a constant of its program has 60 bytes, the array it stands for 12"),
    (claim_twice, "two arrays claim one constant"),
    (put(program, "literal_positions", []), "a constant that its header does not name"),
    (put(program, "literal_positions", lambda use: [u[:2] for u in use]), "must be a list of triples"),
    (put(program, "literal_positions", lambda use: [[2**50, *u[1:]] for u in use]), "a literal lies outside its bytes"),
    (put(program, "literal_positions", lambda use: [[u[0], 0, u[2]] for u in use]), "has 4 bytes, .* stands for 0"),
    (put(lambda h: inputs(h)[0], "dtype", "float8"), "the unknown dtype 'float8'"),
    (put(lambda h: inputs(h)[0], "role", "friend"), "the unknown role 'friend'"),
    (put(lambda h: inputs(h)[0], "shape", [2**40, 2**40]), "a shape that is too large"),
    (put(lambda h: inputs(h)[0], "shape", [-1, 5]), "'shape' in its header must be a whole number from 0 on"),
    (put(lambda h: inputs(h)[0], "shape", [1] * 33), "a shape with too many axes"),
]


@pytest.mark.parametrize(("change", "message"), HEADERS)
def test_misused_header(run, change, message):
    found = run.refusal(damage.edited(run.artifact, change))
    assert found.startswith("gluon_neuron: artifact of node region0 is damaged: ")
    assert found.endswith("Compile the model again.")
    assert re.search(message, found), found


# The header's text as a whole, where it is not JSON or more than a header may be.
TEXTS = {
    "empty": (b"", "a value was expected"),
    "nothing": (b"    ", "a value was expected"),
    "cut off": (b'{"format": 1', "another character was expected"),
    "more behind": (b"{} {}", "something follows the value"),
    "a list": (b"[1, 2]", "no object where 'data_size'"),
    "deep": (b"[" * 70 + b"]" * 70, "nested too deeply"),
    "very deep": (b"[" * 10**6, "nested too deeply"),
    "twice": (b'{"format": 1, "format": 1}', "a key appears twice"),
    "not UTF-8": (b'{"\xff": 1}', "not UTF-8"),
    "overlong": (b'{"\xc0\xaf": 1}', "not UTF-8"),
    "surrogate": (b'{"\xed\xa0\x80": 1}', "not UTF-8"),
    "half a character": (b'{"\xe2\x82', "not UTF-8"),
    "half a pair": (b'{"\\ud800": 1}', "half of a surrogate pair"),
    "half an escape": (b'{"\\u12', "an escape is cut off"),
    "no such escape": (b'{"\\q": 1}', "an unknown escape"),
    "backslash at the end": (b'{"\\', "a string is cut off"),
    "control character": (b'{"\n": 1}', "a control character"),
    "null byte": (b"{\0}", "another character was expected"),
    "leading zero": (b"[01]", "begins with 0"),
    "no digits": (b"[-]", "a digit was expected"),
    "no fraction": (b"[1.]", "a digit was expected"),
    "no exponent": (b"[1e+]", "a digit was expected"),
    "large integer": (b"[99999999999999999999]", "an integer is too large"),
    "many values": (b"[" + b"0," * 10**6 + b"0]", "too many values"),
}


@pytest.mark.parametrize(("text", "message"), TEXTS.values(), ids=TEXTS)
def test_header_that_is_none(run, text, message):
    found = run.refusal(damage.join(text, b""))
    assert re.search(f"is damaged: .*{message}.*Compile the model again", found), found


def test_truncated_everywhere(run):
    end = damage.header_end(run.artifact)
    start = end + -end % 64
    total = len(run.artifact)
    in_prefix, around_header = (1, 7, 8, 11, 12, 16, 23, 24, 25), (end - 1, end, end + 1, start - 1, start, start + 1)
    for size in (*in_prefix, *around_header, total - 64, total - 1):
        assert "is damaged" in run.refusal(run.artifact[:size]), size
    assert "is damaged" in run.refusal(run.artifact + bytes(64))


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**64 - 24, 2**26 + 1, 10**6])
def test_lie_about_the_length(run, length):
    header, data = damage.split(run.artifact)
    assert "its header is truncated" in run.refusal(damage.join(header, data, length))


def test_not_an_artifact(run):
    assert "does not begin with GLUONNRN" in run.refusal(b"X" + run.artifact[1:])


@pytest.mark.parametrize("version", [2, 99, 2**32 - 1])
def test_newer_version(run, version):
    found = run.refusal(run.artifact[:8] + struct.pack("<I", version) + run.artifact[12:])
    assert f"node region0 was written in format version {version}; " in found
    assert "reads up to 1: upgrade gluon_neuron, or compile the model again." in found


def test_version_zero(run):
    assert "format version 0" in run.refusal(run.artifact[:8] + bytes(4) + run.artifact[12:])


def test_checksum_of_the_header(run):
    good = damage.sealed(run.artifact)
    assert run.refusal(good) == ""
    end = damage.header_end(good)
    for at in (12, 24, 24 + (end - 24) // 2, end - 1):
        bad = good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :]
        assert "the checksum of its header does not match" in run.refusal(bad)


def test_any_flipped_byte_of_the_program(run):
    _, data = damage.split(run.artifact)
    start = len(run.artifact) - len(data)
    size = damage.split(run.artifact)[0]["payloads"][0]["size"]
    for at in range(start, start + size, max(1, size // 25)):
        bad = run.artifact[:at] + bytes([run.artifact[at] ^ 1]) + run.artifact[at + 1 :]
        assert re.search("SHA-256|not that of an offset", run.refusal(bad))


def test_no_program_for_the_cpu(run):
    bad = damage.edited(run.artifact, put(payload, "target", "trn1"))
    assert "its artifact holds no program for the CPU. Compile the model again" in run.refusal(bad)
    bad = damage.edited(run.artifact, put(top, "payloads", []))
    assert "its artifact holds no program for the CPU" in run.refusal(bad)


def test_programs_of_other_engines_are_left_alone(run):
    def add(header):
        other = {"target": "trn1", "engine": "other", "offset": 0, "size": 0, "more": [1.5e3, None, True]}
        header["payloads"].insert(0, other)

    assert run.refusal(damage.edited(run.artifact, add)) == ""


def test_signature_of_another_graph(run):
    bad = damage.edited(run.artifact, put(lambda h: payload(h)["signature"]["outputs"][0], "shape", [2, 4]))
    assert "outputs are not those that MXNet infers for the graph" in run.refusal(bad)
    bad = damage.edited(run.artifact, lambda h: inputs(h).append({**inputs(h)[0], "role": "unused"}))
    assert "the node has 7 inputs, its program 8. Compile the model again" in run.refusal(bad)


def test_input_handed_through_at_another_size():
    data = mx.sym.var("data")
    symbol = mx.sym.concat(data, data, dim=0)
    region = tiny.Region(symbol, {"data": ((2, 3), "float32")}, {}, lambda p: [p["data"]])
    bad = damage.edited(region.artifact(), put(lambda h: payload(h)["signature"]["outputs"][0], "shape", [4, 3]))
    executor = tiny.bind(tiny.node(region, bad), tiny.arrays(region, bad))
    with pytest.raises(mx.MXNetError, match="node region0: .*hands an input through as an output of another size"):
        executor.forward()[0].asnumpy()


def test_text_that_openvino_refuses(run):
    def run_text(change):
        header, data = damage.split(run.artifact)
        at, size = header["payloads"][0]["program"]["xml"]
        data = data[:at] + change(data[at : at + size]) + data[at + size :]
        entry = header["payloads"][0]
        entry["sha256"] = hashlib.sha256(data[entry["offset"] : entry["offset"] + entry["size"]]).hexdigest()
        return run.refusal(damage.join(header, data))

    assert "node region0: OpenVINO failed to read the program" in run_text(lambda x: x.replace(b"MatMul", b"MatMuk"))
    assert "OpenVINO failed to read the program" in run_text(lambda x: b"?" + x[1:])
    # As many bytes as the array has, but another shape or type: OpenVINO infers, and refuses what does not fit.
    assert "OpenVINO failed to" in run_text(lambda x: x.replace(b'shape="3,5"', b'shape="5,3"', 1))


def test_a_refused_node_runs_once_its_artifact_is_whole(run):
    values = {**run.values, "region0_neuronbin": tiny.blob(run.artifact)}
    executor = tiny.bind(tiny.node(run.region, run.artifact), values)
    artifact = values["region0_neuronbin"]
    for _ in range(3):
        assert (executor.forward()[0].asnumpy() == run(run.artifact)).all()
        artifact[0] = 0
        with pytest.raises(mx.MXNetError, match="does not begin with"):
            executor.forward()[0].asnumpy()
        artifact[0] = ord("G")
