"""What the labels of a DataFrame say about its shape is read, or the DataFrame is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from fits import ESTIMATORS
from refusals import refused
from sequences import object_array
from sklearn_rnn import RNNRegressor
from sklearn_rnn.metrics import flatten_sequences, make_sequence_scorer
from sklearn_rnn.model_selection import StratifiedSequenceKFold
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    PerTimestep,
    PerTimestepTarget,
    SequenceLookup,
    SequenceNormalizer,
    add_static,
    last_window,
    pad_sequences,
    sliding_windows,
    to_channels_first,
    unpad_sequences,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Instance a has five timesteps, b has four.
INDEX = pd.MultiIndex.from_tuples(
    [("a", t) for t in range(5)] + [("b", t) for t in range(4)], names=["id", "time"]
)
PANEL = pd.DataFrame({"x": [0.0, 1, 2, 3, 4, 100, 101, 102, 103]}, index=INDEX)
Y = np.arange(9) % 2
PARTS = [part.droplevel(0) for _, part in PANEL.groupby(level=0, sort=False)]

small = {"hidden_size": 2, "max_iter": 2, "random_state": 0}


def regressor(**parameters):
    return RNNRegressor(**small, **parameters)


# What reads a whole DataFrame, and what reads one in a list.
WHOLE = {
    "fit": lambda panel: regressor().fit(panel, Y),
    "partial_fit": lambda panel: regressor().partial_fit(panel, Y),
    "predict": lambda panel: regressor().fit(np.zeros((9, 1)), Y).predict(panel),
    "X_val": lambda panel: regressor().fit(np.ones((9, 1)), Y, X_val=panel, y_val=Y),
    "PerTimestep": lambda panel: PerTimestep(StandardScaler()).fit(panel),
    "Lags": lambda panel: Lags().fit(panel),
    "transform": lambda panel: Lags().fit(np.zeros((9, 1))).transform(panel),
    "PerTimestepTarget": lambda panel: PerTimestepTarget(regressor()).fit(panel, Y),
    "PatchedRegressor": lambda panel: PatchedRegressor(regressor(return_sequences=True)).fit(
        panel, Y[:, np.newaxis]
    ),
    "InstanceNormalizedRegressor": lambda panel: InstanceNormalizedRegressor(regressor()).fit(
        panel, Y
    ),
    "unpad_sequences": unpad_sequences,
    "sliding_windows": lambda panel: sliding_windows(panel, 3),
    "last_window": lambda panel: last_window(panel, 3),
    "X_future": lambda panel: last_window(np.ones((3, 2)), 1, future=1, X_future=panel),
    "add_static": lambda panel: add_static(panel, np.ones((9, 1))),
    "SequenceLookup": SequenceLookup,
    "sliding_windows of a Series": lambda panel: sliding_windows(panel["x"], 3),
    "flatten_sequences": lambda panel: flatten_sequences(panel, panel, X=panel),
    "a scorer": lambda panel: make_sequence_scorer("r2")(None, panel, panel),
    "a splitter": lambda panel: next(StratifiedSequenceKFold(2).split(panel, panel)),
}
IN_LIST = {
    "fit": lambda panels: regressor().fit(panels, [0, 1]),
    "objects": lambda panels: regressor().fit(object_array(panels), [0, 1]),
    "y": lambda panels: regressor(return_sequences=True).fit(
        [x.to_numpy() for x in panels], panels
    ),
    "PerTimestep": PerTimestep(StandardScaler()).fit,
    "Lags": Lags().fit_transform,
    "InstanceNormalizedRegressor": lambda panels: (
        InstanceNormalizedRegressor(regressor()).fit(panels, [0.0, 1.0]).regressor_
    ),
    "pad_sequences": pad_sequences,
    "to_channels_first": to_channels_first,
    "sliding_windows": lambda panels: sliding_windows(panels, 3),
    "Series": lambda panels: sliding_windows([x["x"] for x in panels], 3),
    "y_true": lambda panels: flatten_sequences(panels, [x.to_numpy() for x in panels]),
}


class TestPanels:
    @pytest.mark.parametrize("read", WHOLE.values(), ids=WHOLE)
    def test_are_refused(self, read):
        words = r"index has the levels \['id', 'time'\], so it holds 2 sequences"
        with pytest.raises(ValueError, match=words):
            read(PANEL)

    @pytest.mark.parametrize("read", IN_LIST.values(), ids=IN_LIST)
    def test_are_refused_in_a_list(self, read):
        with pytest.raises(ValueError, match=r"\[1\].* holds 2 sequences"):
            read([PARTS[0], PANEL])

    @pytest.mark.parametrize("read", IN_LIST.values(), ids=IN_LIST)
    def test_of_one_instance_are_read(self, read):
        """As iterating over a groupby gives them."""
        groups = [part for _, part in PANEL.groupby(level="id")]
        for actual, expected in zip(arrays(read(groups)), arrays(read(PARTS)), strict=True):
            np.testing.assert_array_equal(actual, expected)

    def test_are_read_as_the_error_advises(self):
        advice = str(refusal(lambda: sliding_windows(PANEL, 3))).partition("per sequence: ")[2]
        X, y = sliding_windows(eval(advice.rstrip("."), {"series": PANEL}), 3)
        assert X[:, :, 0].tolist() == [[0, 1, 2], [1, 2, 3], [100, 101, 102]]
        assert y[:, 0].tolist() == [3, 4, 103]

    def test_of_three_levels(self):
        deep = pd.concat({"u": PANEL, "v": PANEL}, names=["site"])
        advice = str(refusal(lambda: sliding_windows(deep, 3))).partition("per sequence: ")[2]
        assert list(map(len, eval(advice.rstrip("."), {"series": deep}))) == [5, 4, 5, 4]

    @pytest.mark.parametrize("kind", ESTIMATORS)
    def test_rows_may_have_several_labels_where_columns_are_timesteps(self, kind):
        wide = pd.DataFrame(np.eye(9, 3), index=INDEX, columns=pd.date_range("2020", periods=3))
        model = ESTIMATORS[kind](**small)
        np.testing.assert_array_equal(
            model.fit(wide, Y).predict(wide), model.fit(wide.to_numpy(), Y).predict(wide.to_numpy())
        )


def arrays(result):
    """What a reader returned or learned, as arrays."""
    if isinstance(result, RNNRegressor):
        return list(result.weights_.values())
    if isinstance(result, PerTimestep):
        return [result.transformer_.mean_]
    return result


def refusal(call):
    with pytest.raises(ValueError, match="per sequence: ") as caught:
        call()
    return caught.value


class TestColumnLevels:
    wide = pd.DataFrame(
        np.arange(24.0).reshape(4, 6),
        columns=pd.MultiIndex.from_product([["temp", "wind"], [0, 1, 2]], names=["what", "day"]),
    )

    def test_are_refused(self):
        for table in (self.wide, self.wide.swaplevel(axis=1)):
            words = [
                r"levels \['(what|day)', '(what|day)'\]",
                "n_timesteps, n_features",
                "np.stack",
            ]
            refused(regressor(), "fit", table, np.arange(4), words=words)

    def test_are_read_as_the_error_advises(self):
        stacked = np.stack([self.wide[name] for name in self.wide.columns.unique(0)], axis=2)
        assert stacked.shape == (4, 3, 2)
        assert stacked[1].tolist() == [[6, 9], [7, 10], [8, 11]]

    def test_a_level_that_is_constant_says_nothing(self):
        one = self.wide[["temp"]]
        model = regressor().fit(one, np.arange(4))
        assert model.n_features_in_ == 3


TIMESTEPS = [
    ["lag_3", "lag_2", "lag_1"],
    ["t-2", "t-1", "t"],
    ["t-1", "t", "t+1"],
    ["x(t-1)", "x(t)"],
    ["value", "lag_1", "lag_2"],
    ["Jan", "Feb", "Mar"],
    ["Monday", "Tuesday"],
    ["sales_jan_2020", "sales_feb_2020"],
    ["2020-01-01", "2020-01-02"],
    ["col0", "col1"],
    ["lag1"],
    ["0", "1"],
    [0, 1],
    [0.5, 1.5],
    list(pd.date_range("2020", periods=3)),
]
FEATURES = [
    ["temp_max", "temp_min", "wind"],
    ["temp_2m", "wind_10m"],
    ["lag_1", "temp"],
    ["lag_1", "lag_2", "temp", "wind"],
    ["a", "b"],
    ["temp"],
]


class TestNamedColumns:
    def fits(self, columns):
        frame = pd.DataFrame(np.eye(4, len(columns)), columns=columns)
        yield lambda: regressor(tol=1e9, n_iter_no_change=1).fit(frame, np.arange(4))
        yield lambda: regressor().partial_fit(frame, np.arange(4))
        yield lambda: PerTimestep(StandardScaler()).fit(frame)
        yield lambda: SequenceNormalizer().fit(frame)
        yield lambda: InstanceNormalizedRegressor(regressor()).fit(frame, np.arange(4))

    @pytest.mark.parametrize("columns", TIMESTEPS, ids=str)
    def test_that_number_timesteps_are_read_without_a_word(self, columns):
        for fit in self.fits(columns):
            fit()

    @pytest.mark.parametrize("columns", FEATURES, ids=str)
    def test_that_look_like_features_warn(self, columns):
        n = len(columns)
        for fit in self.fits(columns):
            with pytest.warns(UserWarning, match=f"4 sequences of {n} timesteps of one feature"):
                fit()

    def test_warn_once_and_only_in_fit(self):
        frame = pd.DataFrame(np.eye(4, 2), columns=["temp", "wind"])
        with pytest.warns(UserWarning, match="sliding_windows") as caught:
            model = regressor(tol=1e9, n_iter_no_change=1).fit(frame, np.arange(4))
        assert sum("with the columns" in str(warning.message) for warning in caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict(frame)
            model.score(frame, np.arange(4))
