"""Weights of samples and of timesteps: their forms, and what they do to losses and scores.

That two is twice and zero is absence, in every combination, is in test_weight_rules.py.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, r2_score

from fits import assert_same_fit
from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 4, "learning_rate_init": 0.02, "random_state": 0}
MODES = [
    pytest.param(Estimator, per_step, id=f"{Estimator.__name__}-{'per step' * per_step}")
    for Estimator in (RNNRegressor, RNNClassifier)
    for per_step in (False, True)
]
modes = pytest.mark.parametrize(("Estimator", "per_step"), MODES)


def data(Estimator, per_step, n=12, seed=0):
    """Ragged sequences and their targets; of two classes, both of them among the first few."""
    X = ragged(n, seed=seed)
    rng = np.random.default_rng(seed + 1)
    y = [rng.standard_normal(len(x)) if per_step else rng.standard_normal() for x in X]
    if Estimator is RNNClassifier:
        y = [np.where(part > 0, "up", "down") for part in y]
        if not per_step:
            y[:4] = ["up", "down"] * 2
    return X, y if per_step else np.array(y)


def pick(sequence, chosen):
    return sequence[chosen] if isinstance(sequence, np.ndarray) else [sequence[i] for i in chosen]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 4},
        {"batch_size": 4, "early_stopping": True, "validation_fraction": 0.3},
        {"batch_size": 4, "early_stopping": True, "validation_fraction": 0.3, "shuffle": False},
        {"batch_size": 4, "alpha": 1.0},
    ],
    ids=str,
)
@modes
def test_a_weight_of_zero_is_absence_to_the_last_bit(Estimator, per_step, options):
    X, y = data(Estimator, per_step, n=20)
    weights = np.random.default_rng(5).random(20) + 0.5
    gone = [0, 5, 6, 13, 19]
    weights[gone] = 0
    kept = np.flatnonzero(weights)
    for i in gone:  # what is absent may be anything
        X[i] = X[i] * 1e200
        if Estimator is RNNRegressor:
            y[i] = y[i] * 1e200
    without = Estimator(return_sequences=per_step, **FAST, **options)
    without.fit(pick(X, kept), pick(y, kept), weights[kept])
    model = Estimator(return_sequences=per_step, **FAST, **options).fit(X, y, weights)
    assert_same_fit(model, without)
    assert model.t_ == without.t_

    of_array = Estimator(return_sequences=per_step, **FAST, **options)
    of_array.fit(padded(X), padded(y, y[0][0]) if per_step else y, weights)
    assert_same_fit(of_array, without)
    if per_step:
        of_steps = Estimator(return_sequences=True, **FAST, **options)
        of_steps.fit(X, y, [np.full(len(x), w) for x, w in zip(X, weights, strict=True)])
        assert_same_fit(of_steps, without)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_the_target_of_a_weightless_timestep_has_no_influence(Estimator, early_stopping):
    X, y = data(Estimator, True, n=20)
    rng = np.random.default_rng(5)
    weights = [rng.integers(0, 2, len(x)) * rng.random(len(x)) for x in X]
    for w in weights:
        w[0] = 0.7
    other_y = [part.copy() for part in y]
    for part, w in zip(other_y, weights, strict=True):
        other = 1e6 if Estimator is RNNRegressor else np.where(part == "up", "down", "up")[w == 0]
        part[w == 0] = other
    assert any((part != other).any() for part, other in zip(y, other_y, strict=True))

    options = FAST | {"batch_size": 6, "early_stopping": early_stopping}
    model = Estimator(return_sequences=True, **options).fit(X, y, weights)
    other = Estimator(return_sequences=True, **options).fit(X, other_y, weights)
    assert_same_fit(model, other)
    assert model.score(X, y, weights) == model.score(X, other_y, weights)
    assert model.score(X, y) != model.score(X, other_y)
    without_weights = Estimator(return_sequences=True, **options).fit(X, y)
    assert without_weights.loss_curve_ != model.loss_curve_


def test_timesteps_without_weight_are_still_read():
    """Their targets don't count, but they are what later timesteps remember."""
    X = ragged(8)
    y = [np.arange(len(x), dtype=float) for x in X]
    weights = [np.arange(len(x)) == len(x) - 1 for x in X]
    last = RNNRegressor(return_sequences=True, alpha=0, **FAST).fit(X, y, weights)
    per_sequence = RNNRegressor(alpha=0, **FAST).fit(X, np.array([part[-1] for part in y]))
    assert_allclose(last.loss_curve_, per_sequence.loss_curve_, rtol=0, atol=1e-12)
    for name, array in per_sequence.weights_.items():
        assert_allclose(last.weights_[name], array, rtol=0, atol=1e-12)


@modes
def test_weights_that_are_all_the_same(Estimator, per_step):
    X, y = data(Estimator, per_step)
    options = FAST | {"batch_size": 5, "return_sequences": per_step}
    without = Estimator(**options, alpha=0).fit(X, y)
    assert_same_fit(Estimator(**options, alpha=0).fit(X, y, np.ones(len(X))), without)
    assert_same_fit(Estimator(**options, alpha=0).fit(X, y, np.full(len(X), 4)), without)
    other = Estimator(**options, alpha=0).fit(X, y, [0.3] * len(X))
    assert_allclose(other.loss_curve_, without.loss_curve_, rtol=1e-12)
    # The penalty is divided by the sum of the weights, as if there were that many samples.
    assert_same_fit(
        Estimator(**options, alpha=1.0).fit(X, y, np.full(len(X), 4)),
        Estimator(**options, alpha=0.25).fit(X, y),
    )


@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_forms_of_weights_per_timestep(Estimator):
    X, y = data(Estimator, True)
    per_sample = np.random.default_rng(5).random(len(X)) + 0.1
    per_step = [np.full(len(x), w) for x, w in zip(X, per_sample, strict=True)]
    model = Estimator(return_sequences=True, **FAST).fit(X, y, per_sample)
    y_array = padded(y, y[0][0])
    for X_same, y_same, weights in [
        (X, y, per_step),
        (X, y, [part.tolist() for part in per_step]),
        (X, y, padded(per_step)),
        (X, y, padded(per_step, 1e9)),
        (padded(X), y_array, padded(per_step)),
        (padded(X), y_array, per_step),
        (padded(X), y_array, list(per_sample)),
    ]:
        other = Estimator(return_sequences=True, **FAST).fit(X_same, y_same, weights)
        assert_same_fit(other, model)
        assert other.score(X_same, y_same, weights) == model.score(X, y, per_sample)


@pytest.mark.parametrize("form", ["list", "padded"])
@modes
def test_score_is_the_metric_on_flat_values(Estimator, per_step, form):
    X, y = data(Estimator, per_step, n=30)
    rng = np.random.default_rng(5)
    metric = r2_score if Estimator is RNNRegressor else accuracy_score
    model = Estimator(return_sequences=per_step, **FAST).fit(X, y)
    weights = [rng.random(len(x)) for x in X] if per_step else rng.random(len(X))
    flat = np.concatenate if per_step else np.array
    true, predicted, flat_weights = flat(y), flat(model.predict(X)), flat(weights)
    if form == "padded":
        X = padded(X)
        y, weights = (padded(y, y[0][0]), padded(weights)) if per_step else (y, weights)
    assert_allclose(model.score(X, y), metric(true, predicted), rtol=1e-12)
    weighted = metric(true, predicted, sample_weight=flat_weights)
    assert_allclose(model.score(X, y, sample_weight=weights), weighted, rtol=1e-12)
    assert abs(weighted - metric(true, predicted)) > 1e-6


@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
def test_score_of_several_outputs(per_step):
    X = ragged(20)
    y = [x[:, :2] if per_step else x[-1, :2] for x in X]
    model = RNNRegressor(return_sequences=per_step, **FAST).fit(X, y)
    flat = np.concatenate if per_step else np.array
    assert_allclose(model.score(X, y), r2_score(flat(y), flat(model.predict(X))), rtol=1e-12)


@modes
def test_the_validation_score_is_weighted(Estimator, per_step):
    X, y = data(Estimator, per_step, n=30)
    rng = np.random.default_rng(5)
    weights = [rng.random(len(x)) for x in X] if per_step else rng.random(len(X))
    model = Estimator(
        return_sequences=per_step,
        early_stopping=True,
        shuffle=False,
        validation_fraction=0.3,
        **FAST,
    ).fit(X, y, weights)
    score = model.score(X[-9:], y[-9:], weights[-9:])
    assert_allclose(model.best_validation_score_, score, rtol=1e-12)
    assert abs(score - model.score(X[-9:], y[-9:])) > 1e-6
