"""What makes no sequences of long tables, and what error says so."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from long_tables import SHUFFLED, both
from sklearn_rnn.preprocessing import to_sequences


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
