"""Refusal: why an operator stays in MXNet, as one of a closed list of categories and a sentence."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Category(str, Enum):
    """The kind of a reason, and what it means. A member is equal to its word, which reports and files hold."""

    description: str

    NO_RULE = "no rule", "no lowering rule for the operator"
    NOT_FOR_INFERENCE = (
        "not for inference",
        "the operator is for training, random numbers, sparse arrays or quantized kernels",
    )
    CANNOT_BE_COMPILED = "cannot be compiled", "what the operator does cannot be compiled"
    NOT_YET = "not yet", "no lowering rule for the operator yet"
    ATTRIBUTE = "attribute", "an attribute is refused"
    DTYPE = "dtype", "a dtype is refused"
    SHAPE = "shape", "a shape is refused or unknown"
    TARGET = "target", "the target refuses"
    SLOWER = "slower", "MXNet computes the operator faster"
    EXCLUDED = "excluded", "excluded by the user"
    SMALL = "small", "the region is too small to be worth a call"
    COMPILE_FAILED = "compile failed", "the region could not be compiled"

    def __new__(cls, word: str, description: str = "") -> Category:
        member = str.__new__(cls, word)
        member._value_ = word
        member.description = description
        return member

    def __str__(self) -> str:
        return self.value


class Refusal(NamedTuple):
    """Why a node stays in MXNet."""

    category: Category
    sentence: str
