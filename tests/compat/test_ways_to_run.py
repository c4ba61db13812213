"""Every way in which scripts load and run a compiled checkpoint gives MXNet's own numbers."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.errors import ArtifactCorruptError, ArtifactMismatchError
from tests.agreement import agree
from tests.compat.nets import SHAPE, checkpoint, image, run
from tests.nets import artifact_name


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The prefix of a compiled checkpoint, written by MXNet's save_checkpoint."""
    prefix = str(tmp_path_factory.mktemp("checkpoint") / "net")
    mx.model.save_checkpoint(prefix, 3, *mx.contrib.neuron.compile(*checkpoint(), {"data": image()}))
    return prefix


@pytest.fixture
def loaded(files):
    return mx.model.load_checkpoint(files, 3)


def expected(x):
    return run(*checkpoint(), x)[0]


def close(found, x):
    agree(found, expected(x), 1e-4, 1e-5)


def bound(sym, args, aux, batch=SHAPE[0]):
    module = mx.mod.Module(sym, data_names=["data"], label_names=None)
    module.bind(for_training=False, data_shapes=[("data", (batch, *SHAPE[1:]))])
    module.set_params(args, aux, allow_missing=True, allow_extra=True)
    return module


def predict(module, x):
    module.forward(mx.io.DataBatch([x]), is_train=False)
    return module.get_outputs()[0].asnumpy()


def test_bind(loaded):
    close(run(*loaded, image(1))[0], image(1))


def test_simple_bind(loaded):
    executor = loaded[0].simple_bind(mx.cpu(), data=SHAPE, grad_req="null")
    executor.copy_params_from(loaded[1], loaded[2])
    for seed in range(3):
        close(executor.forward(data=image(seed))[0].asnumpy(), image(seed))


def test_module(loaded):
    module = bound(*loaded)
    for seed in range(3):
        close(predict(module, image(seed)), image(seed))


def logits():
    """The checkpoint without its softmax layer, whose label keeps a Module from changing its batch."""
    sym, args, aux = checkpoint()
    return sym.get_internals()["fc0_output"], args, aux


def test_module_bound_again_for_another_batch():
    sym, args, aux = mx.contrib.neuron.compile(*logits(), {"data": image()})
    module = bound(sym, args, aux)
    for batch in (2, 5, 1, 2):
        module.bind(for_training=False, data_shapes=[("data", (batch, *SHAPE[1:]))], force_rebind=True)
        module.set_params(args, aux, allow_missing=True, allow_extra=True, force_init=True)
        x = image(batch, batch=batch)
        agree(predict(module, x), run(*logits(), x)[0], 1e-4, 1e-5)


def test_module_bound_again_without_its_params():
    # MXNet's Module loses what set_params(allow_missing=True) gave it when it is bound again.
    module = bound(*mx.contrib.neuron.compile(*logits(), {"data": image()}))
    module.bind(for_training=False, data_shapes=[("data", (5, *SHAPE[1:]))], force_rebind=True)
    with pytest.raises(mx.base.MXNetError, match="all zeros.*set_params"):
        predict(module, image(batch=5))


def test_module_with_a_batch_of_another_size():
    module = bound(*mx.contrib.neuron.compile(*logits(), {"data": image()}))
    for batch in (2, 5, 1):
        x = image(batch, batch=batch)
        agree(predict(module, x), run(*logits(), x)[0], 1e-4, 1e-5)


def test_module_with_all_params_cast(loaded):
    # A published script casts every parameter, the artifact too, before it sets them.
    sym, args, aux = loaded
    for name in args:
        args[name] = args[name].astype("float32")
    close(predict(bound(sym, args, aux), image(1)), image(1))


def cast_artifact(args, dtype, factor=1):
    """The artifact among the arguments, cast and scaled."""
    name = artifact_name(args)
    return {name: args[name].astype(dtype) * factor}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32"])
def test_files_with_all_params_cast(loaded, tmp_path, dtype):
    sym, args, aux = loaded
    prefix = str(tmp_path / "cast")
    mx.model.save_checkpoint(prefix, 0, sym, {**args, **cast_artifact(args, dtype)}, aux)
    net = gluon_neuron.load(prefix)
    close(net(image(1), mx.nd.zeros((SHAPE[0],))).asnumpy(), image(1))
    assert net.collect_params()[artifact_name(args)].dtype == np.uint8


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64"])
def test_bind_with_a_cast_artifact(loaded, dtype):
    sym, args, aux = loaded
    close(run(sym, {**args, **cast_artifact(args, dtype)}, aux, image(1))[0], image(1))


def test_cast_that_lost_bytes(loaded, tmp_path):
    sym, args, aux = loaded
    prefix = str(tmp_path / "lost")
    mx.model.save_checkpoint(prefix, 0, sym, {**args, **cast_artifact(args, "float32", 0.5)}, aux)
    with pytest.raises(ArtifactCorruptError, match="has become float32 and lost its bytes"):
        gluon_neuron.load(prefix)


def test_module_load(files):
    module = mx.mod.Module.load(files, 3, label_names=None)
    module.bind(for_training=False, data_shapes=[("data", SHAPE)])
    close(predict(module, image(1)), image(1))


def test_bucketing_module():
    sym, args, aux = mx.contrib.neuron.compile(*logits(), {"data": image()})
    module = mx.mod.BucketingModule(lambda key: (sym, ["data"], None), default_bucket_key=4)
    module.bind([("data", (4, *SHAPE[1:]))], for_training=False)
    module.set_params(args, aux, allow_missing=True, allow_extra=True)
    for batch in (4, 2, 3, 4, 2):
        x = image(batch, batch=batch)
        shapes = [mx.io.DataDesc("data", x.shape)]
        module.forward(mx.io.DataBatch([x], bucket_key=batch, provide_data=shapes), is_train=False)
        agree(module.get_outputs()[0], run(*logits(), x)[0], 1e-4, 1e-5)


def test_buckets_of_different_graphs_are_told_apart(loaded):
    # Buckets share their parameters by name, the artifact among them: the wrong one must be refused, not run.
    sym, args, aux = loaded
    inner = checkpoint()[0].get_internals()["fc0_output"]
    other, _, _ = mx.contrib.neuron.compile(inner, *checkpoint()[1:], {"data": image()})
    taken, own = artifact_name(args), artifact_name(other.list_arguments())
    with pytest.raises(ArtifactMismatchError, match="'_neuron_subgraph_op0'.*is another node's"):
        run(other, {**args, own: args[taken]}, aux, image())


def test_symbol_block(files):
    net = mx.gluon.SymbolBlock.imports(f"{files}-symbol.json", ["data", "softmax_label"], f"{files}-0003.params")
    for mode in ({}, {"static_alloc": True, "static_shape": True}):
        net.hybridize(**mode)
        for seed in range(2):
            close(net(image(seed), mx.nd.zeros((SHAPE[0],))).asnumpy(), image(seed))


def test_our_load(files):
    net = gluon_neuron.load(files, 3)
    close(net(image(1), mx.nd.zeros((SHAPE[0],))).asnumpy(), image(1))
    assert net.report.compiled_operators == 9


def test_binding_again_does_not_compile_again(loaded):
    # Weights of its own, so that nothing from before serves: the first use does compile.
    sym, args, aux = loaded
    loaded = sym, {**args, "fc0_weight": args["fc0_weight"] * 1.5}, aux
    unused = native_library.stats()["compiles"]
    first = bound(*loaded)
    predict(first, image())
    before = native_library.stats()["compiles"]
    assert before > unused
    for _ in range(3):
        once = run(*loaded, image(1))[0]
        agree(predict(bound(*loaded), image(1)), once)
    assert native_library.stats()["compiles"] == before
    agree(predict(first, image(1)), once)


def test_memory_of_the_last_user_is_freed():
    code = """
import ctypes, gc, sys
import mxnet as mx, numpy as np
from gluon_neuron.engine import native_library
from tests.nets import artifact_name
from pathlib import Path

def resident():
    gc.collect()
    mx.nd.waitall()
    ctypes.CDLL(None).malloc_trim(0)
    line = next(t for t in Path("/proc/self/status").read_text().splitlines() if t.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024

def alive():
    gc.collect()
    mx.nd.waitall()
    return native_library.stats()["models_alive"]

def bound(sym, args, aux):
    executor = sym.bind(mx.cpu(), {**args, "data": mx.nd.ones((1, 3000))}, grad_req="null")
    for _ in range(2):
        executor.forward()[0].wait_to_read()
    return executor

def use():
    executor = bound(*mx.model.load_checkpoint(sys.argv[1], 0))
    del executor

loaded = mx.model.load_checkpoint(sys.argv[1], 0)
first, second = bound(*loaded), bound(*loaded)
assert alive() == 1, alive()
del first
assert alive() == 1, alive()
second.forward()[0].wait_to_read()
del second
assert alive() == 0, alive()
for _ in range(3):
    use()
before = resident()
for _ in range(100):
    use()
print(before, resident(), alive())
"""
    sym = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=1000, name="fc")
    args = {"fc_weight": mx.nd.random.normal(shape=(1000, 3000)), "fc_bias": mx.nd.zeros((1000,))}
    with tempfile.TemporaryDirectory() as folder:
        prefix = f"{folder}/large"
        made = mx.contrib.neuron.compile(sym, args, {}, {"data": mx.nd.ones((1, 3000))})
        mx.model.save_checkpoint(prefix, 0, *made)
        done = subprocess.run([sys.executable, "-c", code, prefix], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after, alive = map(float, done.stdout.split())
    # One model holds 12 MiB of weights or more: a hundred of them would be over 1,000, a tenth of them over 100.
    assert after - before < 60
    assert alive == 0
