"""Problems for scikit-learn's tools, what to try with each, and what they do, done by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import accuracy_score, get_scorer, r2_score
from sklearn.model_selection import KFold, cross_val_predict

from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor

N = 24
SMALL = {"hidden_size": 3, "max_iter": 3, "learning_rate_init": 0.03, "random_state": 0}
FOLDS = list(KFold(3).split(np.zeros(N)))
GRID = {"cell": ["elman", "gru"], "hidden_size": [2, 4]}

SEQUENCES = ragged(N, 2, longest=5)
EQUAL_SEQUENCES = [np.resize(sequence, (4, 2)) for sequence in SEQUENCES]
CONTAINERS = {
    "array": np.array(EQUAL_SEQUENCES),
    "padded array": padded(SEQUENCES),
    "list": SEQUENCES,
    "object array": object_array(SEQUENCES),
    "table": np.array(EQUAL_SEQUENCES)[:, :, 0],
}


def in_container(name, values):
    """Values per timestep of the sequences in CONTAINERS[name], in a container like that."""
    lengths = [4] * N if name in ("array", "table") else map(len, SEQUENCES)
    parts = [np.asarray(value)[:n] for value, n in zip(values, lengths, strict=True)]
    if name in ("array", "table"):
        return np.array(parts)
    if name == "padded array":
        return padded(parts)
    return object_array(parts) if name == "object array" else parts


RNG = np.random.default_rng(1)
NUMBERS = RNG.normal(size=N)
LABELS = np.array(["no", "yes"])[np.arange(N) % 2]
THREE_LABELS = np.arange(N) % 3
STEP_NUMBERS = RNG.normal(size=(N, 5))
STEP_LABELS = RNG.integers(3, size=(N, 5))
PROBLEMS = {
    "regression": (RNNRegressor(**SMALL), lambda _: NUMBERS),
    "classification": (RNNClassifier(**SMALL), lambda _: LABELS),
    "regression per step": (
        RNNRegressor(return_sequences=True, **SMALL),
        lambda container: in_container(container, STEP_NUMBERS),
    ),
    "classification per step": (
        RNNClassifier(return_sequences=True, **SMALL),
        lambda container: in_container(container, STEP_LABELS),
    ),
}


def take(values, chosen):
    return values[chosen] if isinstance(values, np.ndarray) else [values[i] for i in chosen]


def flat(X, per_step):
    """Targets, or predictions, of all valid timesteps, one sequence after another."""
    if np.ndim(per_step[0]) == 0:
        return np.asarray(per_step)
    valid = [x[~np.isnan(x if x.ndim == 1 else x[:, 0])] for x in X]
    return np.concatenate([part[: len(x)] for part, x in zip(per_step, valid, strict=True)])


def score_by_hand(estimator, X, y):
    metric = r2_score if is_regressor(estimator) else accuracy_score
    return metric(flat(X, y), flat(X, estimator.predict(X)))


def fold_scores(estimator, X, y, folds=FOLDS):
    return [
        score_by_hand(
            clone(estimator).fit(take(X, train), take(y, train)), take(X, test), take(y, test)
        )
        for train, test in folds
    ]


def assert_same(a, b):
    """Equal to the last bit, container by container."""
    assert type(a) is type(b)
    assert len(a) == len(b)
    for part, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(part, other)


CASES: dict[str, Callable] = {}


@dataclass
class Problem:
    """Sequences, targets for them, and networks, or what looks like them to scikit-learn."""

    X: Any
    numbers: Any
    labels: Any
    three_labels: Any
    many_labels: Any  # as many as timesteps; the first timestep has all, the others not
    number_pairs: Any
    label_pairs: Any
    regressor: Any
    classifier: Any
    weighted_classifier: Any
    # What a workaround puts in place of a transformer, and of a final estimator of its own.
    transformer: Callable = lambda transformer: transformer
    final_estimator: Callable = lambda estimator: estimator
    transformed_target: Callable = TransformedTargetRegressor
    # Converts X, or values per timestep, to the form that a tool is given, and back.
    to_table: Callable = lambda values: values
    from_table: Callable = lambda table: table
    importance_getter: Any = "auto"
    scoring: Any = None
    get_scorer: Callable = get_scorer
    cross_val_predict: Callable = cross_val_predict
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
