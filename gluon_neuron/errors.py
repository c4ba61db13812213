"""The error hierarchy: every error that gluon_neuron raises on purpose derives from GluonNeuronError; and its words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping


class GluonNeuronError(Exception):
    """Base class of all errors raised by gluon_neuron."""


class BlockError(GluonNeuronError, TypeError):
    """The object to compile is not a block or symbol that can be exported."""


class UninitializedError(GluonNeuronError, RuntimeError):
    """A parameter of the block has no value yet."""


class InputError(GluonNeuronError, ValueError):
    """Inputs do not fit the model: wrong name, count, structure, shape or dtype."""


class OptionError(GluonNeuronError, ValueError):
    """An option is unknown or has a value that is not allowed."""


class GraphError(GluonNeuronError, ValueError):
    """A symbol's JSON or one of its attributes cannot be understood."""


class DialectError(GluonNeuronError):
    """A lowering rule used the array language against its contract; a defect of the rule."""


class NotKnown(DialectError):
    """A rule asked for the value of an array that is only known at run time."""


class RegistrationError(GluonNeuronError, ValueError):
    """A lowering rule was registered wrongly, for example twice for one operator."""


class HloError(GluonNeuronError, ValueError):
    """The bytes are not an HLO module, or the module does not fit what it is to be rewritten for."""


class CompileError(GluonNeuronError):
    """A region could not be compiled."""


class RefusedError(CompileError):
    """A target refuses operators of a region; `nodes` has the sentence for each, by the node's name."""

    def __init__(self, message: str, nodes: Mapping[str, str]) -> None:
        super().__init__(message)
        self.nodes = dict(nodes)

    def __reduce__(self) -> tuple[type[RefusedError], tuple[str, dict[str, str]]]:
        return type(self), (str(self), self.nodes)


class CompilerMissingError(GluonNeuronError, FileNotFoundError):
    """A Neuron compiler is not installed, or does not start."""


class CacheError(GluonNeuronError, OSError):
    """The directory of compiled programs cannot be used."""


class ProfileError(GluonNeuronError, RuntimeError):
    """A call cannot be profiled: it runs where nothing tells how long its operators take, or another profile is
    made."""


class ArtifactError(GluonNeuronError, ValueError):
    """A compiled artifact cannot be read."""


class ArtifactCorruptError(ArtifactError):
    """A compiled artifact is damaged: truncated, altered, or not an artifact at all."""


class ArtifactMismatchError(ArtifactError):
    """A compiled artifact is not that of the node that reads it, but another's."""


class ArtifactVersionError(ArtifactError):
    """A compiled artifact was written in a newer format than this version reads."""


class NativeLibraryError(GluonNeuronError, ImportError):
    """The native operator library is missing or cannot be loaded."""


class MxnetMissingError(GluonNeuronError, ModuleNotFoundError):
    """MXNet is not installed."""

    def __init__(self, message: str = "") -> None:
        # Without --no-deps pip refuses NumPy 2 beside it, with which it works here.
        told = "MXNet 1.9 is not installed; this needs it: pip install requests && pip install --no-deps mxnet==1.9.1"
        super().__init__(message or told, name="mxnet")


class EngineError(GluonNeuronError, ImportError):
    """An engine's library (OpenVINO, libnrt) is missing or cannot be loaded."""


class ExportError(GluonNeuronError, OSError):
    """Files could not be written; what was there before is untouched."""


class WeightsError(GluonNeuronError, OSError):
    """A zoo's pretrained weights cannot be had, or a file does not hold the model's."""


class InferenceOnlyError(GluonNeuronError):
    """A gradient was asked of a compiled model."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the valid name closest to `name`, or an empty string."""
    close = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


_PLACE = re.compile(r"(?:\[\d\d:\d\d:\d\d\] )?\S+\.(?:cc|h|cu|cuh):\d+: ")
_CHECK = re.compile(r"Check failed: (?P<what>[^:\n]*?)\s*:\s*(?P<sentence>\S.*)?", re.DOTALL)
_EXTENSION = re.compile(r".*Extension Traceback:\s*\[\d+\] ", re.DOTALL)
"""What MXNet puts before an error of the native operator's own."""

_OWN_NODE = re.compile(r"Error in operator _neuron_subgraph_op\d*: ")
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:\s+File [^\n]*\n)+")


def reason(error: Exception) -> str:
    """What MXNet says in an error, without the places in its sources."""
    text = str(error).split("Stack trace:")[0].strip()
    text = _EXTENSION.sub("", text)
    text = _TRACEBACK.sub("", text).removeprefix("MXNetError: ")
    text = _OWN_NODE.sub("", _PLACE.sub("", text))
    found = _CHECK.search(text)
    if found is not None and found["sentence"]:
        text = text[: found.start()] + found["sentence"]
    return text.strip() or type(error).__name__
