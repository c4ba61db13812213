"""A model's inputs from files that a command line names: .npy, .npz, .json, and images."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, nearest
from ..graph.spec import Spec
from ..preprocessing import Preprocessing
from ..serve.picture import prepared
from .answer import plain
from .ending import WrongLine

Array = np.ndarray[Any, Any]

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")


def _said(before: Preprocessing, height: int, width: int) -> str:
    """What is done to an image, in words."""
    short = before.short_side(height, width)
    mean, std = (", ".join(f"{v:g}" for v in three) for three in (before.mean, before.std))
    return (
        f"turned as its Exif says, shorter side resized to {short}, the middle {height} x {width} cropped, "
        f"red, green and blue as 0..1, less {mean}, divided by {std}"
    )


def read(
    words: Sequence[str], names: Sequence[str], specs: Mapping[str, Spec], before: Preprocessing
) -> tuple[dict[str, Array], list[str]]:
    """The arrays by input, and what was done to make them, in sentences.

    A word is a file, or NAME=FILE; several images for one input are a batch. Raises InputError, which says what a file
    lacks, and OSError.
    """
    found: dict[str, Array] = {}
    pictures: dict[str, list[Path]] = {}
    for word in words:
        name, path = _named(word, names)
        if path.suffix.lower() in IMAGES:
            pictures.setdefault(_only(name, names, path), []).append(path)
            continue
        for key, array in _arrays(path, name, names).items():
            if key in found:
                raise InputError(f"The input {key!r} is given twice, the second time by {path}.")
            found[key] = array
    notes = []
    for name, paths in pictures.items():
        if name in found:
            raise InputError(f"The input {name!r} is given twice, the second time by {paths[0]}.")
        spec = specs.get(name)
        if spec is None or not before.takes(spec.shape):
            places = ", ".join({"N": "batch", "C": "3", "H": "height", "W": "width"}[a] for a in before.layout)
            example = "1,3,224,224" if before.layout == "NCHW" else "1,224,224,3"
            raise InputError(
                f"Images are for an input of shape ({places}), and that of {name!r} is "
                f"{spec.shape if spec else 'not known'}. Say it, as in --shape {name}:{example}."
            )
        height, width = before.crop(spec.shape)
        if before.resize is not None and before.resize < max(height, width):
            raise WrongLine(
                f"--resize {before.resize} would leave less than the {max(height, width)} pixels of the longer "
                "side that is cropped; give as many or more."
            )
        found[name] = np.stack([prepared(p.read_bytes(), spec.shape, before, spec.dtype, f"{p} is") for p in paths])
        notes.append(f"{name}, {len(paths)} image{'s' if len(paths) > 1 else ''}: {_said(before, height, width)}.")
    return found, notes


def _named(word: str, names: Sequence[str]) -> tuple[str | None, Path]:
    name, mark, rest = word.partition("=")
    # A file's own name may have the sign.
    if not mark or Path(word).exists() and name not in names:
        return None, Path(word)
    if name not in names:
        raise InputError(f"{word}: there is no input {name!r}.{nearest(name, names)} They are {', '.join(names)}.")
    return name, Path(rest)


def paths_of(words: Sequence[str], names: Sequence[str]) -> list[Path]:
    """The files that `read` reads. Raises InputError as it does."""
    return [_named(word, names)[1] for word in words]


def _only(name: str | None, names: Sequence[str], path: Path) -> str:
    if name is None and len(names) != 1:
        raise InputError(f"{path}: say for which input, as in {names[0]}={path}; they are {', '.join(names)}.")
    return name or names[0]


def _arrays(path: Path, name: str | None, names: Sequence[str]) -> dict[str, Array]:
    kind = path.suffix.lower()
    if kind == ".npy":
        return {_only(name, names, path): _load(path)}
    if kind == ".npz":
        return _placed(_load(path), name, names, path)
    if kind == ".json":
        return _json(path, name, names)
    raise InputError(f"{path} is none of .npy, .npz, .json, and no image ({', '.join(IMAGES)}).")


def _load(path: Path) -> Any:
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise InputError(f"{path} is empty: it has no bytes.")
        try:
            loaded = np.load(file, allow_pickle=False)
            return loaded if isinstance(loaded, np.ndarray) else {n: loaded[n] for n in loaded.files}
        except (ValueError, EOFError, KeyError, zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{path} is no readable file of NumPy's arrays of numbers: {error}.") from error


def _json(path: Path, name: str | None, names: Sequence[str]) -> dict[str, Array]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    if isinstance(raw, dict):
        return _placed({n: _numbers(v, path) for n, v in raw.items()}, name, names, path)
    return {_only(name, names, path): _numbers(raw, path)}


def _numbers(value: Any, path: Path) -> Array:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what older NumPys say of rows that are not of one length
            array = np.asarray(value)
    except ValueError:
        array = None
    if array is None or array.dtype.kind not in "biuf":
        raise InputError(f"{path} must hold nested lists of numbers, with rows of one length.")
    return array


def _placed(arrays: Any, name: str | None, names: Sequence[str], path: Path) -> dict[str, Array]:
    if not isinstance(arrays, dict):
        return {_only(name, names, path): arrays}
    # Where one array is meant for one input, its name says nothing.
    if len(arrays) == 1 and (name is not None or len(names) == 1):
        return {name or names[0]: next(iter(arrays.values()))}
    if name is not None:
        raise InputError(f"{path} holds {len(arrays)} arrays, and {name!r} is one input; give the file without a name.")
    for key in arrays:
        if key not in names:
            raise InputError(
                f"{path} holds an array {key!r}, and there is no such input.{nearest(key, names)} "
                f"They are {', '.join(names)}."
            )
    return arrays


def write(path: Path, outputs: Mapping[str, Array]) -> None:
    """Write the arrays as the file's ending says: .npz and .json by their names, .npy a single one.

    What is there stays until the new file is complete. Raises InputError for several arrays in a .npy, and OSError.
    """
    from ..stitch.in_place import put

    _check_count(path, len(outputs))
    put([(path, lambda place: _save(place, path, outputs))])


ENDINGS = (".npz", ".npy", ".json")
"""Of the files that `write` writes."""


def check_output(path: Path, endings: Sequence[str] = ENDINGS, sources: Iterable[Path] = ()) -> None:
    """Raise InputError where no such file could be written, or it is one of those that are read."""
    if path.suffix.lower() not in endings:
        *most, last = endings
        raise InputError(f"{path} must end with {', '.join(most)}{' or ' if most else ''}{last}.")
    if not path.parent.is_dir():
        raise InputError(f"There is no directory {path.parent}, in which {path.name} is to be written.")
    for source in sources:
        if path.exists() and source.exists() and path.samefile(source):
            raise InputError(f"{path} is one of the files that are read; give another name.")


def _check_count(path: Path, count: int) -> None:
    kind = path.suffix.lower()
    if kind == ".npy" and count != 1:
        raise InputError(f"A file .npy holds one array, and there are {count} outputs: name it .npz.")


def _save(place: Path, path: Path, outputs: Mapping[str, Array]) -> None:
    kind = path.suffix.lower()
    with place.open("wb") as file:
        if kind == ".npz":
            # As np.savez, which takes no array by the name of its own parameter, "file".
            with zipfile.ZipFile(file, "w") as archive:
                for name, array in outputs.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)
        elif kind == ".npy":
            np.save(file, next(iter(outputs.values())))
        else:
            file.write(json.dumps(plain(outputs), allow_nan=False).encode())
