"""Standardizer: (x - mean) / scale in a network's precision, as exact as in float64."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.core.scaling import RUN, Scaling, Standardizer


def case(n, n_features, level):
    """Rows (n, n_features) on a level, and a scaling that is not quite theirs."""
    rng = np.random.default_rng(n + n_features)
    rows = (rng.standard_normal((n, n_features)) + level).astype(np.float32)
    scaling = Scaling(level + rng.random(n_features), rng.uniform(0.5, 2, n_features))
    return rows, scaling


@pytest.mark.parametrize("level", [0.0, 2.0**17, -1e6])
@pytest.mark.parametrize("n", [1, 340, 341, 342, 2000])
@pytest.mark.parametrize("n_features", [1, 3, RUN - 1, RUN, RUN + 1])
def test_single_precision_is_as_exact_as_double(n, n_features, level):
    rows, scaling = case(n, n_features, level)
    expected = (rows.astype(np.float64) - scaling.mean) / scaling.scale
    actual = Standardizer(scaling, np.float32).apply(rows.copy())
    assert actual.dtype == np.float32
    assert_allclose(actual, expected, rtol=5e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("rows_dtype", "dtype"), [(np.float64, np.float32), (np.float32, np.float64), (int, np.float64)]
)
def test_the_more_precise_of_rows_and_network_counts(rows_dtype, dtype):
    rows, scaling = case(700, 3, level=50.0)
    rows = rows.astype(rows_dtype)
    before = rows.copy()
    exact = Scaling(np.round(scaling.mean), np.exp2([-1.0, 0.0, 1.0]))  # float32 holds these
    actual = Standardizer(exact, dtype).apply(rows)
    assert actual.dtype == np.float64
    assert_array_equal(actual, (before - exact.mean) / exact.scale)


def test_rows_in_any_order():
    rows, scaling = case(500, 3, level=0.0)
    expected = Standardizer(scaling, np.float32).apply(rows.copy())
    assert_array_equal(Standardizer(scaling, np.float32).apply(np.asfortranarray(rows)), expected)


def test_a_scale_below_single_precision_leaves_finite_numbers():
    rows = np.array([[0.0], [1e-45]], np.float32)
    scaling = Scaling(np.array([5e-46]), np.array([1e-47]))
    assert np.isfinite(Standardizer(scaling, np.float32).apply(rows)).all()
