"""Importing OpenVINO through us loads nothing that reports the import."""

from tests.nets import run_python


def test_nothing_phones_home():
    code = """
        import sys
        import mxnet as mx, gluon_neuron
        from gluon_neuron.dialect.in_openvino.importing import import_openvino
        net = mx.gluon.nn.Dense(512)
        net.initialize()
        compiled = gluon_neuron.compile(net, mx.nd.zeros((4, 1024)))
        assert compiled.engine == "openvino" and "openvino" in sys.modules
        assert not [m for m in sys.modules if m.startswith(("openvino_telemetry", "openvino.tools.ovc"))]
        assert import_openvino().Core().available_devices
        print("quiet")
    """
    assert run_python(code) == "quiet\n"
