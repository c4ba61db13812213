"""get_model: builds a network by its name, gives it weights, and compiles it."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import mxnet as mx
from mxnet.gluon.model_zoo import vision

from .. import api
from ..block import NeuronHybridBlock
from ..errors import OptionError, nearest
from ..option_keywords import CompileKeywords, shows_options
from ..preprocessing import Preprocessing
from .catalog import VISION, gluoncv_models, image_size_of, names, preprocessing_of, why_no_gluoncv
from .gluoncv_names import GLUONCV
from .pretrained import load_file, root, with_store
from .weights import ScaledNormal

if TYPE_CHECKING:
    from typing_extensions import Unpack


@shows_options
def get_model(
    name: str,
    *,
    batch_size: int = 1,
    image_size: int | tuple[int, int] | None = None,
    pretrained: bool | str | os.PathLike[str] = False,
    ctx: mx.Context | None = None,
    model_options: Mapping[str, Any] | None = None,
    classes: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    **options: Unpack[CompileKeywords],
) -> NeuronHybridBlock:
    """A compiled model of Gluon's vision zoo or of GluonCV.

    It takes float32 images of shape `(batch_size, 3, height, width)`; `image_size` is one length for both, or
    `(height, width)`, and what the model was made for if not given (299 for inceptionv3, 224 for most). Weights are
    random unless `pretrained=True`, which downloads them through MXNet's zoo, or `pretrained=PATH`, a file that
    `save_parameters` wrote. `classes` and `preprocessing` are as in `compile`; without the latter a net of Gluon's zoo
    says how that zoo prepares images. `model_options` go to the network's
    constructor, for example `{"classes": 10}`; all other `options` are those of `gluon_neuron.compile`.

    Raises OptionError, with the nearest valid name, for an unknown name or option, and for a model of GluonCV's where
    that is not installed; WeightsError where the weights are not there or do not fit, which says where MXNet looked;
    and what `compile` raises.
    """
    height, width = _size(name, image_size)
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise OptionError(f"Option batch_size must be a positive integer, not {batch_size!r}.")
    network = get_network(name, pretrained=pretrained, ctx=ctx, model_options=model_options)
    before = preprocessing_of(name) if preprocessing is None else preprocessing
    sample = mx.nd.zeros((batch_size, 3, height, width), ctx=ctx)
    made: NeuronHybridBlock = api.compile(network, sample, classes=classes, preprocessing=before, **options)
    return made


def get_network(
    name: str,
    *,
    pretrained: bool | str | os.PathLike[str] = False,
    ctx: mx.Context | None = None,
    model_options: Mapping[str, Any] | None = None,
) -> mx.gluon.HybridBlock:
    """The same model before it is compiled, with weights. Raises OptionError and WeightsError as `get_model` does."""
    if not isinstance(pretrained, bool | str | os.PathLike):
        raise OptionError(f"pretrained must be True, False or the path of a weights file, not {pretrained!r}.")
    wanted = name.lower() if isinstance(name, str) else name
    given = dict(model_options or {})
    where = ctx or mx.cpu()
    download = pretrained is True
    make: Callable[..., Any]
    store: Any
    if wanted in VISION:
        # Without it MXNet takes what MXNET_HOME was when it was imported.
        place = {"root": str(root())} if download else {}
        make, store = functools.partial(vision.get_model, wanted, **place), mx.gluon.model_zoo.model_store
    else:
        found = gluoncv_models().get(wanted)
        if found is None:
            raise OptionError(_unknown(name))
        from gluoncv.model_zoo import model_store

        make, store = found, model_store
        if not download and "pretrained_base" in inspect.signature(make).parameters:
            given.setdefault("pretrained_base", False)
    if download:
        return with_store(lambda: make(pretrained=True, ctx=where, **given), wanted, store)
    network = make(pretrained=False, ctx=where, **given)
    if isinstance(pretrained, bool):
        network.initialize(ScaledNormal(), ctx=ctx, force_reinit=True)
    else:
        load_file(network, pretrained, where, wanted)
    return network


def _size(name: str, given: int | tuple[int, int] | None) -> tuple[int, int]:
    if given is None:
        return image_size_of(str(name))
    size = (given, given) if isinstance(given, int) else tuple(given)
    if len(size) != 2 or not all(isinstance(s, int) and s > 0 for s in size):
        raise OptionError(f"Option image_size must be a positive integer or (height, width), not {given!r}.")
    return size[0], size[1]


def _unknown(name: object) -> str:
    known = names()
    if str(name).lower() in GLUONCV and (why := why_no_gluoncv()):
        return f"{name} is a model of GluonCV's. {why}"
    told = (f"There is no model {name!r}.{nearest(str(name).lower(), known)}", "model_zoo.names() lists all.")
    return " ".join((*told, why_no_gluoncv())).rstrip()
