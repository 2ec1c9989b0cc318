"""RNNRegressor(loss="quantile") with a list of quantiles: one network that predicts all of them."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, make_scorer, mean_pinball_loss
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score

import reference
from fits import TEXTBOOK, assert_same_fit, starting_weights
from sequences import CONTAINERS, object_array, ragged
from sklearn_rnn import RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.metrics import make_sequence_scorer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LEVELS = [0.1, 0.5, 0.9]
FAST = {
    "loss": "quantile",
    "quantile": LEVELS,
    "hidden_size": 4,
    "max_iter": 5,
    "learning_rate_init": 0.02,
    "random_state": 0,
}
X = ragged(30, n_features=2, seed=0)
per_step_or_not = pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "steps"])
outputs = pytest.mark.parametrize("n_outputs", [None, 1, 2], ids=str)


def targets(per_step, n_outputs=None, seed=1):
    rng = np.random.default_rng(seed)
    shape = () if n_outputs is None else (n_outputs,)
    if per_step:
        return [x[:, :1].sum(axis=1 if n_outputs is None else 0) + rng.standard_normal(
            (len(x), *shape)) for x in X]  # fmt: skip
    return rng.standard_normal((len(X), *shape))


def rows(predicted):
    return np.concatenate(predicted) if isinstance(predicted, list) else predicted


@per_step_or_not
def test_an_update_follows_the_references_gradient(per_step):
    y = targets(per_step, n_outputs=2)
    weights = np.random.default_rng(2).integers(0, 3, len(X))
    model = RNNRegressor(**FAST | TEXTBOOK | {"max_iter": 1}, return_sequences=per_step)
    start = starting_weights(model, X, y, weights)
    by_target = [np.full(len(x), w) for x, w in zip(X, weights, strict=True)]
    value, gradients, _ = reference.loss_and_gradients(
        start,
        X,
        y,
        cell="gru",
        return_sequences=per_step,
        loss="several_quantiles",
        qs=LEVELS,
        sample_weight=by_target if per_step else weights,
    )
    model.fit(X, y, weights)
    assert model.loss_ == pytest.approx(value, rel=1e-12)
    for name, array in model.weights_.items():
        assert_allclose(array, start[name] - 0.02 * gradients[name], rtol=0, atol=1e-12)


@per_step_or_not
@outputs
def test_predictions(per_step, n_outputs):
    model = RNNRegressor(**FAST | {"standardize": False}, return_sequences=per_step)
    model.fit(X, targets(per_step, n_outputs))
    raw = reference.forward(model.weights_, X, cell="gru", return_sequences=per_step)
    raw = rows(raw) if per_step else raw
    values = [reference.non_crossing(a, LEVELS)[0].T for a in raw]
    expected = np.array(values)[:, 0] if n_outputs is None else np.array(values)
    assert_allclose(rows(model.predict(X)), expected, rtol=1e-12)
    assert model.n_outputs_ == (n_outputs or 1)
    assert len(model.weights_["output.b_y"]) == 3 * (n_outputs or 1)


@per_step_or_not
@outputs
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_containers_and_shapes(per_step, n_outputs, container, dtype):
    sequences = CONTAINERS[container]([x.astype(dtype) for x in X])
    model = RNNRegressor(**FAST, return_sequences=per_step)
    predicted = model.fit(sequences, targets(per_step, n_outputs)).predict(sequences)
    shape = (3,) if n_outputs is None else (n_outputs, 3)
    if not per_step:
        assert predicted.shape == (len(X), *shape)
        parts = predicted
    elif container == "padded array":
        assert predicted.shape == (len(X), max(map(len, X)), *shape)
        parts = [part[: len(x)] for part, x in zip(predicted, X, strict=True)]
        assert np.isnan(predicted).sum() == predicted.size - sum(part.size for part in parts)
    else:
        assert type(predicted) is (np.ndarray if container == "object array" else list)
        assert [part.shape for part in predicted] == [(len(x), *shape) for x in X]
        parts = predicted
    assert all(part.dtype == dtype for part in parts)
    alone = [model.predict(sequences[i : i + 1])[0] for i in (0, 7)]
    assert_allclose(alone[0][: len(X[0])] if per_step else alone[0], parts[0], rtol=1e-5)
    assert all((np.diff(part, axis=-1) > 0).all() for part in parts)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [0.0, 1e6])
def test_quantiles_do_not_cross_wherever_the_network_is_led(dtype, level):
    """On input a million times as large as all training data, too."""
    y = level + targets(False)
    network = {"cell": "elman", "activation": "identity", "early_stopping": False}
    levels = {"quantile": [0.01, 0.3, 0.31, 0.6, 0.99]}
    model = RNNRegressor(**FAST | levels | network | {"max_iter": 30})
    model.fit([x.astype(dtype) for x in X], y)
    for factor in (1, 1e3, -1e6):
        predicted = model.predict([(factor * x).astype(dtype) for x in X])
        assert (np.diff(predicted, axis=1) >= 0).all()


def test_a_list_of_one_quantile_has_the_axis():
    y = targets(False)
    model = RNNRegressor(**FAST | {"quantile": [0.3]}).fit(X, y)
    single = RNNRegressor(**FAST | {"quantile": 0.3}).fit(X, y)
    assert_array_equal(model.predict(X), single.predict(X)[:, np.newaxis])


# Where training starts.


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_starts_at_the_quantiles_of_the_data(standardize, dtype):
    rng = np.random.default_rng(3)
    y, weights = rng.gamma(2.0, 3.0, (len(X), 2)), rng.integers(0, 3, len(X))
    model = RNNRegressor(**FAST, standardize=standardize, early_stopping=False)
    model.set_params(max_iter=1, learning_rate_init=1e-300)
    b_y = model.fit([x.astype(dtype) for x in X], y, weights).weights_["output.b_y"]
    values, _ = reference.non_crossing(b_y.astype(float), LEVELS)
    if standardize:
        values = values * model.y_scale_ + model.y_mean_
    repeated = np.repeat(y, weights, axis=0)
    expected = np.quantile(repeated, LEVELS, axis=0, method="inverted_cdf")
    assert_allclose(values, expected, rtol=1e-12 if dtype is np.float64 else 1e-5)


@pytest.mark.parametrize("share", [0.7, 0.97, 1.0])
@pytest.mark.parametrize("level", [0.0, 5.0])
def test_targets_of_which_most_are_the_same(share, level):
    """Two quantiles of the data, or all three, are equal. Whatever warns fails."""
    rng = np.random.default_rng(0)
    y = level + np.where(np.arange(len(X)) < share * len(X), 0, rng.gamma(2.0, 1.0, len(X)))
    model = RNNRegressor(**FAST | {"max_iter": 60}, early_stopping=False).fit(X, y)
    predicted = model.predict(X)
    assert np.isfinite(predicted).all()
    equal = np.diff(np.quantile(y, LEVELS, method="inverted_cdf")) == 0
    assert equal.any()
    assert np.diff(predicted, axis=1)[:, equal].max() < 1.0


def test_equal_quantiles_part_where_x_tells_them_apart():
    """Nine tenths of the targets are zero: at the start, the quantiles 0.1 and 0.5 are equal."""
    rng = np.random.default_rng(0)
    sequences = rng.standard_normal((300, 4, 1))
    is_wide = sequences[:, -1, 0] > 1.2
    y = np.where(is_wide, 10 * rng.standard_normal(300), 0.0)
    model = RNNRegressor(**FAST | {"max_iter": 100, "hidden_size": 16}, early_stopping=False)
    widths = np.ptp(model.fit(sequences, y).predict(sequences), axis=1)
    assert np.median(widths[is_wide]) > 10
    assert np.median(widths[~is_wide]) < 0.5


# Scores, and what early stopping goes by.


def d2_by_hand(y, predicted, weights=None):
    weights = np.ones(len(y)) if weights is None else weights  # see regression_score
    scores = [
        d2_pinball_score(y, predicted[..., k], alpha=level, sample_weight=weights)
        for k, level in enumerate(LEVELS)
    ]
    return np.mean(scores)


@per_step_or_not
@outputs
def test_score(per_step, n_outputs):
    y, weights = targets(per_step, n_outputs), np.random.default_rng(2).random(len(X)) + 0.1
    model = RNNRegressor(**FAST, return_sequences=per_step).fit(X, y)
    predicted = rows(model.predict(X))
    assert model.score(X, y) == pytest.approx(d2_by_hand(rows(y), predicted))
    of_rows = np.repeat(weights, [len(x) for x in X]) if per_step else weights
    expected = d2_by_hand(rows(y), predicted, of_rows)
    assert model.score(X, y, weights) == pytest.approx(expected)


@per_step_or_not
@outputs
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_early_stopping_goes_by_the_pinball_loss(per_step, n_outputs, solver):
    y = targets(per_step, n_outputs)
    options = FAST | {"learning_rate_init": 0.1, "max_iter": 30, "n_iter_no_change": 30}
    model = RNNRegressor(**options | {"solver": solver, "alpha": 0}, return_sequences=per_step)
    model.set_params(early_stopping=True, shuffle=False, validation_fraction=0.25).fit(X, y)
    losses = model.validation_loss_curve_
    assert losses[-1] > min(losses), "the last epoch is the best, and the test shows nothing"
    held_out, predicted = rows(y[-8:]), rows(model.predict(X[-8:]))
    expected = np.mean(
        [mean_pinball_loss(held_out, predicted[..., k], alpha=q) for k, q in enumerate(LEVELS)]
    )
    assert min(losses) == pytest.approx(expected, rel=1e-9)
    score = model.score(X[-8:], y[-8:])
    assert model.best_validation_score_ == pytest.approx(score, rel=1e-9)


def lowest_d2(y, predicted):
    return min(d2_pinball_score(y, predicted[:, k], alpha=level) for k, level in enumerate(LEVELS))


@per_step_or_not
def test_scorers_of_callbacks_and_searches(per_step):
    y = targets(per_step)
    model = RNNRegressor(**FAST, return_sequences=per_step)
    scorer = make_sequence_scorer(lowest_d2) if per_step else make_scorer(lowest_d2)
    model.set_callbacks(EarlyStopping(scorer)).fit(X, y, X_val=X[:9], y_val=y[:9])
    expected = lowest_d2(rows(y[:9]), rows(model.predict(X[:9])))
    assert model.best_validation_score_ == pytest.approx(expected)
    search = GridSearchCV(clone(model), {"hidden_size": [2, 4]}, cv=KFold(3), scoring=scorer)
    search.set_params(estimator__early_stopping=True).fit(X, y)
    assert search.score(X, y) == scorer(search.best_estimator_, X, y)


def test_cross_validation():
    y, model = targets(False), RNNRegressor(**FAST)
    assert cross_val_predict(model, object_array(X), y, cv=3).shape == (len(X), 3)
    assert np.isfinite(cross_val_score(model, X, y, cv=3)).all()


# Going on.


def test_calls_of_partial_fit_are_one_fit():
    y = targets(False)
    whole = RNNRegressor(**FAST, batch_size=7).fit(X, y)
    model = RNNRegressor(**FAST, batch_size=7)
    for _ in range(5):
        model.partial_fit(X, y)
    assert model.loss_curve_ == whole.loss_curve_
    assert_array_equal(model.predict(X), whole.predict(X))


def test_a_warm_start_goes_on():
    y = targets(False)
    whole = RNNRegressor(**FAST | {"max_iter": 10}).fit(X, y)
    model = RNNRegressor(**FAST, warm_start=True).fit(X, y)
    assert_same_fit(model.set_params(quantile=tuple(LEVELS)).fit(X, y), whole)


CHANGES = {
    "other quantiles": (LEVELS, {"quantile": [0.1, 0.4, 0.9]}),
    "more quantiles": (LEVELS, {"quantile": [0.1, 0.2, 0.5, 0.9]}),
    "one number": (LEVELS, {"quantile": 0.5}),
    "a list of one": (0.5, {"quantile": [0.5]}),
    "several for one": (0.5, {"quantile": LEVELS}),
    "another loss": (LEVELS, {"loss": "squared_error"}),
}


@pytest.mark.parametrize(("before", "change"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_other_quantiles_are_refused_when_training_goes_on(before, change, method):
    y = targets(False)
    model = RNNRegressor(**FAST | {"quantile": before}, warm_start=True).fit(X, y)
    predicted = model.predict(X)
    with pytest.raises(ValueError, match=r"parameters ask for .*trained for .*warm_start"):
        getattr(model.set_params(**change), method)(X, y)
    assert_array_equal(model.predict(X), predicted)


def test_pickles_and_parameters_that_change_after_the_fit():
    y, model = targets(False), RNNRegressor(**FAST)
    predicted, score = model.fit(X, y).predict(X), model.score(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    for fitted in (loaded, model.set_params(quantile=0.5), model.set_params(loss="huber")):
        assert_array_equal(fitted.predict(X), predicted)
        assert fitted.score(X, y) == score


# What it is good for.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quantiles_cover_their_shares_of_held_out_data(dtype):
    """The spread depends on X. Every quantile is far better than the best constant."""
    rng = np.random.default_rng(0)
    sequences = rng.standard_normal((2000, 4, 2)).astype(dtype)
    spread = np.exp(0.5 * sequences[:, -2, 1])
    y = sequences[:, -1, 0] + spread * rng.standard_normal(2000)
    model = RNNRegressor(**FAST | {"hidden_size": 16, "learning_rate_init": 0.01, "max_iter": 50})
    train, test = slice(None, 1000), slice(1000, None)
    predicted = model.fit(sequences[train], y[train]).predict(sequences[test])
    for k, level in enumerate(LEVELS):
        error = np.sqrt(level * (1 - level) * (1 / 1000 + 1 / 1000))
        assert abs(np.mean(y[test] <= predicted[:, k]) - level) < 3 * error
        assert d2_pinball_score(y[test], predicted[:, k], alpha=level) > 0.15
    widths = predicted[:, 2] - predicted[:, 0]
    assert np.corrcoef(widths, spread[test])[0, 1] > 0.85
