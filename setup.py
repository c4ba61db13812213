"""Builds the native operator by CMake against the headers of two packages; the metadata is in setup.cfg."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, PlatformError

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent
LIBRARY = "gluon_neuron.engine.libgluon_neuron"

sys.path.insert(0, str(ROOT / "build_backend"))
from description import long_description  # noqa: E402
from headers import MXNET, OPENVINO, HeadersError, package_folder  # noqa: E402


def tool(name, folder):
    """A build tool: that of the package of its name, whose attribute `folder` says where it is, or the system's."""
    if importlib.util.find_spec(name) is not None:
        found = Path(getattr(importlib.import_module(name), folder, ""), name)
        if found.is_file():
            return str(found)
    found = shutil.which(name)
    if found is None:
        raise PlatformError(f"{name} is needed to build gluon_neuron's native operator: pip install {name}.")
    return found


class BuildNative(build_ext):
    """Builds a plain shared library: no Python in its name, no Python headers on its command line."""

    def get_ext_filename(self, fullname):
        """The library's file, the same for every Python."""
        return os.path.join(*fullname.split(".")) + ".so"

    def build_extension(self, ext):
        """Configure, build in a folder that CMake may use again, and put the library where setuptools expects it."""
        environment = {**os.environ, "CXX": os.environ.get("CXX") or "g++"}
        compiler = environment["CXX"].split()[0]
        if shutil.which(compiler) is None:
            raise CompileError(
                f"A C++ compiler (g++) is needed to build gluon_neuron's native operator; {compiler!r} is missing."
            )
        cmake = tool("cmake", "CMAKE_BIN_DIR")
        folder = Path(self.build_temp, "native").resolve()
        try:
            packages = {p.variable: package_folder(p, ROOT / "build" / "headers") for p in (MXNET, OPENVINO)}
        except HeadersError as error:
            raise SystemExit(str(error)) from None
        settings = {
            **packages,
            "CMAKE_BUILD_TYPE": "Release",
            "CMAKE_MAKE_PROGRAM": tool("ninja", "BIN_DIR"),
            "BUILD_TESTING": "OFF",
        }
        configure = [cmake, "-S", str(ROOT), "-B", str(folder), "-G", "Ninja"]
        try:
            subprocess.run([*configure, *(f"-D{k}={v}" for k, v in settings.items())], check=True, env=environment)
            subprocess.run([cmake, "--build", str(folder), "--target", "gluon_neuron"], check=True, env=environment)
        except subprocess.CalledProcessError as error:
            raise CompileError(f"gluon_neuron's native operator could not be built: {error}") from error
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not over the old file: a process that runs may have it mapped.
        new = target.with_suffix(".new")
        shutil.copyfile(folder / "libgluon_neuron.so", new)
        new.chmod(0o755)
        new.replace(target)


class PlatformWheel(bdist_wheel):
    """A wheel for one platform and every Python 3."""

    def get_tag(self):
        """The tag: the library does not touch Python's ABI."""
        return "py3", "none", super().get_tag()[2]


setup(
    long_description=long_description((ROOT / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    ext_modules=[Extension(LIBRARY, sources=[])],
    cmdclass={"build_ext": BuildNative, "bdist_wheel": PlatformWheel},
)
