"""Means and standard deviations, of one block after another."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.preprocessing import StandardScaler

from sklearn_rnn._input.targets import TargetRows
from sklearn_rnn._training.data import means_of
from sklearn_rnn._training.units import Moments


@pytest.mark.parametrize("n_columns", [1, 2, 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_are_those_of_standard_scaler_to_the_bit(n_columns, weighted):
    rng = np.random.default_rng(0)
    scaler, moments = StandardScaler(), Moments()
    for n in (1, 50, 400):
        rows = 1e3 + rng.standard_normal((n, n_columns))
        rows[:, -1] = 0.1  # constant but for rounding, if it isn't the only column
        weights = rng.random(n) if weighted else np.ones(n)
        scaler.partial_fit(rows.copy(), sample_weight=weights)
        moments.add(rows, weights)
        assert_array_equal(moments.mean, scaler.mean_)
        assert_array_equal(moments.variance, scaler.var_)
        assert_array_equal(moments.scale, scaler.scale_)


def test_mean_weights_are_those_of_numpy_to_the_bit():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 300, size=50)
    rows = TargetRows(np.cumsum(counts) - counts, counts)
    weights = rng.random(counts.sum())
    parts = np.split(weights, rows.starts[1:])
    assert_array_equal(means_of(weights, rows), [part.mean() for part in parts])
