"""Sequences from long tables of pandas and polars, and predictions back in their rows."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from long_tables import SHUFFLED, both, values
from sklearn_rnn.preprocessing import to_frame, to_sequences


@st.composite
def tables(draw):
    """Columns of a long table in random order: groups by two columns, times, and what they tell."""
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(-1, 1), st.integers(-20, 20)),
            min_size=1,
            max_size=25,
            unique=True,
        )
    )
    shop, item, day = map(list, zip(*keys, strict=True))
    return {
        "shop": shop,
        "item": item,
        "day": day,
        "price": np.arange(len(keys)) + 0.5,
        "code": [f"{s}{i}" for s, i, _ in keys],  # one per sequence
    }


ROLES = {"group": ["shop", "item"], "time": "day", "features": ["price", "day"]}


class TestRoundTrip:
    """The table tells of each row what it must be part of, and what it must get back."""

    @both
    @given(columns=tables())
    def test_each_row_is_in_its_sequence_and_gets_its_prediction_back(self, frame, columns):
        df = frame(columns)
        X, y, index = to_sequences(df, target="code", **ROLES)
        assert sum(map(len, X)) == len(df)
        assert [one.group for one in index] == list(
            dict.fromkeys(zip(columns["shop"], columns["item"], strict=True))
        )
        assert y.tolist() == [f"{shop}{item}" for shop, item in (one.group for one in index)]
        for x, one in zip(X, index, strict=True):
            assert_array_equal(x[:, 0], columns["price"][one.rows])
            assert (np.diff(x[:, 1]) > 0).all()
        back = to_frame([x[:, 0] for x in X], index)
        assert list(back.columns) == ["shop", "item", "day", "prediction"]
        for name in ["shop", "item", "day"]:
            assert values(back, name) == columns[name]
        assert values(back, "prediction") == columns["price"].tolist()
        assert values(to_frame(y, index), "prediction") == columns["code"]

    @both
    @given(columns=tables(), data=st.data())
    def test_of_some_of_the_sequences(self, frame, columns, data):
        X, y, index = to_sequences(frame(columns), target="price", per_timestep=True, **ROLES)
        chosen = data.draw(
            st.lists(st.sampled_from(range(len(X))), min_size=1, unique=True), label="chosen"
        )
        some = [index[i] for i in chosen]
        expected = [
            price
            for price, *group in zip(
                columns["price"], columns["shop"], columns["item"], strict=True
            )
            if tuple(group) in {one.group for one in some}
        ]
        back = to_frame([y[i] for i in chosen], some)
        assert values(back, "prediction") == expected
        assert len(back) == len(expected)


class TestToSequences:
    @both
    def test_features_are_the_other_columns(self, frame):
        X, y, index = to_sequences(frame(SHUFFLED), group="id", time="t")
        assert y is None
        assert_array_equal(X[0], [[5, 1, 0], [3, 1, 0], [1, 1, 0]])
        assert_array_equal(X[1], [[2, 0, 1], [4, 0, 1]])
        assert [one.group for one in index] == [7, 3]

    @both
    def test_targets_per_sequence(self, frame):
        df = frame(SHUFFLED)
        made = to_sequences(df, group="id", time="t", target="late")
        assert made.X[0].shape == (3, 2)
        assert_array_equal(made.y, [0, 1])
        assert made.y.dtype == np.int64
        y = to_sequences(df, group="id", time="t", target=["late", "b"]).y
        assert_array_equal(y, [[0, 1], [1, 0]])
        assert to_sequences(df, group="id", time="t", target=["late"]).y.shape == (2, 1)

    @both
    def test_targets_per_timestep(self, frame):
        df = frame(SHUFFLED)
        one = to_sequences(df, group="id", time="t", target="a", per_timestep=True).y
        assert [part.tolist() for part in one] == [[5, 3, 1], [2, 4]]
        two = to_sequences(df, group="id", time="t", target=("a", "late"), per_timestep=True).y
        assert_array_equal(two[1], [[2, 1], [4, 1]])

    @both
    def test_without_time_the_rows_keep_their_order(self, frame):
        X, _, index = to_sequences(frame(SHUFFLED), group="id", features="a")
        assert [x[:, 0].tolist() for x in X] == [[1, 3, 5], [2, 4]]
        assert index[0].rows.tolist() == [0, 2, 4]

    @pytest.mark.parametrize(
        "times",
        [
            [dt.datetime(2024, 1, day) for day in (3, 1, 2, 2, 1)],
            [dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (3, 1, 2, 2, 1)],
            [dt.date(2024, 1, day) for day in (3, 1, 2, 2, 1)],
            [dt.timedelta(day) for day in (3, 1, 2, 2, 1)],
            [dt.time(hour) for hour in (3, 1, 2, 2, 1)],
            [0.3, -np.inf, 0.2, 0.1, 0.1],
            np.array([3, 1, 2, 2, 1], np.uint8),
        ],
        ids=lambda times: type(times[0]).__name__,
    )
    @both
    def test_kinds_of_time(self, frame, times):
        X, _, _ = to_sequences(frame(SHUFFLED | {"t": times}), group="id", time="t", features="a")
        assert [x[:, 0].tolist() for x in X] == [[5, 3, 1], [2, 4]]

    def test_periods_and_numbers_that_may_be_missing(self):
        df = pd.DataFrame(SHUFFLED)
        df["t"] = pd.PeriodIndex.from_ordinals(df["t"], freq="M")
        df["a"] = df["a"].astype("Int64")
        df["b"] = df["b"].astype("boolean")
        df.loc[2, ["a", "b"]] = pd.NA
        X, y, _ = to_sequences(
            df, group="id", time="t", features=["a", "b"], target="b", per_timestep=True
        )
        assert_array_equal(X[0], [[5, 1], [np.nan, np.nan], [1, 1]])
        assert_array_equal(y[0], [1, np.nan, 1])

    def test_polars_numbers_that_may_be_missing(self):
        columns = SHUFFLED | {"a": [1, None, 3, 4, 5], "b": [None, True, False, True, None]}
        X, _, _ = to_sequences(pl.DataFrame(columns), group="id", time="t", features=["a", "b"])
        assert_array_equal(X[0], [[5, np.nan], [3, 0], [1, np.nan]])
        assert_array_equal(X[1], [[np.nan, 1], [4, 1]])

    @both
    def test_a_target_may_be_missing_for_a_whole_sequence(self, frame):
        df = frame(SHUFFLED | {"b": ["x", None, "x", None, "x"]})
        assert to_sequences(df, group="id", target="b", features="a").y.tolist() == ["x", None]
        df = frame(SHUFFLED | {"b": [1.0, np.nan, 1.0, np.nan, 1.0]})
        y = to_sequences(df, group="id", target="b", features="a").y
        assert_array_equal(y, [1, np.nan])

    @both
    @pytest.mark.parametrize(("dtype", "expected"), [(np.float32, np.float32), (int, np.float64)])
    def test_precision(self, frame, dtype, expected):
        columns = {"id": [1, 1, 2], "a": np.ones(3, np.float32), "b": np.ones(3, dtype)}
        X, _, _ = to_sequences(frame(columns), group="id")
        assert X[0].dtype == expected

    @both
    def test_mixed_targets_stay_what_they_are(self, frame):
        df = frame({"id": [1, 1, 2], "a": [1.0, 2.0, 3.0], "n": [1, 1, 2], "s": ["x", "x", "y"]})
        y = to_sequences(df, group="id", features="a", target=["n", "s"]).y
        assert y.tolist() == [[1, "x"], [2, "y"]]

    def test_categories_of_pandas_are_groups_and_targets(self):
        df = pd.DataFrame(SHUFFLED | {"c": pd.Categorical(["x", "y", "x", "y", "x"], list("zyx"))})
        _, y, index = to_sequences(df, group="c", time="t", features="a", target="c")
        assert [one.group for one in index] == ["x", "y"] == y.tolist()

    @both
    def test_other_columns_of_the_rows(self, frame):
        """What the docstring promises of `rows`: they number the rows of the table."""
        df = frame(SHUFFLED)
        _, _, index = to_sequences(df, group="id", time="t")
        rows = getattr(df, "iloc", df)
        assert [values(rows[one.rows], "a") for one in index] == [[5, 3, 1], [2, 4]]

    def test_the_table_stays_as_it_was(self):
        df = pd.DataFrame(SHUFFLED, index=list("vwxyz"))
        before = df.copy()
        X, _, index = to_sequences(df, group="id", time="t")
        to_frame(np.arange(2), index)
        X[0][:] = -1
        pd.testing.assert_frame_equal(df, before)
