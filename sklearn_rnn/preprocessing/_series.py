"""Time series, as users give them: one, or several in a list."""

from typing import NamedTuple

import numpy as np

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.content import as_numbers
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import is_frame, refuse_panel


class Series(NamedTuple):
    """One series.

    name : what errors call it
    values : (n_timesteps, n_features)
    is_1d : whether the series came as (n_timesteps,)
    columns : the column names of a DataFrame, otherwise None
    """

    name: str
    values: np.ndarray
    is_1d: bool
    columns: list | None

    @property
    def features(self) -> list:
        """The names of the features, or their numbers."""
        return list(range(self.values.shape[1])) if self.columns is None else self.columns


def read_series(series, name: str = "series") -> list[Series]:
    """Read one series or several; raise unless all of them have the same features.

    name : what errors call the argument
    """
    refuse_panel(series, name)
    with about(name):
        series = opened(series, name)
    if not holds_several(series):
        return [_read_one(series, name)]
    every = [_read_one(one, f"{name}[{i}]") for i, one in enumerate(series)]
    first = every[0]
    for one in every:
        widths = one.values.shape[1], first.values.shape[1]
        if widths[0] != widths[1]:
            raise ValueError(
                f"{one.name} has {widths[0]} features, but {first.name} has {widths[1]}: all "
                "series must have the same features."
            )
        if one.columns != first.columns:
            raise ValueError(
                f"{one.name} has {_in_words(one.columns)}, but {first.name} has "
                f"{_in_words(first.columns)}: all series must have the same columns, in the same "
                "order."
            )
    return every


def holds_several(series) -> bool:
    """Whether this is a list of series, and not one series."""
    of_objects = isinstance(series, np.ndarray) and series.ndim == 1 and series.dtype.kind == "O"
    holds_any = isinstance(series, (list, tuple)) or of_objects
    return holds_any and any(np.iterable(one) for one in series)


def _read_one(one, name: str) -> Series:
    with about(name):
        array = np.asarray(one)
    if array.ndim not in (1, 2) or 0 in array.shape:
        raise ValueError(
            f"{name} must be (n_timesteps,) or (n_timesteps, n_features), with no dimension of "
            f"length 0; got {describe(one)}. Give several series as a list of arrays."
        )
    values = as_numbers(array, name)
    columns = list(one.columns) if is_frame(one) else None
    return Series(name, values.reshape(len(values), -1), array.ndim == 1, columns)


def _in_words(columns: list | None) -> str:
    return "no column names" if columns is None else f"the columns {columns}"
