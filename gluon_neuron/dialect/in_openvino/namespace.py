"""OpenVINONamespace: builds an OpenVINO model from a rule; OpenVINO is imported when a namespace is created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from ...errors import DialectError
from ..base import Namespace
from ..core import shape_of
from ..dtypes import check_dtype
from ..strict_array import Array
from . import elementwise, nn, recurrent, shape
from .builder import DTYPES, Builder

KERNELS = {
    **elementwise.KERNELS,
    **shape.KERNELS,
    **nn.KERNELS,
    **recurrent.KERNELS,
}


class OpenVINONamespace(Namespace):
    """One model under construction. `parameters` holds the Parameter nodes by name, in the order of their creation.

    What OpenVINO's CPU computes otherwise than the language promises, without an error: int64 as int32, float64 as
    float32, 8-bit integers saturate, float16 is not rounded between operations; int32 divisions, reductions
    and clip are exact up to 2**24 only; a NaN may be lost. A target refuses the dtypes concerned.

    With `halves` a parameter of int64 is one of int32 with another last axis, the lower and the upper half of each
    number, and is named in `halved`. It can then become int32, by `astype` or `narrow`, and nothing else.
    """

    def __init__(self, any_shape: bool = False, halves: bool = False) -> None:
        self.any_shape = any_shape
        self._builder = Builder()
        self._builder.any_shape = any_shape
        self._halves = halves
        self.parameters: dict[str, Any] = {}
        self.halved: set[str] = set()

    @property
    def exact(self) -> frozenset[str]:
        """The friendly names of the nodes of exact products."""
        return frozenset(self._builder.exact)

    def parameter(self, name: str, shape: tuple[int, ...], dtype: str) -> Array:
        """A Parameter node; raises DialectError when the name is there already."""
        if name in self.parameters:
            raise DialectError(f"There is a parameter {name!r} already.")
        shape = shape_of(shape)
        held, kind = [*shape], check_dtype(dtype)
        if self._halves and dtype == "int64":
            held, kind = [*shape, 2], "int32"
            self.halved.add(name)
        with self._builder.scope(name):
            node = self._builder.parameter(held, self._builder.type(kind))
        node.output(0).set_names({name})
        self.parameters[name] = node
        return Array(self, node.output(0), shape, dtype, False)

    def scope(self, name: str) -> AbstractContextManager[None]:
        """Nodes built inside carry the friendly names `name`, `name/1`, ..."""
        return self._builder.scope(name)

    def model(self, outputs: Sequence[Array], parameters: Sequence[str] | None = None) -> Any:
        """The `openvino.Model` with one Result per output, in order, and the named parameters as its inputs, in order.

        Without `parameters` all are taken, in the order of their creation. Unused ones stay inputs. Raises
        DialectError for a parameter that does not exist or is named twice, or when one that is needed is left out.
        """
        nodes = self.parameters
        names = list(nodes) if parameters is None else list(parameters)
        unknown = [n for n in names if n not in nodes]
        if unknown or len(set(names)) != len(names):
            raise DialectError(
                f"model(): {unknown or names} are not parameters, or not distinct; there are {list(nodes)}."
            )
        results = []
        for k, array in enumerate(outputs):
            with self._builder.scope(f"output{k}"):
                results.append(self._builder.result(self._raw(self._check("model", array))))
        try:
            return self._builder.ov.Model(results, [nodes[n] for n in names], "gluon_neuron")
        except RuntimeError as error:
            raise DialectError(f"model(): the parameters {names} are not enough: {_reason(error)}") from error

    def _has(self, name: str) -> bool:
        return name in KERNELS

    def _raw(self, array: Array) -> Any:
        """The OpenVINO output; a known value becomes a constant only here, where it meets one that is not."""
        return self._builder.const(array.v, array.dtype).output(0) if array.known else array.v

    def _emit(self, name: str, arrays: Sequence[Array], params: tuple, dtypes: tuple[str, ...]) -> tuple[Array, ...]:
        kernels: Mapping[str, Any] = KERNELS
        if self._halves and any(a.dtype == "int64" and not a.known for a in arrays):
            kernels = elementwise.OF_HALVES if dtypes == ("int32",) else {}
            if name not in kernels:
                raise DialectError(f"{name}(): int64 numbers are known as two halves, for positions alone.")
        try:
            found = kernels[name](self._builder, *map(self._raw, arrays), *params)
        except RuntimeError as error:
            shown = ", ".join([*map(repr, arrays), *map(repr, params)])
            where = self._builder.current_scope
            raise DialectError(f"{where}: OpenVINO refuses {name}({shown}): {_reason(error)}") from error
        results = found if isinstance(found, tuple) else (found,)
        return tuple(self._wrap(name, r, d) for r, d in zip(results, dtypes, strict=True))

    def _wrap(self, name: str, result: Any, dtype: str) -> Array:
        output = result.output(0) if hasattr(result, "output") else result
        if output.get_partial_shape().is_dynamic:
            raise DialectError(f"{name}() has a shape that is only known at run time: {output.get_partial_shape()}.")
        found = DTYPES[output.get_element_type().get_type_name()]
        if found != dtype:
            raise DialectError(f"{name}() gives {found} in OpenVINO instead of {dtype}.")
        return Array(self, output, tuple(output.get_shape()), dtype, False)


def _reason(error: RuntimeError) -> str:
    """The sentence in OpenVINO's message, without the path of its source file."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[1:] or lines)[:500]
