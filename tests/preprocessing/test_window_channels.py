"""Windows that show chosen features, what is known ahead, and static features."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sequences import object_array
from sklearn_rnn import RNNRegressor
from sklearn_rnn.model_selection import TimeSeriesWindowSplit
from sklearn_rnn.preprocessing import add_static, last_window, sliding_windows

NAMES = ["load", "price", "wind", "day"]


def numbered(lengths, dtype=np.float64):
    """Series of four features in which every value is different."""
    return [
        (1000 * i + np.arange(length * 4).reshape(length, 4)).astype(dtype)
        for i, length in enumerate(lengths)
    ]


def channels_of(values, t, options, horizon, gap, row):
    """The channels at a timestep, one by one."""
    shown = [values[t][i] for i in options["past"]]
    for ahead in range(gap + 1, gap + horizon + 1):
        shown += [values[t + ahead][i] for i in options["future"]]
    return [*shown, *row]


@st.composite
def cases(draw):
    window, horizon = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    gap = draw(st.integers(0, 2))
    least = window + gap + horizon
    lengths = draw(st.lists(st.integers(least, least + 5), min_size=1, max_size=3))
    features = st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True)
    options = {"past": draw(features), "future": draw(features)}
    others = [i for i in range(4) if i not in options["future"]]
    options["target"] = draw(st.lists(st.sampled_from(others), min_size=1, max_size=2, unique=True))
    n_static, stride = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    return window, horizon, stride, gap, lengths, options, n_static


@given(cases(), st.sampled_from([np.float32, np.float64, np.int16]))
def test_windows_are_those_of_a_plain_loop(case, dtype):
    window, horizon, stride, gap, lengths, options, n_static = case
    series = numbered(lengths, dtype)
    static = -1 - np.arange(len(series) * n_static, dtype=dtype).reshape(len(series), n_static)
    X, y, index = sliding_windows(
        series,
        window,
        horizon,
        stride,
        gap=gap,
        **options,
        static=static if n_static else None,
        return_index=True,
    )
    for i, (number, start, first_target, stop) in enumerate(index.tolist()):
        values, row = series[number], static[number]
        expected = [
            channels_of(values, t, options, horizon, gap, row) for t in range(start, start + window)
        ]
        assert_array_equal(X[i], expected)
        targets = values[first_target:stop][:, options["target"]]
        assert_array_equal(y[i].reshape(targets.shape), targets)
    assert X.dtype == y.dtype == dtype
    assert len(X) == sum(len(range(window + gap + horizon, n + 1, stride)) for n in lengths)


@given(cases(), st.data())
def test_the_last_window_is_a_row_of_the_windows_of_the_longer_series(case, data):
    """Cut at any time, what is known ahead added: the channels with which a model was trained."""
    window, horizon, _, gap, lengths, options, n_static = case
    series = numbered(lengths, np.float32)
    static = np.arange(len(series) * n_static).reshape(len(series), n_static) if n_static else None
    X, _, index = sliding_windows(
        series, window, horizon, gap=gap, **options, static=static, return_index=True
    )
    now = [data.draw(st.integers(window, n - gap - horizon)) for n in lengths]
    known = [values[t:, options["future"]] for values, t in zip(series, now, strict=True)]
    last = last_window(
        [values[:t] for values, t in zip(series, now, strict=True)],
        window,
        horizon,
        gap=gap,
        past=options["past"],
        future=options["future"],
        static=static,
        X_future=known,
    )
    rows = [
        np.flatnonzero((index["series"] == number) & (index["start"] == t - window)).item()
        for number, t in enumerate(now)
    ]
    assert_array_equal(last, X[rows])
    assert last.dtype == X.dtype


class TestDefaults:
    values = numbered([9])[0]

    def test_nothing_new_without_them(self):
        X, y = sliding_windows(self.values, 3, 2)
        assert_array_equal(X[1], self.values[1:4])
        assert_array_equal(y[1], self.values[4:6])

    def test_past_and_target_are_all_that_is_not_known_ahead(self):
        X, y = sliding_windows(self.values, 3, 2, future=[3, 1])
        explicit = sliding_windows(self.values, 3, 2, past=[0, 2], target=[0, 2], future=[3, 1])
        assert_array_equal(X, explicit[0])
        assert_array_equal(y, explicit[1])
        assert X.shape[2] == 2 + 2 * 2

    def test_the_past_of_what_is_known_ahead(self):
        X, _ = sliding_windows(self.values, 3, past=[0, 1], future=1, target=0)
        assert_array_equal(X[0], self.values[:4, [0, 1, 1]][[0, 1, 2]] + [[0, 0, 4]] * 3)

    def test_the_last_timestep_shows_the_timesteps_of_all_targets(self):
        X, y, index = sliding_windows(
            self.values, 3, 2, gap=1, past=0, future=1, target=1 - 1, return_index=True
        )
        for row, one in zip(X, index, strict=True):
            assert_array_equal(row[-1, 1:], self.values[one["first_target"] : one["stop"], 1])
        assert y.shape == (len(X), 2)


class TestContainers:
    values = numbered([9, 7])

    @pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
    def test_names(self, make):
        frames = [make(dict(zip(NAMES, one.T, strict=True))) for one in self.values]
        static = make({"size": [1.0, 2.0]})
        by_name = {"past": ["wind", "load"], "future": "price", "target": "load"}
        by_number = {"past": [2, 0], "future": 1, "target": 0}
        X, y = sliding_windows(frames, 3, 2, **by_name, static=static)
        expected = sliding_windows(self.values, 3, 2, **by_number, static=[[1.0], [2.0]])
        assert_array_equal(X, expected[0])
        assert_array_equal(y, expected[1])
        del by_name["target"], by_number["target"]
        known = [one[-2:, [1]] for one in self.values]
        # Other columns, other order, words among them: the names choose.
        later = [make({"note": ["a", "b"], "price": one[:, 0]}) for one in known]
        X = last_window(frames, 3, 2, **by_name, X_future=later)
        assert_array_equal(X, last_window(self.values, 3, 2, **by_number, X_future=known))

    @pytest.mark.parametrize("container", [list, tuple, object_array])
    def test_lists(self, container):
        known = [one[:3, [3, 1]] for one in self.values]
        options = {"past": 0, "future": [3, 1]}
        X = last_window(container(self.values), 3, 2, gap=1, **options, X_future=container(known))
        assert_array_equal(X, last_window(self.values, 3, 2, gap=1, **options, X_future=known))

    def test_one_series(self):
        values, known = self.values[0], [5.0, 6.0, 7.0]  # one more than is needed
        for later in (known, np.array(known), pd.Series(known), np.array(known)[:, np.newaxis]):
            X = last_window(values, 3, 2, past=0, future=1, X_future=later)
            assert_array_equal(X[0, -1], [values[-1, 0], 5.0, 6.0])
        X = last_window(values, 3, static=[[1, 2]])
        assert_array_equal(X[0, :, 4:], [[1, 2]] * 3)

    def test_dtypes(self):
        single, whole = self.values[0].astype(np.float32), self.values[0].astype(int)
        static = np.array([[0.5]])
        assert sliding_windows(single, 3, static=static)[0].dtype == np.float32
        assert sliding_windows(whole, 3, static=static)[0].dtype == np.float64
        assert sliding_windows(whole, 3, static=[[1]])[0].dtype == int
        X = last_window(single, 3, future=1, X_future=np.array([0.5]))
        assert X.dtype == np.float32
        assert last_window(whole, 3, future=1, X_future=[0.5])[0, -1, -1] == 0.5


def test_the_windows_are_those_with_add_static():
    series, static = numbered([9, 7, 8]), np.arange(6.0).reshape(3, 2)
    X, _, index = sliding_windows(series, 3, return_index=True)
    assert_array_equal(
        sliding_windows(series, 3, static=static)[0], add_static(X, static[index["series"]])
    )


class TestMissingValues:
    def test_where_a_window_shows_something_else(self):
        values = numbered([9])[0]
        values[4, :3] = np.nan
        X, _ = sliding_windows(values, 3, past=[0, 3])
        assert np.isnan(X).any()
        with pytest.raises(ValueError, match="series is NaN at timestep 4, in all features that a"):
            sliding_windows(values, 3, past=[0, 1])
        sliding_windows(values, 3, past=[0, 1], static=[[1.0]])

    def test_of_the_last_window(self):
        values = numbered([9])[0]
        values[2] = np.nan
        assert np.isfinite(last_window(values, 3)).all()  # what it doesn't show may be missing
        with pytest.raises(ValueError, match="series is NaN at timestep 2"):
            last_window(values, 7)


def test_a_network_uses_what_is_known_ahead():
    """Sales that follow tomorrow's price can be forecast only from tomorrow's price."""
    rng = np.random.default_rng(0)
    shops = []
    for _ in range(3):
        price = rng.normal(10, 2, 120)
        shops.append(pd.DataFrame({"sales": 100 - 5 * price, "price": price}))
    options = {"window": 8, "horizon": 2, "past": "sales", "future": "price"}
    X, y, index = sliding_windows(shops, **options, target="sales", return_index=True)
    train, test = next(TimeSeriesWindowSplit(1, test_size=30).split(X, y, index))
    model = RNNRegressor(hidden_size=8, learning_rate_init=0.02, random_state=0)
    model.fit(X[train], y[train])
    assert model.score(X[test], y[test]) > 0.9
    without = sliding_windows([shop[["sales"]] for shop in shops], 8, 2)[0]
    assert model.fit(without[train], y[train]).score(without[test], y[test]) < 0.2
    now = [shop[:100] for shop in shops]
    ahead = model.fit(X[train], y[train]).predict(
        last_window(now, **options, X_future=[shop[100:] for shop in shops])
    )
    truth = np.array([shop["sales"][100:102] for shop in shops])
    assert np.abs(ahead - truth).mean() < 3


VALUES = numbered([9])[0]
FRAME = pd.DataFrame(VALUES, columns=NAMES)
SLIDING = [
    ({"past": 4}, "past=4 is not among the features"),
    ({"past": []}, "past is an empty list"),
    ({"future": "price"}, "future='price' is not among the features"),
    ({"future": [True]}, "future=True is not among"),
    ({"future": []}, "future is an empty list"),
    ({"future": FRAME}, "future must choose among the features .* got DataFrame of shape"),
    ({"future": [FRAME, FRAME]}, "future must choose .* got list of DataFrame"),
    ({"past": VALUES}, "past must choose .* got ndarray of shape"),
    ({"target": [[0], [1]]}, "target must choose .* got list of list"),
    ({"future": [0, 1, 2, 3]}, "has all the features of the series.*nothing left to forecast"),
    ({"future": [0, 1, 2, 3], "past": 0}, "has all the features of the series"),
    ({"future": [1, 2], "target": [0, 2]}, r"target and future both have \[2\]"),
    ({"static": [1.0]}, r"static must be 2-D, \(1, n_static\).*for each of the series"),
    ({"static": [[1.0], [2.0]]}, "static has 2 rows, but there are 1 series"),
    ({"static": [["a"]]}, "static must hold numbers"),
    ({"static": np.ones((1, 0))}, "static must be 2-D"),
    ({"static": np.ma.masked_less([[0.0]], 1)}, "static is a masked array"),
]
LAST = [
    ({"future": 1}, r"X_future is needed: the window shows \[1\] up to 2 timesteps after"),
    ({"X_future": VALUES}, "X_future is given, but no features are known ahead"),
    ({"future": 1, "X_future": [1.0]}, "X_future has 1 timesteps, but 2 are needed .* horizon=2"),
    ({"future": 1, "gap": 1, "X_future": [1.0, 2.0]}, "2 timesteps, but 3 are needed .* gap=1"),
    ({"future": 1, "X_future": VALUES}, r"X_future has 4 features, but must have .* \[1\]"),
    ({"future": 1, "X_future": [[1.0, 2.0]] * 2}, "X_future has 2 series, but there are 1"),
    ({"future": 1, "X_future": ["a", "b"]}, "X_future must hold numbers|X_future"),
    ({"future": 1, "X_future": 5.0}, "X_future must be .* got float"),
    ({"static": [[1.0], [2.0]]}, "static has 2 rows, but there are 1 series"),
    ({"past": "load"}, "past='load' is not among"),
    ({"horizon": 0}, "horizon == 0, must be >= 1"),
    ({"gap": -1}, "gap == -1, must be >= 0"),
]


class TestRefusals:
    def test_a_single_feature_is_no_forecast_of_itself(self):
        with pytest.raises(ValueError, match="nothing left to forecast"):
            sliding_windows(VALUES[:, 0], 3, past=0, future=0)

    @pytest.mark.parametrize(("options", "message"), SLIDING)
    def test_sliding_windows(self, options, message):
        with pytest.raises((ValueError, TypeError), match=message):
            sliding_windows(VALUES, 3, 2, **options)

    @pytest.mark.parametrize(("options", "message"), LAST)
    def test_last_window(self, options, message):
        with pytest.raises(ValueError, match=message):
            last_window(VALUES, **{"window": 3, "horizon": 2} | options)

    def test_names(self):
        with pytest.raises(ValueError, match=r"X_future .* lacks the columns \['price'\]"):
            last_window(FRAME, 3, future="price", X_future=FRAME[["load"]])
        with pytest.raises(ValueError, match=r"X_future\[1\] .* lacks the columns \['price'\]"):
            last_window([FRAME] * 2, 3, future="price", X_future=[FRAME, FRAME[["load"]]])
        with pytest.raises(ValueError, match=r"target and future both have \['price'\]"):
            sliding_windows(FRAME, 3, future="price", target="price")
