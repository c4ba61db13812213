"""einsum agrees with MXNet and with NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, random, refusal_of

CASES = [
    ("ij,jk->ik", (2, 3), (3, 2)),
    ("ij,jk", (2, 3), (3, 2)),
    (" i j , j k ", (2, 3), (3, 2)),
    ("ij,jk->k", (2, 3), (3, 2)),
    ("ij,kl->jl", (2, 3), (4, 5)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("i,i", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("a,b->ba", (2,), (3,)),
    ("bB,Ba", (2, 3), (3, 2)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iii->i", (3, 3, 3)),
    ("iij->ij", (3, 3, 2)),
    ("ii,ii->i", (3, 3), (3, 3)),
    ("ii,jj", (3, 3), (2, 2)),
    ("ij->ji", (2, 3)),
    ("ji", (2, 3)),
    ("ij->i", (2, 3)),
    ("i...->...", (2, 3)),
    ("ij...->ji...", (2, 3, 4)),
    ("...ij,...jk->...ik", (2, 2, 3), (1, 3, 2)),
    ("...ij,...jk->...ik", (2, 3), (4, 1, 3, 2)),
    ("...,...", (2, 3), (3,)),
    ("ij,i->ij", (2, 3), (1,)),
    ("ij,ij->ij", (1, 3), (2, 1)),
    ("i,->i", (3,), ()),
    ("i,j,k->ijk", (2,), (3,), (2,)),
    ("ij,jk,kl->li", (2, 3), (3, 4), (4, 2)),
    ("ab,ac,ad->bcd", (5, 2), (5, 3), (5, 4)),
    ("ik,kj,i->j", (2, 3), (3, 4), (2,)),
    ("bhqd,bhkd->bhqk", (1, 2, 3, 4), (1, 2, 5, 4)),
    ("nchw,oc->nohw", (2, 3, 4, 5), (6, 3)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]}-{c[1:]}")
def test_einsum(case: tuple) -> None:
    text, *shapes = case
    arrays = [np.asarray(random(*s, seed=i)) for i, s in enumerate(shapes)]
    check_op("_npi_einsum", arrays, {"num_args": len(arrays), "subscripts": text})


SIZES = dict(zip("abcd", (2, 3, 4, 5)))


@settings(max_examples=25)
@given(st.lists(st.text("abcd", min_size=1, max_size=3), min_size=1, max_size=3), st.data())
def test_any_letters(terms: list[str], data: st.DataObject) -> None:
    letters = sorted(set("".join(terms)))
    result = "".join(data.draw(st.lists(st.sampled_from(letters), unique=True)))
    arrays = [random(*(SIZES[c] for c in t), seed=i) for i, t in enumerate(terms)]
    text = ",".join(terms) + "->" + result
    check_op("_npi_einsum", arrays, {"num_args": len(arrays), "subscripts": text}, namespaces=("numpy",))


def test_integers_are_refused() -> None:
    refused = refusal_of("_npi_einsum", [np.ones((2, 2), "int32")] * 2, {"num_args": 2, "subscripts": "ij,jk"})
    assert refused and refused[0] == "dtype"
