"""The docstrings of public classes and functions pass numpydoc's checks, as scikit-learn's do."""

import pkgutil
from importlib import import_module

import pytest

import sklearn_rnn

numpydoc = pytest.importorskip("numpydoc.validate")

# scikit-learn ignores these, too: a name in Returns, and where the text begins.
IGNORED = {"RT02", "GL01", "GL02"}
OPTIONAL = {"SA01", "ES01"}  # See Also, and more than a summary


def public_names():
    submodules = [
        module.name
        for module in pkgutil.iter_modules(sklearn_rnn.__path__, "sklearn_rnn.")
        if not module.name.startswith("sklearn_rnn._")
    ]
    for module in ("sklearn_rnn", *submodules):
        for name in getattr(import_module(module), "__all__", []):
            if callable(getattr(import_module(module), name)):
                yield f"{module}.{name}"


NAMES = sorted(public_names())


def test_the_public_names_are_found():
    assert {"sklearn_rnn.RNNClassifier", "sklearn_rnn.preprocessing.PerTimestep"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_are_numpydoc(name):
    errors = numpydoc.validate(name)["errors"]
    assert not [error for error in errors if error[0] not in IGNORED | OPTIONAL]
