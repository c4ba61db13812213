"""What MXNet's own profiler shows of compiled regions; in a process of its own, for each writes one whole file."""

from __future__ import annotations

import json

from tests.nets import run_python

CODE = """
    import json, sys
    import mxnet as mx
    import gluon_neuron
    from gluon_neuron.engine import timed_runs
    from gluon_neuron.errors import ProfileError
    from tests.nets import conv_net, images

    net = gluon_neuron.compile(conv_net(prefix="net_"), images())
    data = images()
    net(data).wait_to_read()
    mx.profiler.set_config(profile_all=True, aggregate_stats=True, filename=sys.argv[1])
    mx.profiler.set_state("run")
    for _ in range(3):
        net(data).wait_to_read()
    mx.profiler.pause()
    net(data).wait_to_read()
    mx.profiler.resume()
    try:
        net.profile(data, calls=1)
        raise SystemExit("two were timed at once")
    except ProfileError as error:
        assert "mx.profiler" in str(error)
    mx.profiler.set_state("stop")
    net(data).wait_to_read()
    print(mx.profiler.dumps())
    numbers = json.loads(mx.profiler.dumps(format="json"))
    assert numbers["Compiled regions"][0]["Operators"] and "Time" in numbers
    mx.profiler.dump()
    assert net.profile(data, calls=1).regions
"""


def test_regions_and_their_operators(tmp_path):
    place = tmp_path / "mxnet.json"
    table = run_python(CODE, place)
    fused = "net_conv0_fwd + net_batchnorm0_fwd + net_relu0_fwd"
    assert "Compiled region " in table and fused in table and "MXNET_C_API" in table
    found = json.loads(place.read_text())["traceEvents"]
    regions = [e for e in found if e.get("cat") == "compiled region"]
    assert len(regions) == 3  # neither the one in the pause nor the one behind the end
    operators = [e for e in found if e["name"] == fused]
    assert len(operators) == 3 and all(e["args"]["mean ms"] > 0 for e in operators)
    # On the clock that MXNet's own events have: inside what it knows of the call.
    known = [e for e in found if e.get("cat") == "operator" and e["ph"] in "BEbe" and e["name"] != fused]
    spans = [(b["ts"], e["ts"]) for b, e in zip(known[::2], known[1::2]) if b["name"] == e["name"]]
    for event in regions:
        end = event["ts"] + event["dur"]
        assert any(b - 500 <= event["ts"] and end <= e + 500 and b < e for b, e in spans), (event, spans)
    for region, operator in zip(regions, operators):
        assert region["tid"] == operator["tid"] and region["ts"] <= operator["ts"] + 1
        assert operator["ts"] + operator["dur"] <= region["ts"] + region["dur"] + 1
