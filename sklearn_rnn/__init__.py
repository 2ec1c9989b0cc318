"""Recurrent neural networks as scikit-learn estimators."""

from importlib import import_module as _import_module

from sklearn_rnn._classifier import RNNClassifier
from sklearn_rnn._regressor import RNNRegressor
from sklearn_rnn._version import __version__

# Imported on first use, as scikit-learn's own, so that `import sklearn_rnn` stays quick.
_SUBMODULES = [
    "callbacks",
    "export",
    "inspection",
    "metrics",
    "model_selection",
    "preprocessing",
    "streaming",
    "utils",
]

__all__ = ["RNNClassifier", "RNNRegressor", "__version__"]
__all__ += _SUBMODULES


def __dir__():
    return __all__


def __getattr__(name):
    if name in _SUBMODULES:
        return _import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
