"""Pickles that know the version that wrote them."""

import warnings
from inspect import signature

from sklearn.exceptions import InconsistentVersionWarning

from sklearn_rnn._version import __version__


class Versioned:
    """A mixin for estimators, before `BaseEstimator`: another version warns when it unpickles."""

    def __getstate__(self):
        return {**super().__getstate__(), "_sklearn_rnn_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_sklearn_rnn_version", "unknown")
        if version != __version__:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
            state = {**_defaults_of(type(self)), **state}
        super().__setstate__(state)


def _defaults_of(kind: type) -> dict:
    """Return the defaults of an estimator's parameters: an older version may not have had some."""
    parameters = signature(kind).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}
