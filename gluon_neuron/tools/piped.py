"""For what a command prints: whoever reads it may stop, as `head` does, and that is no error."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .ending import FAILED


class ReaderGone(BaseException):
    """Nobody reads standard output any more. Libraries would handle a BrokenPipeError, each in a way of its own."""


def piped(main: Callable[..., int]) -> Callable[..., int]:
    """A command's `main` that ends with status 0, and without a word, once nobody reads what it prints.

    Where it cannot be written for another reason, a full disk, that is said, and the status is 3.
    """

    @functools.wraps(main)
    def run(*args: Any, **kwargs: Any) -> int:
        given = sys.stdout, sys.stderr
        # Closed before Python started: nothing that is opened later may take their places.
        stream = open(os.devnull, "w") if given[0] is None else given[0]  # noqa: SIM115 - open until the process ends
        sys.stdout = _Noticing(stream)
        if sys.stderr is None:
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        try:
            status = main(*args, **kwargs)
            sys.stdout.flush()  # here, and not when Python ends, which would complain
            return status
        except (ReaderGone, BrokenPipeError):
            _drop(stream)
            return 0
        except OSError as error:
            _drop(stream)
            with suppress(OSError):
                print(f"Standard output cannot be written: {error.strerror or error}.", file=sys.stderr, flush=True)
            return FAILED
        finally:
            sys.stdout, sys.stderr = given

    return run


def _drop(stream: Any) -> None:
    """What is left in the stream's buffer has to go somewhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class _Noticing:
    """A stream that raises ReaderGone where it would raise BrokenPipeError, and prints what its encoding lacks."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names need not be text

    def write(self, text: str) -> int:
        with _noticed():
            return int(self._stream.write(text))

    def writelines(self, lines: Any) -> None:
        with _noticed():
            self._stream.writelines(lines)

    def flush(self) -> None:
        with _noticed():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _noticed() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
