"""Sequences from long tables of pandas and polars, and predictions back in their rows."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.model_selection import cross_val_predict, train_test_split

from sequences import object_array
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import pad_sequences, to_frame, to_sequences, unpad_sequences

LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
SMALL = {"hidden_size": 3, "tol": 1, "random_state": 0}
both = pytest.mark.parametrize("frame", LIBRARIES.values(), ids=LIBRARIES)


def values(frame, name):
    return np.asarray(frame[name]).tolist()


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


SHUFFLED = {
    "id": [7, 3, 7, 3, 7],
    "t": [2, 0, 1, 1, 0],
    "a": [1.0, 2.0, 3.0, 4.0, 5.0],
    "b": [True, False, True, False, True],
    "late": [0, 1, 0, 1, 0],
}


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


class TestRefusals:
    @both
    @pytest.mark.parametrize(
        ("columns", "options", "message"),
        [
            ({"t": [2, 0, None, 1, 0]}, {}, "no value of 't' in row 2"),
            ({"t": [2.0, np.nan, 1, 1, 0]}, {}, "no value of 't' in row 1"),
            ({"t": [dt.datetime(2024, 1, 1)] * 3 + [None] * 2}, {}, "no value of 't' in row 3"),
            ({"id": [7, 3, 7, 3, None]}, {}, "no value of 'id' in row 4"),
            ({"id": ["x", None, "x", "y", "y"]}, {}, "no value of 'id' in row 1"),
            (
                {"t": [2, 0, 1, 1, 2]},
                {},
                "has the t 2 twice in group 7, in rows 0 and 4: .*one row per timestep",
            ),
            (
                {"t": [dt.datetime(2024, 5, 1)] * 5},
                {"group": ["id", "late"]},
                r"has the t 2024-05-01 .*twice in group \(7, 0\), in rows 0 and 2",
            ),
            ({"t": list("20110")}, {}, "time='t' must hold numbers, dates.* such as '2'"),
            ({"a": list("pqrst")}, {}, "column 'a' holds values such as 'p' .*OneHotEncoder"),
            ({"a": ["1", "2", "3", "4", "5"]}, {}, "column 'a' .* must be numbers"),
            ({"a": [dt.datetime(2024, 5, 1)] * 5}, {}, "column 'a' .*make numbers of dates"),
            (
                {"late": [0, 1, 0, 0, 0]},
                {"target": "late"},
                "target 'late' is not constant in group 3: it is 1 in row 1 and 0 in row 3.*"
                "per_timestep=True",
            ),
            ({"a": [1.0, 2.0, np.nan, 2.0, 1.0]}, {"target": "a"}, "not constant in group 7"),
            ({"a": ["p", "q", None, "q", "p"]}, {"target": "a"}, "not constant in group 7"),
            ({}, {"group": "shop"}, r"group='shop' is not among the columns, which are \['id'"),
            ({}, {"time": "day"}, "time='day' is not among"),
            ({}, {"features": ["a", "z"]}, "features='z' is not among"),
            ({}, {"target": 3}, "target=3 is not among"),
            ({}, {"features": ["a", "a"]}, "features names a column twice"),
            ({}, {"features": []}, "features has no columns"),
            ({}, {"group": []}, "group must name at least one column"),
            ({}, {"group": ["id", "t"]}, "time at most one, which is no group"),
            ({}, {"time": ["t", "a"]}, "time at most one"),
            ({}, {"group": ["id", "a", "b", "late"], "time": "t"}, "features has no columns"),
        ],
    )
    def test_of_values_and_names(self, frame, columns, options, message):
        df = frame(SHUFFLED | columns)
        with pytest.raises(ValueError, match=message):
            to_sequences(df, **({"group": "id", "time": "t"} | options))

    @pytest.mark.parametrize("options", [{}, {"features": "c"}])
    @pytest.mark.parametrize(
        "column",
        [
            pd.Series(pd.Categorical([1, 2, 1, 2, 1])),
            pl.Series(list("ababa"), dtype=pl.Categorical),
            pl.Series(list("ababa"), dtype=pl.Enum(["a", "b"])),
        ],
        ids=["pandas", "polars", "enum"],
    )
    def test_of_categories(self, column, options):
        df = type(column.to_frame())(SHUFFLED | {"c": column})
        with pytest.raises(ValueError, match=r"column 'c' .*Encode categories first"):
            to_sequences(df, group="id", time="t", **options)

    @pytest.mark.parametrize(
        "df",
        [
            SHUFFLED,
            np.ones((3, 2)),
            [pd.DataFrame(SHUFFLED)],
            pd.DataFrame(SHUFFLED)["a"],
            pd.DataFrame(SHUFFLED).groupby("id"),
            pl.DataFrame(SHUFFLED).lazy(),
            pl.DataFrame(SHUFFLED).group_by("id"),
            pd.DataFrame,
        ],
        ids=lambda df: type(df).__name__,
    )
    def test_of_what_is_no_table(self, df):
        with pytest.raises(TypeError, match="df must be a DataFrame of pandas or polars; got"):
            to_sequences(df, group="id")

    def test_of_tables_that_pandas_allows(self):
        df = pd.DataFrame(SHUFFLED)
        with pytest.raises(ValueError, match="df has no rows"):
            to_sequences(df[:0], group="id")
        with pytest.raises(ValueError, match="several columns of one name"):
            to_sequences(pd.concat([df, df], axis=1), group="id")
        with pytest.raises(ValueError, match=r"time='t' is not .*call df.reset_index\(\) first"):
            to_sequences(df.set_index(["id", "t"]), group="a", time="t")
        df["t"] = pd.Series([2, dt.date(2024, 1, 1), 1, 1, 0], dtype=object)
        with pytest.raises(TypeError, match="time: "):
            to_sequences(df, group="id", time="t")


class TestToFrame:
    @both
    def test_shapes_of_predictions(self, frame):
        df = frame(SHUFFLED)
        X, _, index = to_sequences(df, group="id", time="t", features="a")
        proba = np.array([[0.1, 0.9], [0.8, 0.2]])
        back = to_frame(proba, index, columns=np.array([0, 1]))
        assert list(back.columns) == ["id", "t", "0", "1"]
        assert values(back, "1") == [0.9, 0.2, 0.9, 0.2, 0.9]
        assert list(to_frame(proba, index).columns)[2:] == ["prediction_0", "prediction_1"]
        assert values(to_frame(proba[:, :1], index), "prediction_0") == [0.1, 0.8, 0.1, 0.8, 0.1]
        per_step = [np.column_stack([x, -x]) for x in X]
        for container in (list, tuple, object_array):
            back = to_frame(container(per_step), index, columns=["up", "down"])
            assert values(back, "down") == [-a for a in SHUFFLED["a"]]
        labels = [np.where(x[:, 0] > 2, "high", "low") for x in X]
        back = to_frame(labels, index, columns="level")
        assert values(back, "level") == ["low", "low", "high", "high", "high"]
        padded = pad_sequences([x[:, 0] for x in X])
        parts = unpad_sequences(padded, lengths=[len(one.rows) for one in index])
        assert values(to_frame(parts, index), "prediction") == SHUFFLED["a"]
        for wrap in (list, pd.Series, pl.Series, object_array):
            back = to_frame(wrap(["x", "y"]), index)
            assert values(back, "prediction") == ["x", "y", "x", "y", "x"]
        for table in LIBRARIES.values():
            back = to_frame(table({"p": [1, 2], "q": [3, 4]}), index)
            assert values(back, "prediction_1") == [3, 4, 3, 4, 3]

    def test_the_index_of_pandas_is_kept(self):
        df = pd.DataFrame(SHUFFLED, index=["r", "s", "r", "t", "t"])  # labels may repeat
        _, _, index = to_sequences(df, group="id", time="t")
        df["prediction"] = to_frame([10, 20], index)["prediction"]
        assert df["prediction"].tolist() == [10, 20, 10, 20, 10]
        assert to_frame([20], index[1:]).index.tolist() == ["s", "t"]

    @both
    def test_one_column_per_group_and_no_time(self, frame):
        _, _, index = to_sequences(frame(SHUFFLED), group="id", features="a")
        assert list(to_frame([1, 2], index).columns) == ["id", "prediction"]

    @both
    def test_with_networks_and_splits(self, frame):
        rng = np.random.default_rng(0)
        n = 60
        df = frame(
            {
                "id": rng.permutation(np.arange(n) % 12),
                "t": rng.permutation(n),
                "a": rng.normal(size=n),
                "b": rng.normal(size=n),
            }
        )
        X, y, index = to_sequences(
            df, group="id", time="t", features="a", target="b", per_timestep=True
        )
        model = RNNRegressor(return_sequences=True, **SMALL)
        X_train, X_test, y_train, _, _, index_test = train_test_split(X, y, index, random_state=0)
        predicted = model.fit(X_train, y_train).predict(X_test)
        by_key = {
            (one.group, time): value
            for one, part in zip(index_test, predicted, strict=True)
            for time, value in zip(np.asarray(df["t"])[one.rows], part, strict=True)
        }
        back = to_frame(predicted, index_test)
        rows = zip(values(back, "id"), values(back, "t"), values(back, "prediction"), strict=True)
        assert {(group, time): value for group, time, value in rows} == by_key
        every = cross_val_predict(model, object_array(X), object_array(y), cv=3)
        assert len(to_frame(every, index)) == n

        labels = np.arange(12) % 3
        classifier = RNNClassifier(**SMALL).fit(X, labels)
        proba = to_frame(classifier.predict_proba(X), index, columns=classifier.classes_)
        sums = sum(np.asarray(proba[str(label)]) for label in range(3))
        assert sums == pytest.approx(np.ones(n))

    @both
    def test_an_index_can_be_pickled_and_chosen_from(self, frame):
        _, _, index = to_sequences(frame(SHUFFLED), group="id", time="t")
        again = pickle.loads(pickle.dumps(index))
        assert values(to_frame([1, 2], again), "prediction") == [1, 2, 1, 2, 1]
        chosen = object_array(index)[np.array([1])]
        assert values(to_frame([2], chosen), "t") == [0, 1]

    @pytest.mark.parametrize(
        ("predictions", "columns", "message"),
        [
            ([1.0], None, "predictions has 1 sequences, but index has 2"),
            (1.0, None, "predictions has 0 sequences"),
            (np.ones((2, 3, 1)), None, r"\(2, 3, 1\).*unpad_sequences"),
            ([[1, 2, 3], [1, 2, 3]], None, r"predictions\[1\] has shape \(3,\).*has 2 rows"),
            ([np.ones(3), 1.0], None, r"predictions\[1\] has shape \(\)"),
            ([np.ones((3, 1)), np.ones((2, 2))], None, r"predictions\[1\] has shape \(2, 2\)"),
            ([1, 2], ["p", "q"], "columns has 2 names, but there are 1"),
            (np.ones((2, 2)), "p", "columns has 1 names, but there are 2"),
            ([1, 2], "t", "two columns 't'"),
            (np.ones((2, 2)), ["p", "p"], "two columns 'p'"),
        ],
    )
    @both
    def test_refusals(self, frame, predictions, columns, message):
        _, _, index = to_sequences(frame(SHUFFLED), group="id", time="t")
        with pytest.raises(ValueError, match=message):
            to_frame(predictions, index, columns)

    @both
    def test_refusals_of_the_index(self, frame):
        one = to_sequences(frame(SHUFFLED), group="id", time="t").index
        other = to_sequences(frame(SHUFFLED), group="id", time="t").index
        with pytest.raises(ValueError, match="several tables"):
            to_frame([1, 2], [one[0], other[1]])
        for index in ([], None, [[0, 1], [2]], one[0], frame(SHUFFLED)):
            with pytest.raises(TypeError, match="index must be a list from to_sequences"):
                to_frame([1, 2], index)
