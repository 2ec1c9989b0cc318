"""Lags and Differences: what is earlier, and what is before the start."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sequences import assert_same_lists, padded, ragged
from sklearn_rnn.preprocessing import Differences, Lags

X = ragged(n=8, n_features=2)
LONG = [x for x in X if len(x) > 4]


def value(x, t):
    return x[max(t, 0)]


@pytest.mark.parametrize("lags", [1, 3, [2], [5, 1], np.array([1, 2]), (1, 2)])
def test_lags_are_further_features(lags):
    every = list(range(1, lags + 1)) if isinstance(lags, int) else list(lags)
    expected = [
        np.array(
            [np.concatenate([value(x, t - lag) for lag in [0, *every]]) for t in range(len(x))]
        )
        for x in X
    ]
    assert_same_lists(Lags(lags).fit_transform(X), expected)


def test_differences():
    expected = [np.array([x[t] - value(x, t - 2) for t in range(len(x))]) for x in X]
    assert_same_lists(Differences(lag=2).fit_transform(X), expected)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_higher_order_takes_differences_of_differences(order):
    whole = Differences(order=order, drop=True).fit_transform(LONG)
    assert_same_lists(whole, [np.diff(x, order, axis=0) for x in LONG])
    kept = Differences(order=order).fit_transform(LONG)
    for x, dropped in zip(kept, whole, strict=True):
        assert_array_equal(x[order:], dropped)
        assert_array_equal(x[0], [0, 0])


def test_appended():
    made = Differences(append=True).fit_transform(X)
    apart = Differences().fit_transform(X)
    assert_same_lists(made, [np.hstack(pair) for pair in zip(X, apart, strict=True)])


@pytest.mark.parametrize(
    ("transformer", "n_dropped"),
    [
        (Lags([1, 3], drop=True), 3),
        (Differences(lag=2, order=2, drop=True), 4),
        (Differences(drop=True, append=True), 1),
    ],
)
def test_dropped(transformer, n_dropped):
    made = transformer.fit_transform(LONG)
    transformer.set_params(drop=False)
    assert_same_lists(made, [x[n_dropped:] for x in transformer.fit_transform(LONG)])
    transformer.set_params(drop=True)
    assert_array_equal(transformer.fit_transform(padded(LONG)), padded(made))
    too_short = [*LONG, LONG[0][:n_dropped]]
    message = rf"X\[{len(LONG)}\] has {n_dropped} timesteps, but drop=True drops the first "
    with pytest.raises(ValueError, match=message):
        transformer.fit_transform(too_short)


def test_of_a_table():
    table = np.array([[1.0, 2, 4, 8], [1, 4, 9, np.nan]])
    assert_array_equal(Differences().fit_transform(table), [[0, 1, 2, 4], [0, 3, 5, np.nan]])
    dropping = Differences(drop=True).fit(table)
    assert_array_equal(dropping.transform(table), [[1, 2, 4], [3, 5, np.nan]])
    assert_array_equal(dropping.transform(table[1:]), [[3, 5, np.nan]])
    assert dropping.get_feature_names_out().tolist() == ["x1", "x2", "x3"]


def test_integrate_to_the_sequence():
    for x, difference in zip(X, Differences().fit_transform(X), strict=True):
        assert_allclose(x[0] + difference.cumsum(axis=0), x)
