"""Every error is a GluonNeuronError and a Python error that fits, survives pickling, and names what is near."""

import inspect
import pickle

import pytest

from gluon_neuron import errors
from gluon_neuron.errors import GluonNeuronError, nearest

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)]
# What a caller may catch without knowing this package.
FITS = {
    "BlockError": TypeError,
    "UninitializedError": RuntimeError,
    "InputError": ValueError,
    "OptionError": ValueError,
    "GraphError": ValueError,
    "RegistrationError": ValueError,
    "HloError": ValueError,
    "CompilerMissingError": FileNotFoundError,
    "CacheError": OSError,
    "ArtifactCorruptError": ValueError,
    "ArtifactVersionError": ValueError,
    "NativeLibraryError": ImportError,
    "EngineError": ImportError,
    "ExportError": OSError,
}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_each_derives_from_the_base_and_says_when(kind):
    assert issubclass(kind, GluonNeuronError) and kind.__doc__.strip().endswith(".")
    assert issubclass(kind, FITS.get(kind.__name__, Exception))


def test_python_errors_that_fit_are_those_of_classes():
    assert FITS.keys() <= {c.__name__ for c in CLASSES}


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("dyamic_batch", " Did you mean 'dynamic_batch'?"),
        ("target", " Did you mean 'target'?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_nearest(given, hint):
    assert nearest(given, (n for n in ("target", "dynamic_batch", "batch_sizes"))) == hint


def test_nearest_of_nothing():
    assert nearest("target", []) == ""


@pytest.mark.parametrize("kind", [c for c in CLASSES if "__init__" not in vars(c)], ids=lambda c: c.__name__)
def test_pickles(kind):
    # As a worker process hands one over.
    again = pickle.loads(pickle.dumps(kind("what was seen")))
    assert type(again) is kind and str(again) == "what was seen"


def test_a_refusal_pickles_with_its_nodes():
    error = errors.RefusedError("what was seen", {"fc": "no"})
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "what was seen" and again.nodes == {"fc": "no"}
