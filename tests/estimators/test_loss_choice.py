"""What the regressor's losses ask for, and what comes with them: checks, scores, weights."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.metrics import mean_pinball_loss, mean_poisson_deviance, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils import get_tags

import reference
from fits import TEXTBOOK
from sequences import ragged
from sklearn_rnn import RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {
    "standardize": False,
    "hidden_size": 4,
    "max_iter": 5,
    "learning_rate_init": 0.02,
    "random_state": 0,
}
X = ragged(30, n_features=2, seed=0)
# The estimator's parameters, and the reference's.
LOSSES = {
    "squared_error": ({}, {}),
    "absolute_error": ({}, {}),
    "huber": ({"delta": 0.3}, {"delta": 0.3}),
    "quantile": ({"quantile": 0.2}, {"q": 0.2}),
    "poisson": ({}, {}),
}
losses = pytest.mark.parametrize("loss", LOSSES)
per_step_or_not = pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "steps"])


def options(loss, **others):
    return FAST | {"loss": loss} | LOSSES[loss][0] | others


def targets(per_step, n_outputs=None, seed=1):
    """Counts, which every loss can take."""
    rng = np.random.default_rng(seed)
    shape = () if n_outputs is None else (n_outputs,)
    if per_step:
        return [rng.poisson(2.0, (len(x), *shape)).astype(float) for x in X]
    return rng.poisson(2.0, (30, *shape)).astype(float)


@losses
@per_step_or_not
def test_an_update_follows_the_references_gradient(loss, per_step):
    y = targets(per_step, n_outputs=2)
    model = RNNRegressor(**options(loss, return_sequences=per_step, max_iter=1, **TEXTBOOK))
    start = dict(model.set_params(learning_rate_init=1e-300).fit(X, y).weights_)
    value, gradients, _ = reference.loss_and_gradients(
        start, X, y, cell="gru", return_sequences=per_step, loss=loss, **LOSSES[loss][1]
    )
    model.set_params(learning_rate_init=0.02).fit(X, y)
    assert model.loss_ == pytest.approx(value, rel=1e-12)
    for name, array in model.weights_.items():
        assert_allclose(array, start[name] - 0.02 * gradients[name], rtol=0, atol=1e-12)


@losses
def test_predictions(loss):
    y = targets(False)
    model = RNNRegressor(**options(loss)).fit(X, y)
    raw = np.array(reference.forward(model.weights_, X, cell="gru"))[:, 0]
    expected = np.exp(raw) if loss == "poisson" else raw
    assert_allclose(model.predict(X), expected, rtol=1e-12)
    assert_allclose(model.score(X, y), r2_score(y, expected), rtol=1e-9)
    predicted = model.predict(X)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), predicted)
    for other in LOSSES:  # what was fitted is what counts
        assert_array_equal(model.set_params(loss=other).predict(X), predicted)


@losses
@pytest.mark.parametrize("other", ["poisson", "huber"])
def test_training_may_go_on_with_another_loss(loss, other):
    y = targets(False)
    model = RNNRegressor(**options(loss), warm_start=True).fit(X, y)
    model.set_params(**options(other)).fit(X, y)
    raw = np.array(reference.forward(model.weights_, X, cell="gru"))[:, 0]
    assert_allclose(model.predict(X), np.exp(raw) if other == "poisson" else raw, rtol=1e-12)
    assert model.n_iter_ == 10


@losses
def test_calls_of_partial_fit_are_one_fit(loss):
    y = targets(False)
    whole = RNNRegressor(**options(loss, batch_size=7)).fit(X, y)
    model = RNNRegressor(**options(loss, batch_size=7))
    for _ in range(5):
        model.partial_fit(X, y)
    assert model.loss_curve_ == whole.loss_curve_
    assert_array_equal(model.predict(X), whole.predict(X))


# What it is good for, on handwritten digits, read from top to bottom.


def digits(split, target):
    images = load_digits().images
    train, test = train_test_split(np.arange(len(images)), test_size=0.5, random_state=split)
    rows, y = images[:, :5] / 16, target(images)
    return rows[train], y[train], rows[test], y[test]


SMALL = {
    "standardize": False,
    "cell": "elman",
    "hidden_size": 8,
    "batch_size": 50,
    "learning_rate_init": 0.01,
    "learning_rate": "cosine",
    "max_iter": 30,
    "early_stopping": False,
    "random_state": 0,
}


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_quantiles_cover_their_share_of_held_out_data(quantile):
    """How much ink will the next row have? Within three times the sampling error."""
    X, y, X_test, y_test = digits(0, lambda images: images[:, 5].sum(axis=1) / 16)
    model = RNNRegressor(loss="quantile", quantile=quantile, **SMALL | {"cell": "gru"}).fit(X, y)
    predicted = model.predict(X_test)
    error = np.sqrt(quantile * (1 - quantile) * (1 / len(y) + 1 / len(y_test)))
    assert abs(np.mean(y_test <= predicted) - quantile) < 3 * error
    constant = np.full(len(y_test), np.quantile(y, quantile))
    scores = [mean_pinball_loss(y_test, p, alpha=quantile) for p in (predicted, constant)]
    assert scores[0] < 0.8 * scores[1]


def test_poisson_learns_counts():
    """How many pixels of the last two rows will be black? 1.4 on average."""
    X, y, X_test, y_test = digits(0, lambda i: (i[:, 6:] == 16).sum(axis=(1, 2)))
    predicted = RNNRegressor(loss="poisson", **SMALL).fit(X, y).predict(X_test)
    assert (predicted > 0).all()
    constant = mean_poisson_deviance(y_test, np.full(len(y_test), y.mean()))
    assert mean_poisson_deviance(y_test, predicted) < 0.8 * constant


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_outliers_have_less_influence(loss):
    X, y, X_test, y_test = digits(0, lambda images: images[:, 5:].sum(axis=(1, 2)) / 16)
    wrong = np.random.default_rng(0).random(len(y)) < 0.05
    y = np.where(wrong, 300.0, y)
    scores = {}
    for name in (loss, "squared_error"):
        predicted = RNNRegressor(loss=name, **SMALL).fit(X, y).predict(X_test)
        scores[name] = np.mean(np.abs(predicted - y_test))
    assert scores[loss] < 0.5 * scores["squared_error"]


# Early stopping.


@losses
@per_step_or_not
def test_early_stopping_goes_by_the_loss_itself(loss, per_step):
    """The last eight samples are held out."""
    y = targets(per_step)
    weights = np.random.default_rng(2).random(30) + 0.1
    model = RNNRegressor(
        **options(loss, learning_rate_init=0.25, max_iter=20, n_iter_no_change=20),
        return_sequences=per_step,
        early_stopping=True,
        shuffle=False,
        validation_fraction=0.25,
    ).fit(X, y, weights)
    losses = model.validation_loss_curve_
    assert losses[-1] > min(losses), "the last epoch is the best, and the test shows nothing"
    held_out = [part[:, np.newaxis] for part in y[-8:]] if per_step else y[-8:, np.newaxis]
    w = [np.full(len(x), v) for x, v in zip(X, weights, strict=True)] if per_step else weights
    expected, _, _ = reference.loss_and_gradients(
        model.weights_,
        X[-8:],
        held_out,
        cell="gru",
        return_sequences=per_step,
        loss=loss,
        sample_weight=w[-8:],
        **LOSSES[loss][1],
    )
    assert min(losses) == pytest.approx(expected, rel=1e-10)
    score = model.score(X[-8:], y[-8:], weights[-8:])
    assert model.best_validation_score_ == pytest.approx(score, rel=1e-10)


# Counts.


def test_what_poisson_refuses():
    y = targets(False)
    y[7] = -1.5
    model = RNNRegressor(**options("poisson"))
    words = r"loss='poisson' requires non-negative y and sum\(y\) > 0: y of sample 7 is -1\.5"
    with pytest.raises(ValueError, match=words):
        model.fit(X, y)
    with pytest.raises(ValueError, match=words):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=r"sum\(y\) > 0: y is zero throughout"):
        model.fit(X, np.zeros(30))
    with pytest.raises(ValueError, match=r"sum\(y\) > 0: an output of y is zero"):
        model.fit(X, np.column_stack([targets(False), np.zeros(30)]))
    weights = (np.arange(30) > 9).astype(float)
    with pytest.raises(ValueError, match=r"zero throughout"):
        model.fit(X, np.arange(30) <= 9, weights)
    y = targets(True)
    y[3][-1] = -2
    with pytest.raises(ValueError, match="y of sample 3 is -2"):
        RNNRegressor(**options("poisson"), return_sequences=True).fit(X, y)
    assert vars(model) == model.get_params()


def test_a_later_part_of_the_data_may_have_counts_of_zero_only():
    """The first part may not, since the output bias starts at the logarithm of its mean."""
    with pytest.raises(ValueError, match="zero throughout"):
        RNNRegressor(**options("poisson")).partial_fit(X, np.zeros(30))
    model = RNNRegressor(**options("poisson")).partial_fit(X, targets(False))
    before = model.predict(X)
    assert (model.partial_fit(X, np.zeros(30)).predict(X) < before).all()


@per_step_or_not
def test_poisson_starts_from_the_mean(per_step):
    y = targets(per_step, n_outputs=2)
    weights = np.random.default_rng(2).integers(0, 3, 30)
    model = RNNRegressor(
        **options("poisson", return_sequences=per_step, max_iter=1, learning_rate_init=1e-300)
    ).fit(X, y, weights)
    rows = np.concatenate([np.repeat(part[None] if not per_step else part, w, axis=0)
                           for part, w in zip(y, weights, strict=True)])  # fmt: skip
    assert_allclose(model.weights_["output.b_y"], np.log(rows.mean(axis=0)), rtol=1e-12)
    # Of the training data only.
    model.set_params(early_stopping=True, shuffle=False).fit(X, y)
    rows = np.concatenate(y[:27]) if per_step else y[:27]
    assert_allclose(model.weights_["output.b_y"], np.log(rows.mean(axis=0)), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_counts_of_any_size(dtype):
    """Without the right start, the first would be far away, and the last would overflow."""
    rng = np.random.default_rng(0)
    sequences = [x.astype(dtype) for x in X]
    for mean in (1e-3, 1.0, 1e6):
        y = mean * rng.gamma(2.0, 0.5, 30)
        model = RNNRegressor(**options("poisson", max_iter=30, n_iter_no_change=30))
        predicted = model.fit(sequences, y).predict(sequences)
        assert predicted.dtype == dtype
        assert_allclose(predicted.mean(), y.mean(), rtol=0.5)


def test_a_mean_that_overflows_is_reported():
    model = RNNRegressor(cell="elman", activation="identity", **options("poisson"))
    model.fit(X, targets(False))
    signs = np.sign(model._raw(_sequences(model, X)) - model.weights_["output.b_y"])
    far = [1e5 * s * x for x, s in zip(X, signs.ravel(), strict=True)]
    assert np.isfinite(model._raw(_sequences(model, far))).all()
    with pytest.raises(ValueError, match="The predictions overflow"):
        model.predict(far)


def _sequences(model, X):
    return model._read_for_prediction(X)


def test_poisson_wants_positive_targets_of_scikit_learns_checks():
    assert get_tags(RNNRegressor(loss="poisson")).target_tags.positive_only
    assert not get_tags(RNNRegressor()).target_tags.positive_only
