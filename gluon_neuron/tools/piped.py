"""For what a command prints: whoever reads it may stop, as `head` does, and that is no error."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any


def piped(main: Callable[..., int]) -> Callable[..., int]:
    """A command's `main` that ends with status 0, and without a word, once nobody reads what it prints."""

    @functools.wraps(main)
    def run(*args: Any, **kwargs: Any) -> int:
        try:
            try:
                return main(*args, **kwargs)
            finally:
                sys.stdout.flush()  # here, and not when Python ends, which would complain
        except BrokenPipeError:
            # What is left in the buffer has to go somewhere.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
            return 0

    return run
