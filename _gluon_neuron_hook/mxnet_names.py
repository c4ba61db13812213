"""What MXNet 1.9 lacks on newer Pythons and NumPys, and how it gets it while it is imported.

The few modules of MXNet that read what is gone get, instead of NumPy and distutils, stand-ins that have what they read.
Nothing is set in NumPy or in `sys.modules`, no warnings filter is touched, no other module sees the stand-ins: there is
nothing to undo, and threads that import at once do not meet. Where nothing is gone (Python before 3.12, NumPy before
1.24), MXNet is imported as it is.

It is imported while MXNet's import is under way, so it imports neither MXNet nor gluon_neuron.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from types import ModuleType

import _gluon_neuron_hook as hook
from _gluon_neuron_hook import forks  # noqa: F401  # for what it registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

MXNET = "mxnet"

# Who reads names of NumPy that are gone.
READS_NUMPY = frozenset(
    f"{MXNET}.{name}"
    for name in (
        "gluon.contrib.estimator.event_handler",
        "ndarray.numpy._op",
        "numpy.fallback",
        "numpy.multiarray",
        "numpy.utils",
        "numpy_dispatch_protocol",
        "symbol.numpy._symbol",
        "test_utils",
    )
)
# Who imports distutils, which Python has until 3.11.
READS_DISTUTILS = frozenset((f"{MXNET}.numpy_dispatch_protocol", f"{MXNET}.numpy_op_fallback"))
# Who makes text of attributes, by str().
WRITES_TEXT = frozenset(
    f"{MXNET}.{name}" for name in ("_ctypes.ndarray", "_ctypes.symbol", "io.io", "kvstore.base", "symbol.symbol")
)
# What libmxnet.so for aarch64 is linked against, and its wheel does not bring.
ARM_LIBRARIES = ("libarmpl_lp64_mp.so", "libamath.so", "libastring.so")

# Who calls the method `tostring` of arrays, its own and OpenCV's.
CALLS_TOSTRING = f"{MXNET}.recordio"

_RENAMED = {
    "alltrue": "all",
    "product": "prod",
    "round_": "round",
    "sometrue": "any",
    "trapz": "trapezoid",
}
_FINANCIAL = ("mirr", "npv", "pmt", "ppmt", "pv", "rate")

_made: dict[str, ModuleType] = {}


def mend_all() -> None:
    """Mend MXNet's modules that are imported, for those that came without the finder.

    Whoever set the names in NumPy may have imported MXNet, and another finder some modules of it.
    """
    for name in (*READS_NUMPY, *WRITES_TEXT, CALLS_TOSTRING):
        if name in sys.modules:
            mend(sys.modules[name])


def mend(module: ModuleType) -> None:
    """Give a module of MXNet what it reads at run time and lacks; twice changes nothing."""
    name = module.__name__
    if name in READS_NUMPY and _numpy_version() >= (1, 24):
        import numpy

        for key, value in list(vars(module).items()):
            if value is numpy:
                setattr(module, key, numpy_of_mxnet())
    if name in WRITES_TEXT and _numpy_version() >= (2, 0):
        module.str = Text  # type: ignore[attr-defined]
    if name == CALLS_TOSTRING:
        _mend_recordio(module)


def _mend_recordio(module: ModuleType) -> None:
    import numpy

    if hasattr(numpy.ndarray, "tostring") or module.np is not numpy:
        return

    class Array(numpy.ndarray):
        """An array that has `tostring` still."""

        def tostring(self) -> bytes:
            return self.tobytes()

    def asarray(*args: Any, **kwargs: Any) -> Any:
        return numpy.asarray(*args, **kwargs).view(Array)

    def imencode(*args: Any, **kwargs: Any) -> Any:
        done, buffer = opencv.imencode(*args, **kwargs)
        return done, buffer.view(Array)

    opencv = module.cv2
    module.np = _instead_of(numpy, asarray=asarray)  # type: ignore[attr-defined]
    if opencv is not None:
        module.cv2 = _instead_of(opencv, imencode=imencode)  # type: ignore[attr-defined]


def _instead_of(module: ModuleType, **names: Any) -> ModuleType:
    made = ModuleType(module.__name__)
    made.__dict__.update(names, __getattr__=lambda name: getattr(module, name))
    return made


def execute(loader: Any, module: ModuleType) -> None:
    """Have a module of MXNet executed by its own loader, with what it reads; what is due follows MXNet's import."""
    name = module.__name__
    stand_ins = _stand_ins_for(name)
    if stand_ins:
        # The import statement looks here for `__import__`.
        module.__dict__["__builtins__"] = _builtins(stand_ins)
    if name == MXNET:
        # Some come later and look for MXNet's modules as well; pytest's does for mxnet.test_utils.
        hook.install()
        _import.begin()
        try:
            loader.exec_module(module)
        except OSError as error:
            raise _with_all_libraries(error) from None
        mend_all()
        _import.end()
    else:
        loader.exec_module(module)
        mend(module)


def _with_all_libraries(error: OSError) -> OSError:
    """The error; where it is of one of those that MXNet's wheel for Arm lacks, one that names all, not the first."""
    if not any(library in str(error) for library in ARM_LIBRARIES):
        return error
    *first, last = ARM_LIBRARIES
    return OSError(
        f"{error}. MXNet's wheel for Arm needs {', '.join(first)} and {last}, which are Arm Performance Libraries and "
        "are not in it: install them from Arm, and have LD_LIBRARY_PATH name their folder."
    )


class _Import:
    """MXNet's import, and what is to follow it.

    Without a lock: a child that is forked meanwhile would find it held for ever. What is due is taken from the list by
    whoever comes first, and each looks there after it has said how far it is.
    """

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []
        self._underway = False

    def begin(self) -> None:
        self._underway = True

    def end(self) -> None:
        self._underway = False
        self._run()

    def then(self, action: Callable[[], None]) -> None:
        self._due.append(action)
        # Where it is under way, or has failed and may be tried again, whoever imports it runs the action. To wait here
        # would be to wait for a thread that may wait for us, as the action imports what this thread is importing.
        if MXNET in sys.modules and not self._underway:
            importlib.import_module(MXNET)  # waits if it is under way and was found without our finder
            self._run()

    def _run(self) -> None:
        while self._due:
            try:
                action = self._due.pop(0)
            except IndexError:
                return
            try:
                action()
            except RuntimeError as error:
                if type(error).__name__ != "_DeadlockError":
                    raise
                # Another thread is in the midst of importing what the action needs, and waits for this one.
                import threading

                self._due.append(action)
                threading.Thread(target=self._run, name="gluon_neuron after mxnet", daemon=True).start()
                return


_import = _Import()


def after_mxnet(action: Callable[[], None]) -> None:
    """Call `action` once, right after MXNet's own import, in the thread that imports it; now if it is imported."""
    _import.then(action)


def _stand_ins_for(fullname: str) -> dict[str, ModuleType]:
    """What a module of MXNet is to get for its imports, by the names of the modules that it asks for."""
    found = {}
    if fullname in READS_DISTUTILS and sys.version_info >= (3, 12):
        found["distutils.version"] = distutils_version()
    if fullname in READS_NUMPY and _numpy_version() >= (1, 24):
        found["numpy"] = numpy_of_mxnet()
    return found


def _numpy_version() -> tuple[int, ...]:
    import numpy

    return tuple(int(part) for part in numpy.__version__.split(".")[:2])


def _builtins(stand_ins: Mapping[str, ModuleType]) -> dict[str, Any]:
    """Python's builtins, with an import statement that gives the stand-ins."""

    def __import__(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        # `import numpy.linalg` asks for numpy, too; `from numpy.linalg import ...` does not.
        asked = name if fromlist or name in stand_ins else name.partition(".")[0]
        if level or asked not in stand_ins:
            return builtins.__import__(name, globals, locals, fromlist, level)
        if name != asked:
            builtins.__import__(name)
        return stand_ins[asked]

    return {**vars(builtins), "__import__": __import__}


def numpy_of_mxnet() -> ModuleType:
    """A module that is NumPy, and has besides the names that MXNet 1.9 reads and this NumPy lacks."""
    import numpy

    made: ModuleType | None = _made.get("numpy")
    if made is None:
        made = ModuleType("numpy", "NumPy as MXNet 1.9 knows it.")
        made.__spec__ = numpy.__spec__
        made.__dict__.update(names_that_numpy_lacks())
        made.__dict__["__getattr__"] = lambda name: getattr(numpy, name)
        made.__dict__["__dir__"] = lambda: sorted({*dir(numpy), *vars(made)})
        made = _made.setdefault("numpy", made)
    return made


def names_that_numpy_lacks() -> dict[str, Any]:
    """What MXNet 1.9 reads of NumPy and this one does not have; empty before NumPy 1.24."""
    if _numpy_version() < (1, 24):
        return {}
    import numpy

    # NumPy 2 has a `bool` again, which is its scalar; MXNet means Python's.
    return {n: value for n, value in stand_ins().items() if n == "bool" or n not in vars(numpy)}


def stand_ins() -> dict[str, Any]:
    """Each name that MXNet 1.9 reads and newer NumPys have dropped, as it was; the financial ones left with 1.20."""
    inf, nan = float("inf"), float("nan")
    return {
        "bool": bool,
        "int": int,
        "PZERO": 0.0,
        "NZERO": -0.0,
        "PINF": inf,
        "NINF": -inf,
        "Inf": inf,
        "NaN": nan,
        "NAN": nan,
        "in1d": _in1d,
        "msort": _msort,
        "compat": _Compat,
        **{old: _renamed(old, new) for old, new in _RENAMED.items()},
        **{name: _removed(name) for name in _FINANCIAL},
    }


class _Compat:
    """What MXNet reads of numpy.compat."""

    basestring = str


def _renamed(old: str, new: str) -> Callable[..., Any]:
    # A function of its own: MXNet keeps its counterparts of NumPy's functions by function.
    def function(*args: Any, **kwargs: Any) -> Any:
        import numpy

        return getattr(numpy, new)(*args, **kwargs)

    function.__name__ = function.__qualname__ = old
    return function


def _removed(name: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"NumPy has no {name} since 1.20; the package numpy-financial has it.")

    function.__name__ = function.__qualname__ = name
    return function


def _in1d(ar1: Any, ar2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    import numpy

    # MXNet's own arrays too, as NumPy handed them to MXNet, which has no isin of its own.
    first, second = (a.asnumpy() if hasattr(a, "asnumpy") else numpy.asarray(a) for a in (ar1, ar2))
    found = numpy.isin(first.ravel(), second, assume_unique=assume_unique, invert=invert)
    kind = next((type(a) for a in (ar1, ar2) if hasattr(a, "asnumpy")), None)
    return found if kind is None else sys.modules[f"{MXNET}.numpy"].array(found, dtype=found.dtype)


def _msort(a: Any) -> Any:
    import numpy

    return numpy.sort(a, axis=0)


def distutils_version() -> ModuleType:
    """A stand-in for `distutils.version`: versions that are compared by their numbers."""
    made: ModuleType | None = _made.get("distutils.version")
    if made is None:
        made = ModuleType("distutils.version", "What MXNet 1.9 reads of distutils.version.")
        made.__dict__.update(LooseVersion=_Version, StrictVersion=_Version)
        made = _made.setdefault("distutils.version", made)
    return made


class _Version(tuple):
    """The numbers at a version's beginning: (1, 26, 4) of "1.26.4", (2, 6) of "2.6.dev0"."""

    def __new__(cls, text: str) -> _Version:
        numbers = []
        for part in text.split("."):
            digits = part[: len(part) - len(part.lstrip("0123456789"))]
            if digits:
                numbers.append(int(digits))
            if digits != part:
                break
        return super().__new__(cls, numbers)


def text(value: Any) -> str:
    """str(), but for NumPy's numbers within tuples and lists, which are written as NumPy 1 does: (2, 3).

    NumPy 2 writes (np.int64(2), np.int64(3)), which no operator of MXNet reads.
    """
    return _written(value) if _is_plain(value) else str(value)


def _is_plain(value: Any) -> bool:
    """Whether the value is a tuple or list that writes itself as such, as those do that are derived from them."""
    kind = type(value)
    return issubclass(kind, tuple | list) and kind.__str__ is object.__str__ and kind.__repr__ in _REPRS


_REPRS = (tuple.__repr__, list.__repr__)


def _written(value: Any) -> str:
    import numpy

    if not _is_plain(value):
        return str(value) if isinstance(value, numpy.number | numpy.bool_) else repr(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_written, value))}{',' if len(value) == 1 else ''})"
    return f"[{', '.join(map(_written, value))}]"


class _TextType(type):
    def __call__(cls, value: Any = "") -> str:
        return text(value)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, str)


class Text(metaclass=_TextType):
    """Stands for `str` in modules that make text of attributes: text() when called, and str to isinstance()."""
