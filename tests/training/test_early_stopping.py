"""Early stopping: what is held out, what is judged by it, and what is kept."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor, _base

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 5, "learning_rate_init": 0.02, "random_state": 0}
X = ragged(30, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(30)


@pytest.fixture
def held_out(monkeypatch):
    """The validation data of each epoch."""
    seen = []
    original = _base.BaseRNN._validate

    def validate(self, data, network):
        seen.append(data)
        return original(self, data, network)

    monkeypatch.setattr(_base.BaseRNN, "_validate", validate)
    return seen


@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_the_weights_that_scored_best_on_the_last_samples_are_kept(Estimator, per_step):
    rng = np.random.default_rng(4)
    y = [rng.standard_normal(len(x)) if per_step else rng.standard_normal() for x in X]
    y = [part > 0 for part in y] if Estimator is RNNClassifier else y
    options = FAST | {"max_iter": 15, "learning_rate_init": 0.1, "n_iter_no_change": 20}
    model = Estimator(
        return_sequences=per_step,
        early_stopping=True,
        shuffle=False,
        validation_fraction=0.25,
        **options,
    ).fit(X, y)
    scores = model.validation_scores_
    assert len(scores) == len(model.loss_curve_) == model.n_iter_ == 15
    assert model.best_validation_score_ == max(scores)
    assert scores[-1] < max(scores), "the last epoch is the best, and the test shows nothing"
    n = 8  # a quarter of 30, rounded up
    assert_allclose(model.score(X[-n:], y[-n:]), max(scores), rtol=1e-12)
    assert model.t_ == 15 * (30 - n)

    # What was trained on is the rest: without early stopping, as many epochs give these weights.
    epochs = scores.index(max(scores)) + 1
    options = options | {"max_iter": epochs, "shuffle": False}
    same = Estimator(return_sequences=per_step, **options).fit(X[:-n], y[:-n])
    for name, array in same.weights_.items():
        assert_array_equal(model.weights_[name], array)
    assert model.loss_curve_[:epochs] == same.loss_curve_


def test_early_stopping_stops_by_the_validation_score():
    model = RNNRegressor(
        **FAST | {"max_iter": 200, "learning_rate_init": 0.05},
        early_stopping=True,
        n_iter_no_change=4,
        tol=0.01,
    ).fit(X, Y)
    stale, best, expected = 0, -math.inf, None
    for epoch, score in enumerate(model.validation_scores_, start=1):
        stale = stale + 1 if score < best + 0.01 else 0
        best = max(best, score)
        if stale > 4:
            expected = epoch
            break
    assert model.n_iter_ == expected < 200


def test_the_held_out_samples_are_drawn_by_the_random_state(held_out):
    def starts(**options):
        held_out.clear()
        RNNRegressor(**FAST | options, early_stopping=True, validation_fraction=0.2).fit(X, Y)
        assert len({tuple(data.starts) for data in held_out}) == 1  # the same in every epoch
        return sorted(held_out[0].starts.tolist())

    at = np.cumsum([0, *(len(x) for x in X)])
    assert len(starts()) == 6
    assert starts() == starts()
    assert starts() != starts(random_state=1)
    assert starts(shuffle=False) == at[24:30].tolist()
    assert starts(shuffle=False) == starts(shuffle=False, random_state=1)
    assert starts() != starts(shuffle=False)


@pytest.mark.parametrize("random_state", range(5))
def test_the_held_out_samples_are_stratified(held_out, random_state):
    y = np.repeat(["rare", "common"], [5, 25])
    model = RNNClassifier(
        **FAST | {"random_state": random_state}, early_stopping=True, validation_fraction=0.2
    ).fit(X, y)
    data = held_out[0]
    classes = model.classes_[data.targets[data.target_starts]]
    assert sorted(classes) == ["common"] * 5 + ["rare"]


@pytest.mark.parametrize(
    "y",
    [
        np.repeat(["single", "common"], [1, 29]),
        np.arange(30) % 10,  # more classes than samples held out
        np.eye(3, dtype=int)[np.arange(30) % 3],
    ],
    ids=["a class of one", "many classes", "multilabel"],
)
def test_labels_that_cannot_be_stratified_are_no_hindrance(held_out, y):
    RNNClassifier(**FAST, early_stopping=True, validation_fraction=0.2).fit(X, y)
    assert len(held_out[0]) == 6


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_validation_set_of_one_short_sequence(shuffle):
    """R² of a single target is no number, so nothing could be chosen by it."""
    sequences = [np.ones((3, 1))] + [np.full((1, 1), k) for k in range(9)]
    model = RNNRegressor(return_sequences=True, early_stopping=True, shuffle=shuffle, **FAST)
    with pytest.raises(ValueError, match="validation_fraction"):
        model.fit(sequences, [x[:, 0] for x in sequences])


def test_predictions_that_overflow_are_reported_like_a_loss_that_does():
    model = RNNRegressor(
        cell="elman",
        activation="identity",
        solver="sgd",
        momentum=0,
        max_grad_norm=None,
        early_stopping=True,
        **FAST | {"learning_rate_init": 1e150},
    )
    with pytest.raises(ValueError, match=r"epoch 1\..*learning_rate_init"):
        model.fit(X, Y)
