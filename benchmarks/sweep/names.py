"""The names of all models, package by package, in an order in which every family comes early."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

PACKAGES = ("vision", "gluoncv", "gluoncv2")
"""Gluon's own vision zoo, GluonCV, and gluoncv2 (the MXNet part of imgclsmob)."""

Case = tuple[str, str]
"""A package and the name of a model in it."""

_VARIANT = re.compile(r"(?<![v\d])\d+(\.\d+)?|_w?d?\d+$")
_CLASSES = re.compile(
    r"_(cifar100?|svhn|cub|voc|coco|ade|ade20k|citys|cityscapes|custom|ucf101|hmdb51|kinetics\d+|sthsthv2|mhpv1)(?=_|$)"
)


def names_of(package: str) -> tuple[str, ...]:
    """Every name of a package's own list, in its order."""
    if package == "vision":
        from gluon_neuron.model_zoo.catalog import VISION

        return VISION
    if package == "gluoncv":
        from gluoncv.model_zoo import get_model_list

        return tuple(get_model_list())
    from gluoncv2.model_provider import _models

    return tuple(_models)


def family(name: str) -> str:
    """What models of one architecture share: the name without its sizes and without the data it was trained on."""
    return _VARIANT.sub("#", _CLASSES.sub(lambda found: "_cifar" if "cifar" in found[0] else "", name))


def in_order(cases: Sequence[Case]) -> list[Case]:
    """The first of each family, then the second of each, and so on: a walk that is cut has still seen them all."""
    seen: Counter[tuple[str, str]] = Counter()
    ranked = []
    for number, (package, name) in enumerate(cases):
        key = package, family(name)
        ranked.append((seen[key], number, (package, name)))
        seen[key] += 1
    return [case for _, _, case in sorted(ranked)]


def select(packages: Sequence[str], pattern: str | None = None, sample: int | None = None) -> list[Case]:
    """The models to walk, in order; `pattern` is that of a shell, and `sample` takes so many, always the same."""
    cases = [(p, n) for p in packages for n in names_of(p) if pattern is None or fnmatchcase(n, pattern)]
    if sample is not None:
        cases = sorted(cases, key=lambda case: zlib.crc32("/".join(case).encode()))[:sample]
    return in_order(cases)
