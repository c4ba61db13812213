"""Imports every operator family so that its rules register themselves."""

import importlib

FAMILIES = (
    "activation",
    "attention",
    "binary",
    "columns",
    "control",
    "convolution",
    "creation",
    "dense",
    "indexing",
    "normalization",
    "ordering",
    "pooling",
    "recurrent",
    "reduction",
    "scalar",
    "scatter",
    "sequence",
    "shaping",
    "slicing",
    "special",
    "unary",
    "linalg.elimination",
    "linalg.matrices",
    "linalg.triangular",
    "np_front.binary",
    "np_front.compare",
    "np_front.creation",
    "np_front.einsum",
    "np_front.indexing",
    "np_front.insert",
    "np_front.product",
    "np_front.reduction",
    "np_front.shaping",
    "np_front.unary",
    "vision.correlation",
    "vision.deformable",
    "vision.detection",
    "vision.image",
    "vision.resize",
    "vision.roi",
    "vision.roi_sensitive",
)
"""Modules of this folder, each of which registers the rules of one family of operators when it is imported."""

for _family in FAMILIES:
    importlib.import_module(f".{_family}", __package__)
