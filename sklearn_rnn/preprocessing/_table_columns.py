"""The columns of a table: which there are, and what sequences are made of them."""

from numbers import Number

import numpy as np

from sklearn_rnn._input.content import as_numbers, missing
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn.preprocessing._features import as_plain


def column_names(df) -> list:
    """The names of the columns; raise unless df is a DataFrame with rows and distinct columns."""
    known = hasattr(type(df), "columns") and (hasattr(df, "iloc") or hasattr(df, "hstack"))
    if not known:
        raise TypeError(
            f"df must be a DataFrame of pandas or polars; got {describe(df)}. Call collect() on a "
            "LazyFrame, and give the table rather than its groupby."
        )
    columns = list(df.columns)
    if len(set(columns)) < len(columns):
        raise ValueError(f"df has several columns of one name: {columns}.")
    if not len(df):
        raise ValueError("df has no rows: there must be at least one sequence.")
    return columns


def named(chosen, name: str, df, columns: list) -> list:
    """Return the columns that an argument names; raise if df lacks one."""
    chosen = as_plain(chosen)
    several = chosen if isinstance(chosen, list) else [chosen]
    for column in several:
        if column not in columns:
            in_index = column in getattr(getattr(df, "index", None), "names", [])
            hint = " (It is in the index: call df.reset_index() first.)" if in_index else ""
            raise ValueError(
                f"{name}={column!r} is not among the columns, which are {columns}.{hint}"
            )
    if len(set(several)) < len(several):
        raise ValueError(f"{name} names a column twice: {several}.")
    return several


def as_array(column) -> np.ndarray:
    """Make an array. Times of pandas with a time zone become UTC, which sorts faster than objects.

    polars does the same by itself.
    """
    has_zone = getattr(column.dtype, "tz", None) is not None
    return np.asarray(column, f"M8[{column.dtype.unit}]" if has_zone else None)


def check_complete(df, name: str) -> None:
    """Raise if a value of a column is missing."""
    absent = missing(as_array(df[name]))
    if absent.any():
        raise ValueError(
            f"df has no value of {name!r} in row {absent.argmax()}, but each row needs its group "
            "and time: fill it, or drop the row."
        )


def times_of(df, name: str) -> np.ndarray:
    """Return numbers in the order of the times, (n_rows,)."""
    array = as_array(df[name])
    if array.dtype.kind in "iufmM":
        return array
    if array.dtype.kind != "O" or any(isinstance(value, (str, bytes)) for value in array):
        raise ValueError(
            f"time={name!r} must hold numbers, dates or durations, but holds values such as "
            f"{df[name].to_list()[0]!r}: convert the column first, such as by pandas.to_datetime."
        )
    with about("time"):  # objects, such as datetime.time or pandas' Period, that may not compare
        return np.unique(array, return_inverse=True)[1]


def numbers_of(df, name: str) -> np.ndarray:
    """Return a column of numbers; raise if it holds others, or categories."""
    column = df[name]
    array = plain(column)
    is_category = str(column.dtype).lower().startswith(("categ", "enum"))
    if is_category or not (array.dtype.kind in "fiub" or _are_numbers(array)):
        raise ValueError(
            f"features: column {name!r} holds values such as {column.to_list()[0]!r} (dtype "
            f"{column.dtype}), but features must be numbers. Encode categories first, such as by "
            "OneHotEncoder or pandas.get_dummies; make numbers of dates; or leave the column out "
            "of features."
        )
    return as_numbers(array, name)


def plain(column) -> np.ndarray:
    """Return an array of a column. What is missing becomes NaN among numbers, None among others."""
    array = np.asarray(column)
    if array.dtype.kind != "O":
        return array
    absent = missing(array)
    if _are_numbers(array[~absent]):
        return np.array(np.where(absent, np.nan, array).tolist())
    return np.where(absent, None, array)


def _are_numbers(values: np.ndarray) -> bool:
    return all(isinstance(value, (Number, np.bool_)) for value in values)
