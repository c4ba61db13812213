"""Modules by the names that they had in earlier releases: what a user pickled or imports keeps working."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType

_PACKAGE = __name__.rpartition(".")[0]

MOVED = {
    "artifact.cache": "targets.neuron.compile_cache",
    "artifact.neff": "targets.neuron.neff",
    "compile_regions": "compiler.regions",
    "dialect.array": "dialect.strict_array",
    "dialect.base_activation": "dialect.functions.activation",
    "dialect.base_binary": "dialect.functions.binary",
    "dialect.base_indexing": "dialect.functions.indexing",
    "dialect.base_normalize": "dialect.functions.normalize",
    "dialect.base_product": "dialect.functions.product",
    "dialect.base_recurrent": "dialect.functions.recurrent",
    "dialect.base_reduce": "dialect.functions.reduce",
    "dialect.base_regions": "dialect.functions.roi",
    "dialect.base_resample": "dialect.functions.resample",
    "dialect.base_sample": "dialect.functions.sample",
    "dialect.base_scatter": "dialect.functions.scatter",
    "dialect.base_shape": "dialect.functions.shape",
    "dialect.base_unary": "dialect.functions.unary",
    "dialect.base_window": "dialect.functions.window",
    "dialect.jax_": "dialect.in_jax.namespace",
    "dialect.jax_elementwise": "dialect.in_jax.elementwise",
    "dialect.jax_import": "dialect.in_jax.importing",
    "dialect.jax_nn": "dialect.in_jax.nn",
    "dialect.jax_order": "dialect.in_jax.order",
    "dialect.jax_program": "dialect.in_jax.program",
    "dialect.jax_recurrent": "dialect.in_jax.recurrent",
    "dialect.jax_shape": "dialect.in_jax.shape",
    "dialect.numpy_": "dialect.in_numpy.namespace",
    "dialect.numpy_elementwise": "dialect.in_numpy.elementwise",
    "dialect.numpy_kernels": "dialect.in_numpy.kernels",
    "dialect.numpy_sample": "dialect.in_numpy.sample",
    "dialect.numpy_shape": "dialect.in_numpy.shape",
    "dialect.numpy_window": "dialect.in_numpy.window",
    "dialect.openvino_": "dialect.in_openvino.namespace",
    "dialect.openvino_builder": "dialect.in_openvino.builder",
    "dialect.openvino_elementwise": "dialect.in_openvino.elementwise",
    "dialect.openvino_import": "dialect.in_openvino.importing",
    "dialect.openvino_nn": "dialect.in_openvino.nn",
    "dialect.openvino_recurrent": "dialect.in_openvino.recurrent",
    "dialect.openvino_shape": "dialect.in_openvino.shape",
    "frontend.files": "stitch.files",
    "frontend.keep": "compiler.region_dump",
    "frontend.metadata": "stitch.metadata",
    "frontend.parameters": "stitch.parameters",
    "frontend.piece": "compiler.cut_region",
    "frontend.placing": "stitch.node_placement",
    "frontend.stitch": "stitch.write",
    "frontend.verify": "verification",
    "graph.known": "lowering.known",
    "lowering.build": "lowering.lower",
    "lowering.correlation": "lowering.vision.correlation",
    "lowering.deformable": "lowering.vision.deformable",
    "lowering.detection": "lowering.vision.detection",
    "lowering.left_out": "lowering.unsupported",
    "lowering.linalg_elimination": "lowering.linalg.elimination",
    "lowering.linalg_triangular": "lowering.linalg.triangular",
    "lowering.npx_image": "lowering.vision.image",
    "lowering.numpy_binary": "lowering.np_front.binary",
    "lowering.numpy_compare": "lowering.np_front.compare",
    "lowering.numpy_creation": "lowering.np_front.creation",
    "lowering.numpy_einsum": "lowering.np_front.einsum",
    "lowering.numpy_indexing": "lowering.np_front.indexing",
    "lowering.numpy_insert": "lowering.np_front.insert",
    "lowering.numpy_product": "lowering.np_front.product",
    "lowering.numpy_reduction": "lowering.np_front.reduction",
    "lowering.numpy_shaping": "lowering.np_front.shaping",
    "lowering.numpy_unary": "lowering.np_front.unary",
    "lowering.regions": "lowering.vision.roi",
    "lowering.regions_sensitive": "lowering.vision.roi_sensitive",
    "lowering.resize": "lowering.vision.resize",
    "partition.cost": "lowering.cost",
    "runtime.devices": "engine.devices",
    "runtime.library": "engine.native_library",
    "runtime.parameter_watch": "runtime.mxnet_patches",
    "specialize": "compiler.specialize",
    "targets.chip": "targets.neuron.chip",
    "targets.compilers": "targets.neuron.toolchain",
    "targets.compilers.commands": "targets.neuron.toolchain.commands",
    "targets.compilers.find": "targets.neuron.toolchain.find",
    "targets.compilers.pool": "targets.neuron.toolchain.pool",
    "targets.compilers.precedence": "targets.neuron.toolchain.precedence",
    "targets.compilers.process": "targets.neuron.toolchain.process",
    "targets.compilers.words": "targets.neuron.toolchain.words",
    "targets.cpu_parts": "targets.cpu.batch_parts",
    "targets.cpu_slower": "targets.cpu.slower",
    "targets.hlo_program": "targets.neuron.hlo_program",
    "targets.inf1": "targets.neuron.inf1",
    "targets.inf1_operators": "targets.neuron.inf1_operators",
    "targets.neuronx": "targets.neuron.neuronx",
    "targets.openvino_fixed": "targets.cpu.constant_overwrite",
    "targets.openvino_ir": "targets.cpu.ir",
    "targets.openvino_parts": "targets.cpu.separable",
    "targets.openvino_products": "targets.cpu.dense_layers",
}
"""Each old name with today's, both below gluon_neuron. Where another module has the old name today, it has no row."""


# Neither derives from importlib.abc, whose own import two threads can make wait for ever on Python 3.11.
class _Finder:
    """Answers for old names alone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != _PACKAGE or name not in MOVED:
            return None
        return ModuleSpec(fullname, _SameModule(f"{_PACKAGE}.{MOVED[name]}"))  # type: ignore[arg-type]


class _SameModule:
    """Gives the module of another name: the very object, so that each class exists once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It has run under its own name; the import system has just given it the old one's spec.
        module.__spec__ = self._spec


def install() -> None:
    """Let old names be imported. Ours is asked first: a moved folder's own path would load its modules twice."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
