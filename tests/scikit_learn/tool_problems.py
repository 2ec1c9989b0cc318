"""What is tried with each of scikit-learn's tools: the cases' common ground."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import get_scorer

CASES: dict[str, Callable] = {}


@dataclass
class Problem:
    """Sequences, targets for them, and networks, or what looks like them to scikit-learn."""

    X: Any
    numbers: Any
    labels: Any
    three_labels: Any
    number_pairs: Any
    label_pairs: Any
    regressor: Any
    classifier: Any
    weighted_classifier: Any
    # What a way round puts in place of a transformer, and of a final estimator of its own.
    transformer: Callable = lambda transformer: transformer
    final_estimator: Callable = lambda estimator: estimator
    transformed_target: Callable = TransformedTargetRegressor
    # From X, or what there is per timestep, to what a tool is given in its place, and back.
    to_table: Callable = lambda values: values
    from_table: Callable = lambda table: table
    importance_getter: Any = "auto"
    scoring: Any = None
    get_scorer: Callable = get_scorer
    groups: Any = None


def case(name):
    def register(function):
        CASES[name] = function
        return function

    return register


def fitted(estimator, X, y, **weights):
    return clone(estimator).fit(X, y, **weights)


def steps(X):
    """The valid timesteps of each sequence, (n_timesteps_i, n_features)."""
    sequences = [np.array(x, dtype=float).reshape(len(x), -1) for x in X]
    return [x[~np.isnan(x[:, 0])] for x in sequences]


def with_features(X, values):
    """Sequences with more features, the same at all timesteps; of a table, with more columns."""
    if is_table(X):
        return np.column_stack([X, values])
    return [
        np.column_stack([x, np.tile(value, (len(x), 1))])
        for x, value in zip(steps(X), np.reshape(values, (len(X), -1)), strict=True)
    ]


def with_one_feature(X, feature):
    if is_table(X):
        return X[:, [feature]]
    return [x[:, [feature]] for x in steps(X)]


def input_norms(network):
    """How much a network reads of each feature: the lengths of its input weights."""
    return np.linalg.norm(network.weights_["layer_0.W_xh"], axis=0)


def is_table(X):
    return isinstance(X, np.ndarray) and X.ndim == 2
