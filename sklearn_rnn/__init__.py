"""Recurrent neural networks as scikit-learn estimators."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from sklearn_rnn._version import __version__

if _TYPE_CHECKING:
    from sklearn_rnn._classifier import RNNClassifier
    from sklearn_rnn._regressor import RNNRegressor

# Imported on first use, so that `import sklearn_rnn` stays quick, and so that a worker process of
# n_jobs imports NumPy alone.
_ESTIMATORS = {
    "RNNClassifier": "sklearn_rnn._classifier",
    "RNNRegressor": "sklearn_rnn._regressor",
}
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
    if name in _ESTIMATORS:
        value = globals()[name] = getattr(_import_module(_ESTIMATORS[name]), name)
        return value
    if name in _SUBMODULES:
        return _import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
