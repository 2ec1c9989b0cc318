"""Early stopping: what is held out, what is judged by it, and what is kept."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import log_loss, mean_squared_error

from fits import ESTIMATORS, assert_same_fit, end_of
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._training.validation import Validator

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 5, "learning_rate_init": 0.02, "random_state": 0}
X = ragged(30, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(30)


@pytest.fixture
def held_out(monkeypatch):
    """The validation data of each epoch."""
    seen = []
    original = Validator.__call__

    def validate(self, network):
        seen.append(self.data)
        return original(self, network)

    monkeypatch.setattr(Validator, "__call__", validate)
    return seen


@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_the_weights_that_did_best_on_the_last_samples_are_kept(Estimator, per_step):
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
    losses = model.validation_loss_curve_
    assert len(losses) == len(model.loss_curve_) == model.n_iter_ == 15
    assert model.best_iteration_ == np.argmin(losses) + 1 < 15, "the test shows nothing"
    n = 8  # a quarter of 30, rounded up
    assert_allclose(loss_of(model, X[-n:], y[-n:]), min(losses), rtol=1e-12)
    assert_allclose(model.score(X[-n:], y[-n:]), model.best_validation_score_, rtol=1e-12)
    assert model.t_ == 15 * (30 - n)

    # What was trained on is the rest: without early stopping, as many epochs give these weights.
    epochs = model.best_iteration_
    options = options | {"max_iter": epochs, "shuffle": False}
    same = Estimator(return_sequences=per_step, **options).fit(X[:-n], y[:-n])
    for name, array in same.weights_.items():
        assert_array_equal(model.weights_[name], array)
    assert model.loss_curve_[:epochs] == same.loss_curve_


def loss_of(model, X, y):
    """The loss by scikit-learn's metrics."""
    answer = model.predict if isinstance(model, RNNRegressor) else model.predict_proba
    predicted = answer(X)
    if model.return_sequences:
        y, predicted = np.concatenate(y), np.concatenate(predicted)
    if isinstance(model, RNNRegressor):
        return mean_squared_error(y, predicted) / 2
    return log_loss(y, predicted)


def test_early_stopping_stops_by_the_validation_loss():
    model = RNNRegressor(
        **FAST | {"max_iter": 200, "learning_rate_init": 0.05},
        early_stopping=True,
        n_iter_no_change=4,
        tol=0.01,
        standardize=False,
    ).fit(X, Y)
    assert model.n_iter_ == end_of(model.validation_loss_curve_, 0.01, 4) < 200


def test_the_held_out_samples_are_drawn_by_the_random_state(held_out):
    def samples(**options):
        held_out.clear()
        RNNRegressor(**FAST | options, early_stopping=True, validation_fraction=0.2).fit(X, Y)
        assert len({tuple(data.samples) for data in held_out}) == 1  # the same in every epoch
        return sorted(held_out[0].samples.tolist())

    assert len(samples()) == 6
    assert samples() == samples()
    assert samples() != samples(random_state=1)
    assert samples(shuffle=False) == list(range(24, 30))
    assert samples(shuffle=False) == samples(shuffle=False, random_state=1)
    assert samples() != samples(shuffle=False)


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


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("n", "batch_size", "patience"),
    [(10, 10, 100), (20, 10, 50), (30, 1, 10), (40, 13, 25)],
    ids=["one batch", "two batches", "many batches", "an odd number"],
)
def test_auto_patience_has_a_smallest_number_of_updates(early_stopping, n, batch_size, patience):
    X, y = ragged(n, n_features=1, seed=3), np.arange(n) % 7
    options = FAST | {"batch_size": batch_size, "max_iter": 200, "tol": 1e9}
    model = RNNRegressor(**options, early_stopping=early_stopping)
    # What is held out makes no update: X_val takes its place.
    validation = {"X_val": X, "y_val": y} if early_stopping else {}
    assert model.fit(X, y, **validation).n_iter_ == 1 + patience + 1
    assert model.set_params(n_iter_no_change=3).fit(X, y, **validation).n_iter_ == 5


class TestAuto:
    """early_stopping="auto", the default."""

    n = 40  # enough

    @pytest.fixture(params=ESTIMATORS)
    def problem(self, request):
        """A model, X and y."""
        X, y = ragged(self.n, n_features=2, seed=2), np.arange(self.n) % 2
        return ESTIMATORS[request.param](**FAST), X, y

    def test_it_is_the_default(self, problem):
        assert problem[0].early_stopping == "auto"

    def test_from_40_samples_it_is_true(self, problem):
        model, X, y = problem
        same = clone(model).set_params(early_stopping=True).fit(X, y)
        assert_same_fit(model.fit(X, y), same)
        assert len(model.validation_loss_curve_) == model.n_iter_

    def test_below_that_it_is_false(self, problem):
        model, X, y = problem
        same = clone(model).set_params(early_stopping=False).fit(X[1:], y[1:])
        assert_same_fit(model.fit(X[1:], y[1:]), same)
        assert model.validation_loss_curve_ is None

    @pytest.mark.parametrize("n_of_weight", [39, 40])
    @pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
    def test_samples_without_weight_do_not_count(self, problem, n_of_weight, per_step):
        model, X, y = problem
        model.set_params(return_sequences=per_step)
        y = [np.arange(len(x)) % 2 for x in X] if per_step else y
        X, y = [*X, *X[:9]], [*y, *y[:9]]
        weights = np.r_[np.ones(n_of_weight), np.zeros(len(X) - n_of_weight)]
        few = clone(model).fit(X[:n_of_weight], y[:n_of_weight])
        assert_same_fit(model.fit(X, y, weights), few)
        assert (model.validation_loss_curve_ is not None) == (n_of_weight == 40)

    def test_classes_without_weight_do_not_count(self):
        X, y = ragged(self.n + 9, n_features=2, seed=2), np.r_[np.arange(self.n) % 2, np.full(9, 2)]
        for n_of_weight in (39, 40):
            part = slice(self.n - n_of_weight, None)
            model = RNNClassifier(**FAST, class_weight={2: 0}).fit(X[part], y[part])
            assert (model.validation_loss_curve_ is not None) == (n_of_weight == 40)

    def test_x_val_switches_it_on_for_any_number_of_samples(self, problem):
        model, X, y = problem
        given = {"X_val": X[9:], "y_val": y[9:]}
        same = clone(model).set_params(early_stopping=True).fit(X[:9], y[:9], **given)
        # The patience shows that it stops: one epoch that improves, and two that do not.
        hasty = {"tol": 1e9, "n_iter_no_change": 1, "learning_rate_init": 0.3}
        assert_same_fit(model.fit(X[:9], y[:9], **given), same)
        model.set_params(**hasty, max_iter=9).fit(X[:9], y[:9], **given)
        assert model.n_iter_ == 3
        losses = model.validation_loss_curve_
        assert_allclose(loss_of(model, X[9:], y[9:]), min(losses), rtol=1e-12)

    @pytest.mark.parametrize("with_x_val", [False, True])
    def test_lbfgs_does_without(self, problem, with_x_val):
        model, X, y = problem
        model.set_params(solver="lbfgs")
        given = {"X_val": X[:9], "y_val": y[:9]} if with_x_val else {}
        same = clone(model).set_params(early_stopping=False).fit(X, y, **given)
        assert_same_fit(model.fit(X, y, **given), same)
        assert (model.validation_loss_curve_ is not None) == with_x_val

    def test_partial_fit_does_without(self, problem):
        model, X, y = problem
        classes = {"classes": [0, 1]} if isinstance(model, RNNClassifier) else {}
        same = clone(model).set_params(early_stopping=False)
        for _ in range(2):
            model.partial_fit(X, y, **classes)
            same.partial_fit(X, y, **classes)
        assert_same_fit(model, same)
        assert model.validation_loss_curve_ is None
        assert model.t_ == 2 * self.n
