"""Scorers for targets (n_samples, horizon, n_outputs)."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import make_scorer, mean_absolute_error, mean_pinball_loss
from sklearn.model_selection import cross_validate

from sklearn_rnn.metrics import make_forecast_scorer, make_sequence_scorer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5, 2))
Y = RNG.normal(size=(12, 3, 2))
PREDICTED = RNG.normal(size=(12, 3, 2))


class Constant(RegressorMixin, BaseEstimator):
    """Predicts what it is told."""

    def __init__(self, predicted=PREDICTED):
        self.predicted = predicted

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return self.predicted[: len(X)]


MODEL = Constant().fit(X, Y)


@pytest.mark.parametrize(
    ("metric", "options", "expected"),
    [
        ("neg_mean_absolute_error", {}, -np.abs(Y - PREDICTED).mean()),
        (mean_absolute_error, {"greater_is_better": False}, -np.abs(Y - PREDICTED).mean()),
        (make_scorer(mean_absolute_error), {}, np.abs(Y - PREDICTED).mean()),
        (
            mean_absolute_error,
            {"multioutput": "raw_values"},
            np.abs(Y - PREDICTED).mean(axis=0).ravel(),
        ),
    ],
)
def test_scores_all_timesteps_and_outputs(metric, options, expected):
    scorer = make_forecast_scorer(metric, **options)
    assert_allclose(scorer(MODEL, X, Y), expected)
    assert_allclose(pickle.loads(pickle.dumps(scorer))(MODEL, X, Y.tolist()), expected)


def test_weights():
    weights = np.arange(12.0)
    scorer = make_forecast_scorer("neg_mean_absolute_error")
    expected = np.average(np.abs(Y - PREDICTED).mean(axis=(1, 2)), weights=weights)
    assert_allclose(scorer(MODEL, X, Y, sample_weight=weights), -expected)
    with sklearn.config_context(enable_metadata_routing=True):
        scorer.set_score_request(sample_weight=True)
        assert scorer.get_metadata_routing().score.requests == {"sample_weight": True}


@pytest.mark.parametrize("n_axes", [1, 2])
def test_targets_of_fewer_axes_pass_as_they_are(n_axes):
    y, predicted = (values[(slice(None), 0, 0)[:n_axes] if n_axes == 2 else (slice(None), 0, 0)]
                    for values in (Y, PREDICTED))  # fmt: skip
    model = Constant(predicted).fit(X, y)
    assert_allclose(
        make_forecast_scorer("neg_mean_absolute_error")(model, X, y), -np.abs(y - predicted).mean()
    )


def test_more_axes_of_predictions_reach_the_metric():
    def pinball(y, predicted):
        return np.mean([mean_pinball_loss(y, predicted[..., k], alpha=0.5) for k in range(2)])

    model = Constant(np.stack([PREDICTED, PREDICTED], axis=3)).fit(X, Y)
    scorer = make_forecast_scorer(pinball, greater_is_better=False)
    assert_allclose(scorer(model, X, Y), -np.abs(Y - PREDICTED).mean() / 2)


def test_in_a_dict_of_scorers():
    scoring = {"mae": make_forecast_scorer("neg_mean_absolute_error"), "r2": "r2"}
    scoring["r2"] = make_forecast_scorer("r2")
    results = cross_validate(Constant(), X, Y, cv=3, scoring=scoring)
    assert np.isfinite(results["test_mae"]).all()
    assert np.isfinite(results["test_r2"]).all()


def test_repr():
    expected = "make_forecast_scorer('neg_mean_absolute_error')"
    assert repr(make_forecast_scorer("neg_mean_absolute_error")) == expected


@pytest.mark.parametrize("y", [Y[:, :2], Y[..., np.newaxis], Y.swapaxes(1, 2)])
def test_other_axes_than_predicted(y):
    with pytest.raises(ValueError, match=r"y has shape .* predict\(X\) is ndarray"):
        make_forecast_scorer("r2")(MODEL, X, y)


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((3,), {}, TypeError),
        (("no_such_scorer",), {}, ValueError),
        (("r2",), {"multioutput": "raw_values"}, ValueError),
        (("r2",), {"greater_is_better": False}, ValueError),
        ((make_sequence_scorer("r2"),), {}, TypeError),
    ],
)
def test_bad_arguments(arguments, options, error):
    with pytest.raises(error):
        make_forecast_scorer(*arguments, **options)
