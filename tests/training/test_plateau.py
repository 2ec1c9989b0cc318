"""Training that learned nothing, or was judged by next to nothing, says so."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping

N = 60
X = ragged(N, n_features=1, seed=0)
SIGNAL = np.array([x.sum() for x in X])
NOISE = np.random.default_rng(1).standard_normal(N)
OPTIONS = {"hidden_size": 4, "random_state": 0, "batch_size": 20}
# Each epoch counts as one without improvement, so training stops at once.
HASTY = OPTIONS | {"tol": 1e9, "n_iter_no_change": 1, "learning_rate_init": 1e-9}
LEARNING = OPTIONS | {"max_iter": 300, "learning_rate_init": 0.03, "tol": 0.01}

TARGETS = {
    "regressor": (RNNRegressor, lambda y: y),
    "several outputs": (RNNRegressor, lambda y: np.column_stack([1000 * y, y - 7])),
    "quantiles": (RNNRegressor, lambda y: y),
    "gaussian": (RNNRegressor, lambda y: 1000 * y),
    "classifier": (RNNClassifier, lambda y: y > np.median(y)),
    "multilabel": (RNNClassifier, lambda y: np.column_stack([y > 0, y > 1]).astype(int)),
    "per timestep": (RNNRegressor, lambda y: [np.full(len(x), v) for x, v in zip(X, y)]),  # noqa: B905
}


LOSSES = {
    "quantiles": {"loss": "quantile", "quantile": [0.2, 0.5, 0.8]},
    "gaussian": {"loss": "gaussian"},
}


def plateaus(model, y, **arguments):
    """The warnings of a plateau."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, **arguments)
    assert all(issubclass(w.category, ConvergenceWarning) for w in caught)
    assert all(w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught if "plateau" in str(w.message)]


def model_of(kind, **options):
    Estimator, form = TARGETS[kind]
    options |= LOSSES.get(kind, {})
    return Estimator(return_sequences=kind == "per timestep", **options), form


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("kind", TARGETS)
def test_a_network_that_has_learned_nothing(kind, standardize, early_stopping):
    options = {"standardize": standardize, "early_stopping": early_stopping}
    model, form = model_of(kind, **HASTY, **options)
    (message,) = plateaus(model, form(SIGNAL))
    judge = "validation loss" if early_stopping else "loss"
    curve = model.validation_loss_curve_ if early_stopping else model.loss_curve_
    assert f"after {model.n_iter_} epochs the {judge} is {curve[0]:.4g}" in message
    assert "constant prediction" in message
    assert "learning_rate_init" in message


@pytest.mark.parametrize("learning_rate", ["cosine", "one_cycle"])
def test_a_cycle_ends_by_plan(learning_rate):
    options = LEARNING | {"learning_rate": learning_rate, "max_iter": 30}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # that of max_iter, too
        RNNRegressor(**options).fit(X, SIGNAL)
    assert len(plateaus(RNNRegressor(**options | {"learning_rate_init": 1e-9}), SIGNAL)) == 1
    with pytest.warns(ConvergenceWarning, match="lbfgs stopped at max_iter=2"):
        RNNRegressor(**options | {"solver": "lbfgs", "max_iter": 2}).fit(X, SIGNAL)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", TARGETS)
def test_a_network_that_has_learned(kind, early_stopping):
    model, form = model_of(kind, **LEARNING, early_stopping=early_stopping)
    assert plateaus(model, form(SIGNAL)) == []
    assert model.n_iter_ < 300


def test_the_constant_is_that_of_the_training_part():
    """Which predicts the validation data worse than their own mean."""
    y_val = SIGNAL + 100
    model = RNNRegressor(**HASTY, early_stopping=True)
    (message,) = plateaus(model, SIGNAL, X_val=X, y_val=y_val)
    constant = np.mean((y_val - SIGNAL.mean()) ** 2) / 2
    assert f"{constant:.4g}" in message


def test_noise_is_found_out_by_early_stopping_only():
    """Without it the network learns the noise by heart, and its loss is low."""
    options = LEARNING | {"hidden_size": 16, "tol": 1e-3}
    assert plateaus(RNNRegressor(**options), NOISE) == []
    options |= {"early_stopping": True, "validation_fraction": 0.5}
    assert len(plateaus(RNNRegressor(**options), NOISE)) == 1


@pytest.mark.parametrize("early_stopping", [False, True])
def test_targets_that_are_all_the_same_are_the_prediction(early_stopping):
    model = RNNRegressor(**HASTY, early_stopping=early_stopping, validation_fraction=0.3)
    assert plateaus(model, np.full(N, 7.3)) == []
    assert_allclose(model.predict(X), 7.3, rtol=0.2)
    model.set_params(learning_rate_init=0.01, tol=1e-6, max_iter=100)
    assert plateaus(model, np.full(N, 7.3)) == []
    assert_allclose(model.predict(X), 7.3, rtol=1e-2)


def test_a_callbacks_score_can_not_be_compared_with_a_loss():
    model = RNNRegressor(**OPTIONS, learning_rate_init=1e-9)
    model.set_callbacks(EarlyStopping("r2", tol=1e9, n_iter_no_change=1))
    assert plateaus(model, SIGNAL, X_val=X, y_val=SIGNAL) == []


def test_max_iter_is_the_only_warning_when_that_is_the_reason():
    model = RNNRegressor(**OPTIONS, max_iter=1, learning_rate_init=1e-9)
    assert plateaus(model, SIGNAL) == []
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        clone(model).fit(X, SIGNAL)


FEW = "Early stopping was judged by"


@pytest.mark.parametrize(
    ("n", "options", "warned"),
    [
        (30, {"early_stopping": True}, True),
        (40, {"early_stopping": True}, False),
        (30, {"early_stopping": True, "validation_fraction": 0.2}, False),
        (30, {"early_stopping": False}, False),
        (30, {}, False),  # "auto" holds out nothing
        (40, {"validation_fraction": 0.05}, True),
    ],
)
def test_few_samples_that_judge(n, options, warned):
    model = RNNRegressor(**LEARNING | options | {"max_iter": 5})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X[:n], SIGNAL[:n])
    assert any(str(w.message).startswith(FEW) for w in caught) == warned


def test_few_samples_given_to_judge():
    model = RNNRegressor(early_stopping=True, **LEARNING)
    with pytest.warns(ConvergenceWarning, match=f"{FEW} 3 validation targets"):
        model.fit(X[3:], SIGNAL[3:], X_val=X[:3], y_val=SIGNAL[:3])
