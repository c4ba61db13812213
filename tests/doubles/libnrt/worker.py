"""The double's device, on a socket: loads NEFFs and computes them, HLO through XLA and a symbol through MXNet.

A client connects once for each model. It sends the length of a NEFF (uint64) and its bytes; the answer is a status
(uint32), then for 0 whether tensors are virtual, how many there are, and each one's usage, dtype, size (uint64), rank,
shape and name; else the reason. Then, for each execution: uint64 1 and the inputs' bytes; the answer is a status, and
for 0 the outputs' bytes. It unloads by closing the connection.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.doubles import neff, xla

INVALID, EXEC_BAD_INPUT = 2, 1002
DTYPES = {"float32": 0xA, "float16": 7, "int8": 2, "uint8": 3, "int32": 8, "int64": 0xC, "bool": 3}
"""The runtime's numbers. It has none for bool, which compilers turn into bytes."""

Arrays = list[np.ndarray]
_mxnet = threading.Lock()


def serve(path: str) -> None:
    """Answer clients until the standard input ends, so that no worker outlives whoever started it."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    threading.Thread(target=_accept, args=(server,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)  # threads may be inside XLA


def _accept(server: socket.socket) -> None:
    while True:
        client, _ = server.accept()
        threading.Thread(target=_serve_client, args=(client,), daemon=True).start()


def _serve_client(client: socket.socket) -> None:
    with client, client.makefile("rb") as stream:
        try:
            content = neff.unpack(_read(stream, *struct.unpack("<Q", _read(stream, 8))))
            run = _load(content)
        except EOFError:
            return
        except Exception as error:
            _refuse(client, INVALID, error)
            return
        inputs, outputs = content.info["inputs"], content.info["outputs"]
        client.sendall(struct.pack("<III", 0, content.info["target"] == "inf1", len(inputs) + len(outputs)))
        for usage, ports in enumerate((inputs, outputs)):
            for port in ports:
                client.sendall(_describe(usage, port))
        while stream.read(8):
            arrays = [_array(_read(stream, _size(p)), p) for p in inputs]
            try:
                results = run(arrays)
                answer = b"".join(_bytes(r, p) for r, p in zip(results, outputs, strict=True))
            except Exception as error:
                _refuse(client, EXEC_BAD_INPUT, error)
            else:
                client.sendall(struct.pack("<I", 0) + answer)


def _read(stream: Any, size: int) -> bytes:
    data: bytes = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _refuse(client: socket.socket, status: int, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}".encode()[:1000]
    client.sendall(struct.pack("<II", status, len(text)) + text)


def _size(port: dict[str, Any]) -> int:
    return int(np.prod(port["shape"], dtype=np.int64)) * np.dtype(port["dtype"]).itemsize


def _describe(usage: int, port: dict[str, Any]) -> bytes:
    shape, name = port["shape"], port["name"].encode()
    head = struct.pack("<IIQI", usage, DTYPES[port["dtype"]], _size(port), len(shape))
    return head + struct.pack(f"<{len(shape)}I", *shape) + struct.pack("<I", len(name)) + name


def _array(data: bytes, port: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(data, port["dtype"]).reshape(port["shape"])


def _bytes(result: Any, port: dict[str, Any]) -> bytes:
    array = np.asarray(result)
    if array.dtype != np.dtype(port["dtype"]) or list(array.shape) != list(port["shape"]):
        raise ValueError(
            f"{port['name']} came out as {array.dtype}{array.shape}, and is {port['dtype']}{port['shape']}"
        )
    return array.tobytes()


def _load(content: neff.Neff) -> Callable[[Arrays], Any]:
    framework = content.info["framework"]
    if framework == "XLA":
        return _hlo(content.files["hlo.pb"])
    if framework == "MXNET":
        return _symbol(content)
    raise ValueError(f"a NEFF made by the framework {framework!r}")


def _hlo(module: bytes) -> Callable[[Arrays], Any]:
    run = xla.loaded(module)
    # Copies: XLA asks for more alignment than a socket's bytes have.
    return lambda arrays: run([a.copy() for a in arrays])


def _symbol(content: neff.Neff) -> Callable[[Arrays], Any]:
    # One thread at a time: an executor is not made for more, and the core is locked anyway.
    with _mxnet:
        import mxnet as mx

        symbol = mx.sym.load_json(content.files["symbol.json"].decode())
        with tempfile.NamedTemporaryFile() as file:
            file.write(content.files["params"])
            file.flush()
            loaded = mx.nd.load(file.name)
        # MXNet gives an empty list for a file without arrays.
        held = {name.split(":", 1)[-1]: array for name, array in dict(loaded).items()}
        names = [p["name"] for p in content.info["inputs"]]
        for port in content.info["inputs"]:
            held[port["name"]] = mx.nd.zeros(port["shape"], dtype=port["dtype"])
        auxiliary = set(symbol.list_auxiliary_states())
        args = {n: held[n] for n in symbol.list_arguments()}
        executor = symbol.bind(mx.cpu(), args, grad_req="null", aux_states={n: held[n] for n in auxiliary})

    def run(arrays: Arrays) -> Any:
        with _mxnet:
            for name, array in zip(names, arrays, strict=True):
                held[name][:] = array
            return [o.asnumpy() for o in executor.forward(is_train=False)]

    return run


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    serve(sys.argv[1])
