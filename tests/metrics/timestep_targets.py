"""Sequences with targets and weights per timestep, their containers, and simple estimators."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from sequences import CONTAINERS, object_array, padded, ragged
from sklearn_rnn import RNNClassifier

N = 18
X = ragged(N, 2, longest=6)
LENGTHS = [len(x) for x in X]
rng = np.random.default_rng(1)
NUMBERS = [x[:, 0] + 0.3 * rng.standard_normal(len(x)) for x in X]
LABELS = [np.array(["no", "maybe", "yes"])[np.digitize(y, [-0.5, 0.5])] for y in NUMBERS]
BINARY = [np.where(y > 0, "yes", "no") for y in NUMBERS]
WEIGHTS = [rng.uniform(0.5, 2.0, len(x)) for x in X]
OF_SEQUENCES = rng.uniform(0.5, 2.0, N)

# How X is put, and how the targets are.
WRAPPERS = {
    **{name: (wrap, wrap) for name, wrap in CONTAINERS.items()},
    "padded array, arrays as targets": (padded, object_array),
}
SMALL = {"return_sequences": True, "hidden_size": 3, "max_iter": 3, "random_state": 0}


def fit_classifier(y=LABELS):
    return RNNClassifier(**SMALL).fit(X, y)


class OfLists(BaseEstimator):
    """Predicts from each timestep by itself; returns lists, whatever X is."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        if isinstance(self, ClassifierMixin):
            self.classes_ = np.unique(np.concatenate(list(y)))
        self.fitted_ = True
        return self

    def _values(self, X):
        return [np.asarray(x)[~np.isnan(x[:, 0]), 0] + self.shift for x in X]


class RegressorOfLists(RegressorMixin, OfLists):
    def predict(self, X):
        return self._values(X)


class ClassifierOfLists(ClassifierMixin, OfLists):
    def decision_function(self, X):
        return self._values(X)

    def predict(self, X):
        return [self.classes_[(x > 0).astype(int)] for x in self._values(X)]


def predicted_numbers(shift=0.0):
    """What `RegressorOfLists` predicts for X."""
    return [x[:, 0] + shift for x in X]
