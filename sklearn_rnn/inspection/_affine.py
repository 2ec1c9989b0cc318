"""Pipelines that scale every feature by itself, in front of a network: their slopes."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._fitted import FittedNetwork
from sklearn_rnn.preprocessing import PerTimestep

# From a fitted scaler to the slopes x'/x of its features.
SLOPES = {
    StandardScaler: lambda scaler: 1 if scaler.scale_ is None else 1 / scaler.scale_,
    RobustScaler: lambda scaler: 1 / scaler.scale_ if scaler.with_scaling else 1,
    MaxAbsScaler: lambda scaler: 1 / scaler.scale_,
    MinMaxScaler: lambda scaler: scaler.scale_,
}


class BehindScalers(NamedTuple):
    """A network with what it gets to see of X.

    network : the fitted RNNRegressor or RNNClassifier
    X : as the network gets it
    slopes : (n_features,), or a number; how much faster it changes than the user's X
    """

    network: FittedNetwork
    X: Any
    slopes: np.ndarray | float = 1.0

    @classmethod
    def of(cls, estimator, X) -> "BehindScalers":
        """Take an estimator apart; raise TypeError unless its gradient can be followed to X."""
        slopes: np.ndarray | float = 1.0
        while isinstance(estimator, Pipeline):
            check_is_fitted(estimator)
            for name, transformer in estimator.steps[:-1]:
                if not _changes_nothing(transformer):
                    slopes = slopes * _slopes(transformer, name)
                    X = transformer.transform(X)
            estimator = estimator.steps[-1][1]
        if not isinstance(estimator, FittedNetwork):
            hint = ""
            if hasattr(estimator, "best_estimator_"):
                hint = ": give its best_estimator_"
            raise TypeError(
                "The gradient is known for RNNRegressor and RNNClassifier, and for pipelines that "
                f"end with one of them; not for {type(estimator).__name__}{hint}."
            )
        check_is_fitted(estimator)
        return cls(estimator, X, slopes)


def _slopes(transformer, name: str) -> np.ndarray | float:
    """Return the slopes of a fitted step of a pipeline of sequences."""
    if not isinstance(transformer, PerTimestep):
        raise _unknown(transformer, name)
    return _slopes_of_rows(transformer.transformer_, name)


def _slopes_of_rows(transformer, name: str) -> np.ndarray | float:
    """Return the slopes of a fitted transformer of timesteps."""
    if isinstance(transformer, Pipeline):
        slopes = [_slopes_of_rows(step, inner) for inner, step in transformer.steps]
        return np.prod(np.broadcast_arrays(1.0, *slopes), axis=0)
    if _changes_nothing(transformer):
        return 1.0
    # A subclass may transform in other ways.
    if type(transformer) not in SLOPES or getattr(transformer, "clip", False):
        raise _unknown(transformer, name)
    return SLOPES[type(transformer)](transformer)


def _changes_nothing(transformer) -> bool:
    if isinstance(transformer, FunctionTransformer):
        return transformer.func is None
    return transformer is None or (isinstance(transformer, str) and transformer == "passthrough")


def _unknown(transformer, name: str) -> TypeError:
    kind = type(transformer).__name__
    clips = "(clip=True)" if type(transformer) in SLOPES else ""
    known = ", ".join(scaler.__name__ for scaler in SLOPES)
    return TypeError(
        f"The gradient can't be followed through {kind}{clips}, the pipeline's step {name!r}. It "
        f"can through PerTimestep of {known} (without clip=True), or of a pipeline of them. Or "
        f"transform X first, and give the steps behind {name!r} alone."
    )
