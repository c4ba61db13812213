"""Builder: makes OpenVINO nodes and gives each a friendly name that is unique and the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...errors import EngineError
from .importing import import_openvino

TYPES = {
    "bool": "boolean",
    "int8": "i8",
    "uint8": "u8",
    "int32": "i32",
    "int64": "i64",
    "float16": "f16",
    "bfloat16": "bf16",
    "float32": "f32",
    "float64": "f64",
}
DTYPES = {v: k for k, v in TYPES.items()}


class Builder:
    """The operators of an opset as methods, `builder.relu(x)`, and `const` for constants.

    Nodes carry the name of the scope they were built in: `name`, `name/1`, ... Constants have names of their own
    (`name/const`), so that a scope's first operator has its plain name. OpenVINO's default names count up over the
    life of the process, and would make two compilations of one model differ.
    """

    def __init__(self) -> None:
        try:
            openvino = import_openvino()
            from openvino import opset15
        except ImportError as error:
            raise EngineError(f"OpenVINO cannot be imported ({error}); install it: pip install openvino") from error
        self.ov = openvino
        self.any_shape = False
        self._opset = opset15
        self.exact: set[str] = set()
        """The names of the products that are not to be cast where products alone are."""
        self._scope = "program"
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def __getattr__(self, operator: str) -> Any:
        function = getattr(self._opset, operator)

        def make(*args: Any, **kwargs: Any) -> Any:
            node = function(*args, **kwargs)
            node.set_friendly_name(self.unique(self._scope))
            return node

        setattr(self, operator, make)
        return make

    def of_opset(self, opset: str, operator: str, inputs: list[Any], attributes: dict[str, Any]) -> Any:
        """A node of an older set of operators, by its inputs and attributes as they are in a file."""
        from openvino.utils.node_factory import NodeFactory

        node = NodeFactory(opset).create(operator, inputs, attributes)
        node.set_friendly_name(self.unique(self._scope))
        return node

    def const(self, value: Any, dtype: str = "int32") -> Any:
        """A constant node; bfloat16 is given as float32 values.

        The order matters: OpenVINO takes a float16 array that is not contiguous for an integer one.
        """
        array = np.asarray(value, dtype="float32" if dtype == "bfloat16" else dtype, order="C")
        node = self._opset.constant(array, self.type(dtype))
        node.set_friendly_name(self.unique(f"{self._scope}/const"))
        return node

    def type(self, dtype: str) -> Any:
        """OpenVINO's element type of a dtype."""
        return getattr(self.ov.Type, TYPES[dtype])

    def like(self, value: Any, x: Any) -> Any:
        """A scalar constant of the element type of the output `x`."""
        return self.const(value, DTYPES[x.get_element_type().get_type_name()])

    def unique(self, name: str) -> str:
        """`name`, or `name/1`, `name/2`, ... when it is taken."""
        found = name
        while found in self._taken:
            self._next[name] = self._next.get(name, 0) + 1
            found = f"{name}/{self._next[name]}"
        self._taken.add(found)
        return found

    @property
    def current_scope(self) -> str:
        """The name that new nodes carry."""
        return self._scope

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Name what is built inside after `name`."""
        before, self._scope = self._scope, name
        try:
            yield
        finally:
            self._scope = before
