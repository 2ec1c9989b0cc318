"""The scores are those of scikit-learn's metrics."""

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, d2_pinball_score, r2_score

from sklearn_rnn._scores import accuracy, regression_score

DTYPES = [np.float32, np.float64]


def drawn(shape, dtype, constant_first_output=False):
    rng = np.random.default_rng(0)
    y = rng.standard_normal(shape).astype(dtype)
    if constant_first_output:
        y[..., 0] = 2
    predicted = (y + rng.standard_normal(shape) / 2).astype(dtype)
    return y, predicted, rng.random(shape[0]) * 3


@pytest.mark.parametrize("shape", [(31,), (31, 1), (31, 3)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("of_predictions", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_r_squared_has_the_bits_of_scikit_learn(shape, dtype, of_predictions, weighted):
    y, predicted, weights = drawn(shape, dtype)
    predicted = predicted.astype(of_predictions)
    weights = weights if weighted else None
    expected = r2_score(y, predicted, sample_weight=weights)
    assert 0 < expected < 1
    assert regression_score(y, predicted, sample_weight=weights) == expected


@pytest.mark.parametrize("shape", [(31,), (31, 3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_d_squared_is_the_mean_of_scikit_learns(shape, weighted):
    y, predicted, weights = drawn(shape, np.float64)
    quantiles = [0.1, 0.5, 0.8]
    predicted = np.stack([predicted + shift for shift in (-0.5, 0.1, 0.4)], axis=-1)
    expected = [
        # Without weights, scikit-learn before 1.9 compares with interpolated quantiles.
        d2_pinball_score(
            y,
            predicted[..., k],
            alpha=quantile,
            sample_weight=weights if weighted else np.ones(len(y)),
        )
        for k, quantile in enumerate(quantiles)
    ]
    score = regression_score(y, predicted, quantiles, weights if weighted else None)
    assert score == pytest.approx(np.mean(expected), rel=1e-13)


def test_every_quantile_between_two_targets_is_as_good_a_constant():
    """scikit-learn takes the middle of the two targets, this package the lower one."""
    y = np.arange(10.0)
    predicted = y[:, np.newaxis] + 0.25
    expected = d2_pinball_score(y, predicted[:, 0], alpha=0.5, sample_weight=np.ones(10))
    assert regression_score(y, predicted, [0.5]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("quantiles", [None, [0.5]])
@pytest.mark.parametrize(("met", "expected"), [(True, 1.0), (False, 0.0)])
def test_a_constant_output_scores_one_if_it_is_met_and_else_zero(quantiles, met, expected):
    y, _, _ = drawn((9, 2), np.float64, constant_first_output=True)
    predicted = y.copy()
    if not met:
        predicted[3, 0] += 1
    if quantiles is None:
        assert r2_score(y, predicted) == (1 + expected) / 2
    else:
        predicted = predicted[..., np.newaxis]
    assert regression_score(y, predicted, quantiles) == (1 + expected) / 2


@pytest.mark.parametrize(("quantiles", "name"), [(None, "R"), ([0.5], "D")])
def test_one_target_has_no_score(quantiles, name):
    with pytest.warns(UndefinedMetricWarning, match=rf"{name}\^2 .* less than two samples"):
        assert np.isnan(regression_score(np.ones(1), np.ones((1, 1)), quantiles))


@pytest.mark.parametrize("shape", [(31,), (31, 3)])
def test_accuracy_has_the_bits_of_scikit_learn(shape):
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(0, 2, (2, *shape))
    weights = rng.random(31)
    expected = accuracy_score(y, predicted, sample_weight=weights)
    assert 0 < expected < 1
    assert accuracy(y, predicted == 1 if len(shape) == 2 else predicted, weights) == expected
