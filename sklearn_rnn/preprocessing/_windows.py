"""Samples and targets from time series: windows, and the values that follow them."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.content import as_numbers
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import is_frame, refuse_panel
from sklearn_rnn._input.hyperparameters import check_flag, check_number
from sklearn_rnn.preprocessing._features import as_plain, places

NO_TARGET_YET = " (To forecast the future, last_window(series, window) gives X without targets.)"
INDEX = np.dtype([(name, np.intp) for name in ("series", "start", "first_target", "stop")])


class _Series(NamedTuple):
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


def sliding_windows(series, window, horizon=1, stride=1, *, gap=0, target=None, return_index=False):  # noqa: PLR0913
    """Cut time series into windows, and into the targets to forecast from each window.

    The window that starts at timestep s holds the timesteps s to s + window - 1. Its targets are
    the `horizon` timesteps that start at s + window + gap. A window and its targets always belong
    to one series.

    Parameters
    ----------
    series : array-like, or list of array-likes
        A series of numbers: an array (n_timesteps,) or (n_timesteps, n_features), a Series or a
        DataFrame. The index of a DataFrame or Series is ignored; an index that tells several
        series apart is refused. A list or 1-D object array holds several series, which may differ
        in length but must have the same features. Nested lists are several series.
    window : int
        The number of timesteps in a window, at least 1.
    horizon : int, default=1
        The number of timesteps in the targets of a window, at least 1.
    stride : int, default=1
        The number of timesteps from the start of a window to the start of the next, at least 1.
    gap : int, default=0
        The number of timesteps between the end of a window and its first target.
    target : int, str or list of them, default=None
        The features to forecast: their numbers, or their column names in a DataFrame. None means
        all.
    return_index : bool, default=False
        Whether to return the position of each window as well.

    Returns
    -------
    X : ndarray of shape (n_windows, window, n_features)
        The windows, in the order of the series and of time. X is a copy with the dtype of the
        series, about window / stride times as large as they are.
    y : ndarray of shape (n_windows, horizon, n_targets)
        The targets. With ``horizon=1`` there is no axis for the horizon. For 1-D series, or if
        `target` is not a list, there is no axis for the targets. So ``y`` of a 1-D series is
        (n_windows,) with ``horizon=1`` and (n_windows, horizon) otherwise.
    index : ndarray of shape (n_windows,)
        Only with ``return_index=True``. The position of each window, in four integer fields:
        "series" is the number of the series, "start" the first timestep of the window,
        "first_target" the first timestep of the targets, and "stop" the timestep after the last
        target. Timesteps count from 0 in each series. `TimeSeriesWindowSplit` takes the index as
        ``groups``; `sklearn.model_selection.GroupKFold` takes its field "series".

    Raises
    ------
    ValueError, TypeError
        If a number is not an integer or too small. If a series is empty, is too short for one
        window and its targets, does not hold numbers, or has other features than the first series.
        If `target` is not one of the features. If all the features of a timestep are NaN: at the
        end of a window, the estimators would read that timestep as padding. Fill it, or cut the
        series into two there. If only some features are NaN, an imputer can fill them later.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import sliding_windows
    >>> X, y = sliding_windows(np.arange(6.0), window=3)
    >>> X[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    >>> y
    array([3., 4., 5.])

    Two series, with the next two values of the second feature as targets:

    >>> days = np.column_stack([np.arange(8), 10 * np.arange(8)])
    >>> X, y, index = sliding_windows(
    ...     [days, days[:5]], window=3, horizon=2, target=1, return_index=True
    ... )
    >>> X.shape
    (5, 3, 2)
    >>> y
    array([[30, 40],
           [40, 50],
           [50, 60],
           [60, 70],
           [30, 40]])
    >>> index["series"], index["start"]
    (array([0, 0, 0, 0, 1]), array([0, 1, 2, 3, 0]))
    """
    if isinstance(horizon, Integral) and horizon == 0 and horizon is not False:
        raise ValueError(f"horizon == 0, must be >= 1.{NO_TARGET_YET}")
    sizes = {"window": (window, 1), "horizon": (horizon, 1), "stride": (stride, 1), "gap": (gap, 0)}
    for name, (value, least) in sizes.items():
        check_number(name, value, Integral, least, None, "left")
    check_flag("return_index", return_index)
    window, horizon, stride, gap = map(int, (window, horizon, stride, gap))
    every = _read(series)
    before = window + gap
    span = before + horizon
    for one in every:
        _check_values(one)
        if len(one.values) < span:
            raise ValueError(
                f"{one.name} has {len(one.values)} timesteps, but window={window}"
                f"{f', gap={gap}' if gap else ''} and horizon={horizon} need {span}: give a longer "
                f"series, or leave this one out.{NO_TARGET_YET}"
            )
    lengths = np.array([len(one.values) for one in every])
    index = _index(lengths, span, stride, before)
    values = np.concatenate([one.values for one in every]) if len(every) > 1 else every[0].values
    starts = (np.cumsum(lengths) - lengths)[index["series"]] + index["start"]
    X = _cut(values, starts, window)
    y = _cut(values[:, _chosen(target, every)], starts + before, horizon)
    y = y[:, 0] if horizon == 1 else y
    return (X, y, index) if return_index else (X, y)


def last_window(series, window):
    """Return the last window of each series, from which to forecast the future.

    `sliding_windows` returns windows whose targets are known. The last window has none yet.

    Parameters
    ----------
    series : array-like, or list of array-likes
        One series or several, as for `sliding_windows`.
    window : int
        The number of timesteps in a window, at least 1.

    Returns
    -------
    X : ndarray of shape (n_series, window, n_features)
        The last `window` timesteps of each series. The model forecasts the timesteps that
        `sliding_windows` made targets: they begin `gap` timesteps after the end of the series.

    Raises
    ------
    ValueError, TypeError
        If `window` is not an integer or too small, or if a series can't be used or is shorter.

    See Also
    --------
    sliding_windows : Cuts windows and targets for training.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn_rnn.preprocessing import last_window, sliding_windows
    >>> series = np.arange(10.0)
    >>> X, y = sliding_windows(series, window=3, horizon=2)
    >>> model = LinearRegression().fit(X[:, :, 0], y)
    >>> model.predict(last_window(series, window=3)[:, :, 0])
    array([[10., 11.]])
    """
    check_number("window", window, Integral, 1, None, "left")
    every = _read(series)
    for one in every:
        _check_values(one)
        if len(one.values) < window:
            raise ValueError(
                f"{one.name} has {len(one.values)} timesteps, but window={window}: give a longer "
                "series, or leave this one out."
            )
    return np.stack([one.values[-int(window) :] for one in every])


def _index(lengths: np.ndarray, span: int, stride: int, before: int) -> np.ndarray:
    stride = min(stride, int(lengths.max()))  # users may give any int
    counts = (lengths - span) // stride + 1
    index = np.empty(counts.sum(), INDEX)
    index["series"] = np.repeat(np.arange(len(lengths)), counts)
    first_window = (np.cumsum(counts) - counts)[index["series"]]
    index["start"] = stride * (np.arange(len(index)) - first_window)
    index["first_target"], index["stop"] = index["start"] + before, index["start"] + span
    return index


def _cut(values: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Cut windows from an array (n_timesteps, ...): (n_windows, length, ...), in C order."""
    windows = sliding_window_view(np.ascontiguousarray(values), length, axis=0)
    return np.ascontiguousarray(np.moveaxis(windows, -1, 1)[starts])


def _read(series) -> list[_Series]:
    """Read one series or several; raise unless all of them have the same features."""
    refuse_panel(series, "series")
    with about("series"):
        series = opened(series, "series")
    of_objects = isinstance(series, np.ndarray) and series.ndim == 1 and series.dtype.kind == "O"
    holds_any = isinstance(series, (list, tuple)) or of_objects
    several = holds_any and any(np.iterable(one) for one in series)
    if not several:
        return [_read_one(series, "series")]
    every = [_read_one(one, f"series[{i}]") for i, one in enumerate(series)]
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
                f"{one.name} has the columns {one.columns}, but {first.name} has {first.columns}: "
                "all series must have the same columns, in the same order."
            )
    return every


def _read_one(one, name: str) -> _Series:
    with about(name):
        array = np.asarray(one)
    if array.ndim not in (1, 2) or 0 in array.shape:
        raise ValueError(
            f"{name} must be (n_timesteps,) or (n_timesteps, n_features), with no dimension of "
            f"length 0; got {describe(one)}. Give several series as a list of arrays."
        )
    values = as_numbers(array, name)
    columns = list(one.columns) if is_frame(one) else None
    return _Series(name, values.reshape(len(values), -1), array.ndim == 1, columns)


def _check_values(one: _Series) -> None:
    if one.values.dtype.kind != "f":
        return
    missing = np.isnan(one.values).all(axis=1)
    if missing.any():
        raise ValueError(
            f"{one.name} is NaN at timestep {missing.argmax()}, in all features. At the end of a "
            "window this would be read as padding: fill the timestep, or cut the series into two "
            "there and give both in a list."
        )


def _chosen(target, every: list[_Series]):
    """Return an index for the last axis of the values that selects the features to forecast."""
    if target is None:
        return 0 if all(one.is_1d for one in every) else slice(None)
    columns, n_features = every[0].columns, every[0].values.shape[1]
    known = list(range(n_features)) if columns is None else columns
    chosen = places(target, known, "target")
    return chosen if isinstance(as_plain(target), list) else chosen[0]
