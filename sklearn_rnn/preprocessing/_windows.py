"""Samples and targets from time series: windows, and the values that follow them."""

from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sklearn_rnn._input.hyperparameters import check_flag, check_number
from sklearn_rnn.preprocessing._series import read_series
from sklearn_rnn.preprocessing._window_channels import Channels

NO_TARGET_YET = " (To forecast the future, last_window(series, window) gives X without targets.)"
INDEX = np.dtype([(name, np.intp) for name in ("series", "start", "first_target", "stop")])


def sliding_windows(  # noqa: PLR0913 (all that windows are made of)
    series,
    window,
    horizon=1,
    stride=1,
    *,
    gap=0,
    target=None,
    past=None,
    future=None,
    static=None,
    return_index=False,
):
    """Cut time series into windows, and into the targets to forecast from each window.

    The window that starts at timestep s holds the timesteps s to s + window - 1. Its targets are
    the `horizon` timesteps that start at s + window + gap. A window and its targets always belong
    to one series.

    At each timestep t, the channels of a window are the values of the features in `past` at t; then
    those of the features in `future` at t + gap + 1, ..., t + gap + horizon; then the static
    features. So its last timestep shows what is known ahead at the timesteps of all the targets.

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
        all that are not in `future`.
    past : int, str or list of them, default=None
        The features whose past a window shows, in this order. None means all that are not in
        `future`. A feature may be in both, such as a price that is known ahead and whose past
        explains past sales. A target need not be among them.
    future : int, str or list of them, default=None
        The features that are known ahead of time, such as the calendar, plans and prices. They
        can't be targets. Each of them gives `horizon` channels: first all of them at
        t + gap + 1, and so on. None means that nothing is known ahead.
    static : array-like of shape (n_series, n_static), default=None
        One row of numbers for each series, repeated at all timesteps. An index is ignored.
    return_index : bool, default=False
        Whether to return the position of each window as well.

    Returns
    -------
    X : ndarray of shape (n_windows, window, n_channels)
        The windows, in the order of the series and of time. There are
        n_past + horizon * n_future + n_static channels. X is a copy, about window / stride times as
        large as the series with so many channels. It has their dtype, if that is floating point.
    y : ndarray of shape (n_windows, horizon, n_targets)
        The targets, as `RNNRegressor` takes them. With ``horizon=1`` there is no axis for the
        horizon. For 1-D series, or if `target` is one number or name and no list, there is no axis
        for the targets. So ``y`` of a 1-D series is (n_windows,) with ``horizon=1`` and
        (n_windows, horizon) otherwise.
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
        If `target`, `past` or `future` are not among the features, or a target is in `future`. If
        `static` has not one row for each series. If a window shows nothing but NaN at a timestep:
        at its end, the estimators would read this as padding. Fill it, or cut the series into two
        there. If only some channels are NaN, an imputer can fill them later.

    See Also
    --------
    last_window : The window from which to forecast the future.
    add_static : Static features beside sequences that are no windows.

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

    Sales, and a price that is known ahead. The channels are the sales at t, and the prices at
    t + 1 and t + 2:

    >>> sales = np.column_stack([np.arange(6), 100 + np.arange(6)])
    >>> X, y = sliding_windows(sales, window=3, horizon=2, target=0, future=1)
    >>> X[0]
    array([[  0, 101, 102],
           [  1, 102, 103],
           [  2, 103, 104]])
    >>> y[0]
    array([3, 4])
    """
    if isinstance(horizon, Integral) and horizon == 0 and horizon is not False:
        raise ValueError(f"horizon == 0, must be >= 1.{NO_TARGET_YET}")
    sizes = {"window": (window, 1), "horizon": (horizon, 1), "stride": (stride, 1), "gap": (gap, 0)}
    window, horizon, stride, gap = _check_sizes(sizes)
    check_flag("return_index", return_index)
    every = read_series(series)
    channels = Channels.of(every, past, future, static, (horizon, gap))
    chosen = channels.targets(target, every)
    before = window + gap
    span = before + horizon
    for one in every:
        if len(one.values) < span:
            raise ValueError(
                f"{one.name} has {len(one.values)} timesteps, but window={window}"
                f"{f', gap={gap}' if gap else ''} and horizon={horizon} need {span}: give a longer "
                f"series, or leave this one out.{NO_TARGET_YET}"
            )
    shown = [channels.table(number, one.values) for number, one in enumerate(every)]
    for one, rows in zip(every, shown, strict=True):
        _check_shown(rows, one.name)
    index = _index(np.array([len(one.values) for one in every]), span, stride, before)
    X = _cut(shown, index["series"], index["start"], window)
    targets = [one.values[:, chosen] for one in every]
    y = _cut(targets, index["series"], index["first_target"], horizon)
    y = y[:, 0] if horizon == 1 else y
    return (X, y, index) if return_index else (X, y)


def last_window(  # noqa: PLR0913 (as sliding_windows)
    series,
    window,
    horizon=1,
    *,
    gap=0,
    past=None,
    future=None,
    static=None,
    X_future=None,
):
    """Return the last window of each series, from which to forecast the future.

    `sliding_windows` returns windows whose targets are known. The last window has none yet. With
    the same `window`, `horizon`, `gap`, `past`, `future` and `static`, it has the channels of the
    windows for training.

    Parameters
    ----------
    series : array-like, or list of array-likes
        One series or several, as for `sliding_windows`.
    window : int
        The number of timesteps in a window, at least 1.
    horizon : int, default=1
        The number of timesteps to forecast, at least 1. The window depends on it if there is a
        `future`.
    gap : int, default=0
        The number of timesteps between the end of the series and the first one to forecast. The
        window depends on it if there is a `future`.
    past, future : int, str or list of them, default=None
        As for `sliding_windows`.
    static : array-like of shape (n_series, n_static), default=None
        As for `sliding_windows`.
    X_future : array-like of shape (n_timesteps, n_future), or list of array-likes, default=None
        The features in `future` at the timesteps after the end of the series: at least
        gap + horizon of them. Further ones are not used. The features are in the order of `future`;
        but if the series are DataFrames, those with these names are taken from DataFrames. For
        several series, a list with one for each. Required if there is a `future`.

    Returns
    -------
    X : ndarray of shape (n_series, window, n_channels)
        The last `window` timesteps of each series. The model forecasts the timesteps that
        `sliding_windows` made targets: they begin `gap` timesteps after the end of the series.

    Raises
    ------
    ValueError, TypeError
        If a number is not an integer or too small, or if a series can't be used or is shorter. If
        `past`, `future`, `static` or `X_future` can't be used, or X_future is too short.

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

    With a price that is known ahead:

    >>> sales = np.column_stack([np.arange(6), 100 + np.arange(6)])
    >>> last_window(sales, window=3, horizon=2, future=1, X_future=[106, 107])
    array([[[  3, 104, 105],
            [  4, 105, 106],
            [  5, 106, 107]]])
    """
    sizes = {"window": (window, 1), "horizon": (horizon, 1), "gap": (gap, 0)}
    window, horizon, gap = _check_sizes(sizes)
    every = read_series(series)
    channels = Channels.of(every, past, future, static, (horizon, gap))
    every_later, windows = channels.read_later(X_future, every), []
    for number, (one, later) in enumerate(zip(every, every_later, strict=True)):
        n_before = len(one.values) - window
        if n_before < 0:
            raise ValueError(
                f"{one.name} has {len(one.values)} timesteps, but window={window}: give a longer "
                "series, or leave this one out."
            )
        rows = channels.table(number, one.values[n_before:], later)
        _check_shown(rows, one.name, n_before)
        windows.append(rows)
    return np.stack(windows)


def _index(lengths: np.ndarray, span: int, stride: int, before: int) -> np.ndarray:
    stride = min(stride, int(lengths.max()))  # users may give any int
    counts = (lengths - span) // stride + 1
    index = np.empty(counts.sum(), INDEX)
    index["series"] = np.repeat(np.arange(len(lengths)), counts)
    first_window = (np.cumsum(counts) - counts)[index["series"]]
    index["start"] = stride * (np.arange(len(index)) - first_window)
    index["first_target"], index["stop"] = index["start"] + before, index["start"] + span
    return index


def _cut(parts: list[np.ndarray], numbers, starts, length: int) -> np.ndarray:
    """Cut windows from series (n_timesteps_i, ...): (n_windows, length, ...), in C order.

    numbers, starts : (n_windows,), the series of each window, and where it starts there
    """
    lengths = np.array([len(part) for part in parts])
    values = np.concatenate(parts) if len(parts) > 1 else np.ascontiguousarray(parts[0])
    windows = sliding_window_view(values, length, axis=0)
    places = (np.cumsum(lengths) - lengths)[numbers] + starts
    return np.ascontiguousarray(np.moveaxis(windows, -1, 1)[places])


def _check_shown(rows: np.ndarray, name: str, first: int = 0) -> None:
    """Raise if a window shows nothing but NaN at a timestep.

    rows : (n_rows, n_channels), from a timestep of the series on
    """
    if rows.dtype.kind != "f":
        return
    missing = np.isnan(rows).all(axis=1)
    if missing.any():
        raise ValueError(
            f"{name} is NaN at timestep {first + missing.argmax()}, in all features that a window "
            "shows. At the end of a window this would be read as padding: fill the timestep, or "
            "cut the series into two there and give both in a list."
        )


def _check_sizes(sizes: dict[str, tuple]) -> list[int]:
    """Return the sizes as numbers; raise for what is no integer or too small.

    sizes : value and lowest value, by name
    """
    for name, (value, least) in sizes.items():
        check_number(name, value, Integral, least, None, "left")
    return [int(value) for value, _ in sizes.values()]
