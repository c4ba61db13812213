"""Pictures: those that are cut off are refused, and those that were taken sideways are turned."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from gluon_neuron.errors import InputError
from gluon_neuron.preprocessing import Preprocessing
from gluon_neuron.serve.encoded import is_complete, orientation
from gluon_neuron.serve.picture import prepared
from tests.serve.pictures import jpegs

PLAIN = Preprocessing(resize=1, mean=(0, 0, 0), std=(1, 1, 1))


def encoded(kind="JPEG", turned=None, **how):
    # Another in each of the eight ways to turn it.
    y, x = np.mgrid[:40, :40]
    image = Image.fromarray(np.stack([4 * x, 6 * y, 2 * x + y], -1).astype(np.uint8))
    exif = Image.Exif()
    if turned is not None:
        exif[0x112] = turned
    file = io.BytesIO()
    image.save(file, kind, exif=exif, **how)
    return file.getvalue()


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_picture_is_turned_as_exif_says(turned):
    body = encoded(turned=turned, quality=95, subsampling=0)
    assert orientation(body) == turned
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(body)))
    expected = np.asarray(upright, np.float32).transpose(2, 0, 1) / 255
    found = prepared(body, (1, 3, upright.height, upright.width), PLAIN, "float32")
    assert np.abs(found - expected).max() < 0.02


def test_what_exif_does_not_say():
    assert orientation(encoded()) == orientation(encoded(turned=0)) == orientation(encoded(turned=9)) == 1
    assert orientation(encoded("PNG")) == orientation(b"\xff\xd8\xff\xe1\x00\x0aExif\0\0II") == 1


@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"kind": "PNG"}], ids=["JPEG", "progressive", "PNG"])
def test_a_picture_that_is_cut_off_is_refused(how):
    body = encoded(**how)
    assert is_complete(body) and is_complete(body + b"more")
    assert prepared(body, (1, 3, 40, 40), PLAIN, "float32").shape == (3, 40, 40)
    for end in (len(body) // 2, len(body) * 9 // 10, len(body) - 2):
        # Of other files than plain JPEGs, MXNet may decode nothing then.
        with pytest.raises(InputError, match="cut off|can be decoded" if how else "cut off"):
            prepared(body[:end], (1, 3, 40, 40), PLAIN, "float32")


def test_the_end_of_a_preview_inside_is_not_the_end():
    preview = encoded()
    body = encoded()
    inside = b"\xff\xe1" + (2 + 6 + len(preview)).to_bytes(2, "big") + b"Exif\0\0" + preview
    whole = body[:2] + inside + body[2:]
    assert is_complete(whole) and not is_complete(whole[:-100])


def test_photographs_are_complete():
    assert all(is_complete(body) and not is_complete(body[:-1000]) for body in jpegs())
