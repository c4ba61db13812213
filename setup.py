"""Builds the native operator against the headers of the mxnet and openvino wheels; the metadata is in setup.cfg."""

import importlib.util
import os
import re
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, PlatformError

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent
NATIVE = "gluon_neuron/runtime/native"
LIBRARY = "gluon_neuron.runtime.libgluon_neuron"

COMPILE_ARGS = ["-std=c++17", "-O2", "-g0", "-Wall", "-Wextra", "-Wno-unused-parameter"]

# How the mxnet wheel was built, as far as its headers ask; what is off here would need headers that it lacks.
MXNET_BUILD = {
    "MXNET_USE_MKLDNN": "1",
    "MSHADOW_USE_CBLAS": "0",
    "MSHADOW_USE_MKL": "0",
    "MSHADOW_USE_CUDA": "0",
    "MSHADOW_STAND_ALONE": "1",
}


def package_folder(name):
    """Where a package is installed; it is not imported, which for mxnet takes seconds."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise PlatformError(f"{name} is not installed: its headers are needed to build gluon_neuron's native operator.")
    return Path(spec.submodule_search_locations[0])


def version():
    """The version, read from its file without importing the package."""
    return re.search(r'__version__ = "(.+)"', (ROOT / "gluon_neuron/_version.py").read_text()).group(1)


class BuildNative(build_ext):
    """Builds a plain shared library: no Python in its name, no Python headers on its command line."""

    def get_ext_filename(self, fullname):
        """The library's file, the same for every Python."""
        return os.path.join(*fullname.split(".")) + ".so"

    def build_extension(self, ext):
        """Add what is known only now, and compile."""
        compiler = self.compiler.compiler_cxx[0] if self.compiler.compiler_cxx else "g++"
        if shutil.which(compiler) is None:
            raise CompileError(
                f"A C++ compiler (g++) is needed to build gluon_neuron's native operator; {compiler!r} is missing."
            )
        self.compiler.include_dirs = []
        mxnet, openvino = (package_folder(name) / "include" for name in ("mxnet", "openvino"))
        # As the system's: their warnings are not ours.
        system = [flag for folder in (mxnet, mxnet / "mkldnn", openvino) for flag in ("-isystem", str(folder))]
        ext.extra_compile_args = [*COMPILE_ARGS, *system]
        ext.define_macros = [("GLUON_NEURON_VERSION", f'"{version()}"'), *MXNET_BUILD.items()]
        super().build_extension(ext)


class PlatformWheel(bdist_wheel):
    """A wheel for one platform and every Python 3."""

    def get_tag(self):
        """The tag: the library does not touch Python's ABI."""
        return "py3", "none", super().get_tag()[2]


native = Extension(
    LIBRARY,
    sources=sorted(str(p.relative_to(ROOT)) for p in (ROOT / NATIVE).glob("*.cc")),
    depends=sorted(str(p.relative_to(ROOT)) for s in ("*.h", "*.map") for p in (ROOT / NATIVE).glob(s)),
    # The C++ library inside, hidden by the version script: what is built here runs where libstdc++ is older. Its parts
    # that nothing calls would need glibc 2.36, and a libgcc inside glibc 2.35.
    extra_link_args=[
        *("-s", "-static-libstdc++", "-Wl,--gc-sections"),
        f"-Wl,--version-script={ROOT / NATIVE}/exports.map",
    ],
    libraries=["dl"],
    language="c++",
)

setup(ext_modules=[native], cmdclass={"build_ext": BuildNative, "bdist_wheel": PlatformWheel})
