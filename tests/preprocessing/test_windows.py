"""Windows of series, compared with a plain loop."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sequences import object_array
from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import last_window, sliding_windows


def numbered(lengths, n_features=2, dtype=np.float64):
    """Series in which every value is different, and says which series it is of."""
    return [
        (1000 * i + np.arange(length * n_features).reshape(length, n_features)).astype(dtype)
        for i, length in enumerate(lengths)
    ]


def by_loop(series, window, horizon, stride, gap):
    """Windows (window, n_features), targets (horizon, n_features) and places, one by one."""
    X, y, index = [], [], []
    for number, values in enumerate(series):
        start = 0
        while start + window + gap + horizon <= len(values):
            first_target = start + window + gap
            X.append([values[t] for t in range(start, start + window)])
            y.append([values[t] for t in range(first_target, first_target + horizon)])
            index.append((number, start, first_target, first_target + horizon))
            start += stride
    return np.array(X), np.array(y), index


@given(data=st.data())
def test_windows_are_those_of_a_plain_loop(data):
    window, horizon, stride = (data.draw(st.integers(1, 4)) for _ in range(3))
    gap = data.draw(st.integers(0, 2))
    lengths = st.integers(window + gap + horizon, window + gap + horizon + 6)
    lengths = data.draw(st.lists(lengths, min_size=1, max_size=3))
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int16]))
    series = numbered(lengths, data.draw(st.integers(1, 3)), dtype)
    given_series = series[0] if len(series) == 1 else series
    X, y, index = sliding_windows(given_series, window, horizon, stride, gap=gap, return_index=True)
    expected_X, expected_y, expected_index = by_loop(series, window, horizon, stride, gap)
    np.testing.assert_array_equal(X, expected_X)
    np.testing.assert_array_equal(y, expected_y[:, 0] if horizon == 1 else expected_y)
    assert index.tolist() == expected_index
    for i, (number, start, first_target, stop) in enumerate(index):  # back to where they are from
        np.testing.assert_array_equal(series[number][start : start + window], X[i])
        np.testing.assert_array_equal(series[number][first_target:stop], y[i].reshape(horizon, -1))
    assert X.dtype == y.dtype == dtype
    of_series = np.concatenate([X.reshape(len(X), -1), y.reshape(len(y), -1)], axis=1) // 1000
    assert (of_series == index["series"][:, np.newaxis]).all()  # nothing is of two series


@pytest.mark.parametrize("horizon", [1, 3])
def test_shape_of_targets(horizon):
    values = np.arange(20.0).reshape(10, 2)
    h = () if horizon == 1 else (horizon,)
    n = 10 - 4 - horizon + 1

    def shapes(series, **options):
        X, y = sliding_windows(series, 4, horizon, **options)
        return X.shape, y.shape

    assert shapes(values[:, 0]) == ((n, 4, 1), (n, *h))
    assert shapes(values[:, :1]) == ((n, 4, 1), (n, *h, 1))
    assert shapes(values) == ((n, 4, 2), (n, *h, 2))
    assert shapes(values, target=1) == ((n, 4, 2), (n, *h))
    assert shapes(values, target=[1]) == ((n, 4, 2), (n, *h, 1))
    assert shapes([values[:, 0], values[:, 0]]) == ((2 * n, 4, 1), (2 * n, *h))


def test_targets_are_chosen_by_name_or_number():
    frame = pd.DataFrame({"load": np.arange(6.0), "price": np.arange(6) * 10, "wind": -1.0})
    np.testing.assert_array_equal(sliding_windows(frame, 3, target="price")[1], [30, 40, 50])
    columns = [[-1.0, 3.0], [-1.0, 4.0], [-1.0, 5.0]]
    by_name = sliding_windows(frame, 3, target=["wind", "load"])[1]
    by_index = sliding_windows(frame, 3, target=pd.Index(["wind", "load"]))[1]
    by_number = sliding_windows(frame.to_numpy(), 3, target=[2, 0])[1]
    for y in (by_name, by_index, by_number):
        np.testing.assert_array_equal(y, columns)
    numbered_columns = frame.set_axis([2, 1, 0], axis=1)  # names, though numbers
    np.testing.assert_array_equal(sliding_windows(numbered_columns, 3, target=2)[1], [3, 4, 5])


def test_series_of_any_kind():
    values = np.arange(12.0).reshape(6, 2)
    dates = pd.date_range("2024-01-01", periods=6)
    frame = pd.DataFrame(values, index=dates, columns=["a", "b"])
    expected_X, expected_y, _ = by_loop([values, values[1:]], 2, 1, 1, 0)
    for several in (
        [values, values[1:]],
        (frame, frame[1:]),
        object_array([values, values[1:]]),
        [values.tolist(), values[1:].tolist()],
        [values.astype(object), values[1:]],
    ):
        X, y = sliding_windows(several, 2)
        np.testing.assert_array_equal(X, expected_X)
        np.testing.assert_array_equal(y, expected_y[:, 0])
    for one in (frame["a"], values[:, 0], values[:, 0].tolist()):
        X, y, index = sliding_windows(one, 2, return_index=True)
        np.testing.assert_array_equal(X[:, :, 0], [[0, 2], [2, 4], [4, 6], [6, 8]])
        np.testing.assert_array_equal(y, [4, 6, 8, 10])
        np.testing.assert_array_equal(dates[index["first_target"]], dates[2:])


def test_result_is_a_copy_of_its_own():
    series = np.arange(16.0).reshape(8, 2)
    for given_series in (series, [series, series], np.asfortranarray(series)):
        X, y = sliding_windows(given_series, 3)
        assert X.flags.c_contiguous
        X[0] = y[0] = -1.0
        np.testing.assert_array_equal(series, np.arange(16.0).reshape(8, 2))
        np.testing.assert_array_equal(X[1], series[1:4])
        np.testing.assert_array_equal(y[1], series[4])


def test_some_features_may_be_missing():
    values = np.arange(12.0).reshape(6, 2)
    values[2, 1] = np.nan
    X, _ = sliding_windows(values, 2, target=0)
    np.testing.assert_array_equal(X, by_loop([values], 2, 1, 1, 0)[0])


def test_a_network_learns_from_them():
    X, y = sliding_windows(np.sin(np.arange(60.0)), 6, horizon=2)
    model = RNNRegressor(hidden_size=8, learning_rate_init=0.03, batch_size=16, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.9


LONG, SHORT = np.arange(9.0), np.arange(3.0)
FRAME = pd.DataFrame({"a": LONG, "b": LONG})


class TestLastWindow:
    @pytest.mark.parametrize("gap", [0, 2])
    def test_is_the_window_after_the_last_target(self, gap):
        """As soon as there are more timesteps, it is a window of sliding_windows."""
        rng = np.random.default_rng(0)
        series = [rng.normal(size=(n, 2)).astype(np.float32) for n in (9, 6)]
        later = [np.concatenate([one, rng.normal(size=(1 + gap, 2))]) for one in series]
        X, _, index = sliding_windows(later, 4, gap=gap, return_index=True)
        last = last_window(series, 4)
        assert last.dtype == np.float32
        assert_allclose(last, X[[index["series"].tolist().index(1) - 1, -1]], rtol=1e-6)

    @pytest.mark.parametrize(
        "series", [LONG, list(LONG), pd.Series(LONG), [LONG], pd.DataFrame({"a": LONG})]
    )
    def test_containers(self, series):
        X = last_window(series, np.int64(3))
        assert_array_equal(X[:, :, 0], [[6, 7, 8]])
        X[:] = 0  # a copy
        assert LONG[-1] == 8

    def test_the_whole_series(self):
        assert last_window(np.arange(3), 3).tolist() == [[[0], [1], [2]]]

    @pytest.mark.parametrize(
        ("series", "window", "error", "message"),
        [
            (np.arange(3), 4, ValueError, "series has 3 timesteps, but window=4"),
            ([np.arange(5), np.arange(3)], 4, ValueError, r"series\[1\] has 3 timesteps"),
            (np.arange(3), 0, ValueError, "window == 0, must be >= 1"),
            (np.arange(3), 2.0, TypeError, "window must be an instance of int"),
            (np.array([1.0, np.nan]), 1, ValueError, "series is NaN at timestep 1"),
            ([np.ones((3, 2)), np.ones((3, 1))], 2, ValueError, "has 1 features"),
        ],
    )
    def test_refusals(self, series, window, error, message):
        with pytest.raises(error, match=message):
            last_window(series, window)


@pytest.mark.parametrize(
    ("series", "options", "error", "message"),
    [
        (
            LONG,
            {"window": 9},
            ValueError,
            "has 9 timesteps, but window=9 and horizon=1 need 10",
        ),
        ([LONG, SHORT], {"window": 3}, ValueError, r"series\[1\] has 3 timesteps.*need 4"),
        (LONG, {"window": 6, "horizon": 3, "gap": 1}, ValueError, "gap=1 and horizon=3 need 10"),
        (LONG, {"window": 0}, ValueError, "window == 0, must be >= 1"),
        (LONG, {"window": 3, "horizon": 0}, ValueError, "horizon == 0, must be >= 1.*last_window"),
        (LONG, {"window": 9}, ValueError, r"need 10: .*last_window\(series, window\)"),
        (LONG, {"window": 3, "horizon": False}, TypeError, "horizon must be a number"),
        (LONG, {"window": 3, "stride": 0}, ValueError, "stride == 0, must be >= 1"),
        (LONG, {"window": 3, "gap": -1}, ValueError, "gap == -1, must be >= 0"),
        (LONG, {"window": 3.0}, TypeError, "window must be an instance of int"),
        (LONG, {"window": True}, TypeError, "window must be a number"),
        (LONG, {"window": "3"}, TypeError, "window must be an instance of int"),
        ([], {"window": 3}, ValueError, "series must be .* got an empty list"),
        (LONG[:0], {"window": 3}, ValueError, "series must be .* with no dimension of length 0"),
        (5.0, {"window": 3}, ValueError, "series must be .* got float"),
        (LONG.reshape(3, 3, 1), {"window": 1}, ValueError, r"got ndarray of shape \(3, 3, 1\)"),
        ([LONG, 1.0], {"window": 3}, ValueError, r"series\[1\] must be"),
        ([LONG, FRAME], {"window": 3}, ValueError, r"series\[1\] has 2 features, but series\[0\]"),
        ([FRAME, FRAME[["b", "a"]]], {"window": 3}, ValueError, r"series\[1\] has the columns"),
        ([FRAME, FRAME.to_numpy()], {"window": 3}, ValueError, r"series\[1\] has no column names"),
        ([[1, [2]], LONG], {"window": 1}, ValueError, r"series\[0\]"),
        (["abc", "abd"], {"window": 1}, ValueError, r"series\[0\] must be"),
        (np.array(["a", "b", "c"]), {"window": 1}, ValueError, "series must hold numbers"),
        (FRAME.assign(b="north"), {"window": 3}, ValueError, r"series .* numbers.*\(in column 1\)"),
        (csr_array(np.eye(5)), {"window": 1}, TypeError, "series is sparse"),
        (np.ma.masked_less(LONG, 3), {"window": 1}, ValueError, "series is a masked array"),
        (np.r_[LONG, np.nan, LONG], {"window": 3}, ValueError, "series is NaN at timestep 9"),
        ([LONG, LONG * np.nan], {"window": 3}, ValueError, r"series\[1\] is NaN at timestep 0"),
        (FRAME, {"window": 3, "target": "c"}, ValueError, "target='c' is not among the features"),
        (FRAME, {"window": 3, "target": ["a", 1]}, ValueError, r"are \['a', 'b'\]"),
        (LONG, {"window": 3, "target": 1}, ValueError, r"target=1 is not among.* are \[0\]"),
        (np.eye(9), {"window": 3, "target": True}, ValueError, "target=True is not among"),
        (LONG, {"window": 3, "target": []}, ValueError, "target is an empty list"),
    ],
)
def test_bad_input(series, options, error, message):
    with pytest.raises(error, match=message):
        sliding_windows(series, **options)


def test_missing_values_of_nullable_columns_are_nan():
    frame = FRAME.assign(b=FRAME["b"].astype("Float64").mask(FRAME["b"] == FRAME["b"].iloc[2]))
    X, y = sliding_windows(frame, 3, target="a")
    expected, _ = sliding_windows(frame.astype(float), 3, target="a")
    assert np.isnan(expected).any()
    assert_array_equal(X, expected)
    assert y.dtype == np.float64
