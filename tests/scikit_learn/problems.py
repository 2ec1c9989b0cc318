"""Sequences in all containers, targets for them, and what scikit-learn's tools do, done by hand."""

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import KFold

from datasets import object_array, padded, ragged
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
        return padded(parts, fill=np.nan if parts[0].dtype.kind == "f" else -1)
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
