"""Data whose targets depend on one feature at one timestep, and estimators that know it."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

FEATURE, TIMESTEP = 2, 1  # where the targets come from


def planted(seed, *, n=80, ragged=False, n_features=3):
    """Return X, a list if it is ragged, and y: the value at FEATURE and TIMESTEP, with noise."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(TIMESTEP + 1, 7, size=n) if ragged else np.full(n, 5)
    X = [rng.standard_normal((length, n_features)) for length in lengths]
    y = np.array([x[TIMESTEP, FEATURE] for x in X]) + 0.1 * rng.standard_normal(n)
    return (X if ragged else np.stack(X)), y


class Picker(RegressorMixin, BaseEstimator):
    """Predicts the value at FEATURE and TIMESTEP, and keeps every X that it was given."""

    def __init__(self, feature=FEATURE, timestep=TIMESTEP):
        self.feature = feature
        self.timestep = timestep
        self.seen = []

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        self.seen.append(X)
        if hasattr(X, "columns"):
            X = X.to_numpy()
        sequences = [np.asarray(x).reshape(len(x), -1) for x in X]
        return np.array([float(x[self.timestep, self.feature]) for x in sequences])


class Signs(ClassifierMixin, BaseEstimator):
    """Labels every timestep by the sign of FEATURE; predictions are a list."""

    classes_ = np.array(["minus", "plus"])

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return [np.where(np.asarray(x)[:, FEATURE] > 0, "plus", "minus") for x in X]
