"""Small fitted models of all kinds to stream through, and what to compare their streams with."""

from functools import cache

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor

N_FEATURES = 3
KINDS = [
    "one output",
    "two outputs",
    "counts",
    "quantiles",
    "two outputs' quantiles",
    "gaussian",
    "two gaussians",
    "classes",
    "labels",
]
LOSSES = {
    "counts": {"loss": "poisson"},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.6, 0.9]},
    "two outputs' quantiles": {"loss": "quantile", "quantile": [0.2, 0.5, 0.8]},
    "gaussian": {"loss": "gaussian"},
    "two gaussians": {"loss": "gaussian"},
}
POOLINGS = ["last", "mean", ("max", "last"), ("last", "mean", "max")]
METHODS = ["predict", "predict_proba", "predict_log_proba"]
SMALL = {
    "hidden_size": 4,
    "learning_rate_init": 0.05,
    "max_iter": 3,
    "tol": 1e9,
    "random_state": 0,
}


def targets(kind, X, per_step):
    """Targets of one of KINDS, one per sequence or per timestep."""
    rng = np.random.default_rng(2)
    if kind == "labels":
        return rng.integers(0, 2, (len(X), 3))

    def draw(shape):
        if kind == "counts":
            return rng.poisson(3, shape)
        if kind == "classes":
            return rng.choice(["few", "many", "none"], shape)
        return rng.normal(5, 3, (*shape, 2) if kind.startswith("two") else shape)

    if per_step:
        return [draw((len(x),)) for x in X]
    return draw((len(X),))


@cache
def fitted(kind="one output", dtype=np.float64, per_step=False, **options):
    """A model fitted to sequences of three features, far from zero and on several scales."""
    X = [x * [1, 10, 0.1] + [0, 100, 5] for x in ragged(9, N_FEATURES, seed=1)]
    X = [x.astype(dtype) for x in X]
    y = targets(kind, X, per_step)
    Estimator = RNNClassifier if kind in ("classes", "labels") else RNNRegressor
    options = SMALL | options | LOSSES.get(kind, {})
    return Estimator(return_sequences=per_step, **options).fit(X, y)


def sequences(n, n_timesteps, dtype=np.float64, seed=3):
    """An array (n, n_timesteps, 3) like the sequences that `fitted` fits to."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_timesteps, N_FEATURES)) * [1, 10, 0.1] + [0, 100, 5]
    return X.astype(dtype)


def assert_equal(actual, expected, atol=1e-12):
    """Equal but for rounding; labels simply equal."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if actual.dtype.kind != "f":
        assert_array_equal(actual, expected)
    else:
        if actual.dtype == np.float32:
            atol = 1e-4
        assert_allclose(actual, expected, rtol=atol, atol=atol)


def assert_same_state(actual, expected):
    assert actual.keys() == expected.keys()
    for name in expected:
        assert_array_equal(actual[name], expected[name], err_msg=name)
