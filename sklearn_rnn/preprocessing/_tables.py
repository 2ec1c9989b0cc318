"""Sequences from long tables, with one row per timestep, and predictions back in their rows."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.sequences import split
from sklearn_rnn.preprocessing._features import as_plain
from sklearn_rnn.preprocessing._table_columns import (
    check_complete,
    column_names,
    named,
    numbers_of,
    plain,
    times_of,
)
from sklearn_rnn.preprocessing._timesteps import joined


@dataclass(frozen=True, eq=False)
class SequenceRows:
    """The rows of a table that a sequence was made of.

    Attributes
    ----------
    group : object
        The value of the group column, or a tuple if `to_sequences` was given a list of columns.
    rows : ndarray of shape (n_timesteps,)
        The numbers of the rows in the table, counted from 0, in the order of time.
    keys : DataFrame
        The columns of group and time, with all the rows of the table.
    """

    group: Any
    rows: np.ndarray
    keys: Any = field(repr=False)


class TableSequences(NamedTuple):
    """The sequences of a table, as `to_sequences` returns them.

    Attributes
    ----------
    X : list of ndarray of shape (n_timesteps_i, n_features)
        The sequences.
    y : ndarray, list of ndarray or None
        The targets.
    index : list of SequenceRows
        The group and the rows of each sequence.
    """

    X: list[np.ndarray]
    y: np.ndarray | list[np.ndarray] | None
    index: list[SequenceRows]


class _Rows:
    """The rows of a table, ordered by group and then by time.

    groups : the group of each sequence
    order : (n_rows,), the row numbers in this order
    lengths : (n_sequences,), the number of rows of each sequence
    """

    def __init__(self, groups: list, codes: np.ndarray, times: np.ndarray | None):
        self.groups = groups
        self.order = (
            np.argsort(codes, kind="stable") if times is None else np.lexsort((times, codes))
        )
        self.lengths = np.bincount(codes)

    @property
    def starts(self) -> np.ndarray:
        return np.cumsum(self.lengths) - self.lengths

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Split values of the rows of the table, (n_rows, ...), into one array per sequence."""
        return split(values[self.order], self.lengths)


def to_sequences(df, *, group, time=None, features=None, target=None, per_timestep=False):
    """Make sequences of a long table, which has one row for each timestep of each sequence.

    Parameters
    ----------
    df : DataFrame of pandas or polars
        The table. Its rows may be in any order.
    group : str or list of str
        The column that tells the sequences apart, or several columns. Each combination of values
        that occurs is a sequence.
    time : str, default=None
        The column of numbers, dates or durations by which the rows of a sequence are sorted. It
        does not become a feature. None means that the rows of each sequence are already in the
        order of time.
    features : str or list of str, default=None
        The columns of features, which must hold numbers or booleans. None means all columns but
        those of `group`, `time` and `target`.
    target : str or list of str, default=None
        The column of targets, or several. A list gives y an axis for the targets. None means that
        there are no targets, as in a table to predict.
    per_timestep : bool, default=False
        Whether each timestep has a target of its own, as estimators with
        ``return_sequences=True`` require. False means one target per sequence: the target column
        repeats it in all the rows of a sequence.

    Returns
    -------
    X : list of ndarray of shape (n_timesteps_i, n_features)
        The sequences, in the order in which their groups first appear in `df`. Missing values are
        NaN.
    y : ndarray of shape (n_samples,) or (n_samples, n_targets), list of ndarray of shape \
            (n_timesteps_i,) or (n_timesteps_i, n_targets), or None
        The targets: an array of one target per sequence, or a list of one array per sequence with
        ``per_timestep=True``.
    index : list of SequenceRows
        For each sequence its ``group``, and ``rows``, the numbers of its rows in `df`. `to_frame`
        takes the index, or the part of it that a split has chosen. The three results are a named
        tuple.

    Raises
    ------
    TypeError
        If `df` is not a DataFrame.
    ValueError
        If `df` has no rows or lacks a column, if a group or a time is missing, if two rows have
        the same group and time, if a feature is not a number, or if a target differs between the
        rows of a sequence although ``per_timestep=False``.

    See Also
    --------
    to_frame : Puts predictions into the rows of the table.
    sliding_windows : Cuts long series into windows and targets.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_rnn.preprocessing import to_frame, to_sequences
    >>> df = pd.DataFrame({
    ...     "patient": ["b", "a", "b", "a", "b"],
    ...     "hour": [2, 0, 1, 1, 0],
    ...     "pulse": [80.0, 61.0, 75.0, 60.0, 71.0],
    ...     "ill": [1, 0, 1, 0, 1],
    ... })
    >>> X, y, index = to_sequences(df, group="patient", time="hour", target="ill")
    >>> X
    [array([[71.],
           [75.],
           [80.]]), array([[61.],
           [60.]])]
    >>> y
    array([1, 0])
    >>> index[0]
    SequenceRows(group='b', rows=array([4, 2, 0]))

    The prediction of each sequence, in the rows of the table:

    >>> to_frame([0.9, 0.2], index)
      patient  hour  prediction
    0       b     2         0.9
    1       a     0         0.2
    2       b     1         0.9
    3       a     1         0.2
    4       b     0         0.9
    """
    columns = column_names(df)
    groups, times, targets = (
        [] if chosen is None else named(chosen, name, df, columns)
        for name, chosen in [("group", group), ("time", time), ("target", target)]
    )
    if not groups or len(times) > 1 or set(times) & set(groups):
        raise ValueError(
            "group must name at least one column, and time at most one, which is no group; got "
            f"group={group!r}, time={time!r}."
        )
    if features is None:
        chosen = [name for name in columns if name not in {*groups, *times, *targets}]
    else:
        chosen = named(features, "features", df, columns)
    if not chosen:
        raise ValueError(f"features has no columns: those of df are {columns}.")

    rows = _read_rows(df, group, groups, times)
    X = rows.split(np.column_stack([numbers_of(df, name) for name in chosen]))
    y = None
    if targets:
        values = [plain(df[name]) for name in targets]
        if not per_timestep:
            for name, column in zip(targets, values, strict=True):
                _check_constant(column, name, rows)
        as_columns = [column[:, np.newaxis] for column in values]
        y = joined(as_columns, axis=1) if isinstance(as_plain(target), list) else values[0]
        y = rows.split(y) if per_timestep else y[rows.order][rows.starts]
    keys = df[[*groups, *times]]
    of_each = zip(rows.groups, split(rows.order, rows.lengths), strict=True)
    return TableSequences(X, y, [SequenceRows(one, numbers, keys) for one, numbers in of_each])


def to_frame(predictions, index, columns=None):
    """Put predictions into the rows of the table that the sequences came from.

    Parameters
    ----------
    predictions : array-like of shape (n_samples,) or (n_samples, n_outputs), or list of \
            array-like of shape (n_timesteps_i,) or (n_timesteps_i, n_outputs)
        What `predict` or `predict_proba` returned for the sequences of `index`. An array has one
        prediction per sequence, which each of its rows gets. A list of arrays, or a 1-D object
        array of them, has one prediction per timestep. For a padded array, pass
        ``unpad_sequences(predictions, lengths=[len(one.rows) for one in index])``.
    index : list of SequenceRows
        The index from `to_sequences`, or a part of it: the sequences that were predicted.
    columns : str or list of str, default=None
        The names of the columns of predictions, such as ``classifier.classes_`` for
        probabilities. None means "prediction", or "prediction_0", "prediction_1" and so on.

    Returns
    -------
    frame : DataFrame
        The columns of group and time, and those of the predictions. It has the rows of the
        sequences in `index`, in the order of the table, and in pandas with the table's index. So
        with the whole index, ``df["prediction"] = frame["prediction"]`` is right.

    Raises
    ------
    TypeError, ValueError
        If `index` is not such a list, if `predictions` doesn't fit it, or if `columns` doesn't
        fit the predictions.

    See Also
    --------
    to_sequences : Makes the sequences and the index.

    Examples
    --------
    >>> import polars as pl
    >>> from sklearn_rnn.preprocessing import to_frame, to_sequences
    >>> df = pl.DataFrame({"shop": [1, 2, 1], "day": [1, 0, 0], "sales": [5.0, 7.0, 4.0]})
    >>> X, _, index = to_sequences(df, group="shop", time="day")
    >>> to_frame([x[:, 0] * 10 for x in X], index).rows()
    [(1, 1, 50.0), (2, 0, 70.0), (1, 0, 40.0)]
    """
    is_list = isinstance(index, (list, tuple, np.ndarray)) and len(index)
    if not is_list or not all(isinstance(one, SequenceRows) for one in index):
        raise TypeError(f"index must be a list from to_sequences; got {describe(index)}.")
    if any(one.keys is not index[0].keys for one in index):
        raise ValueError("index holds sequences of several tables: call to_frame for each table.")
    values = _one_per_row(predictions, [len(one.rows) for one in index])
    names = _names_of_predictions(columns, values)
    keys = index[0].keys
    for name in names:
        if name in keys.columns or names.count(name) > 1:
            raise ValueError(f"columns: the result would have two columns {name!r}.")
    rows = np.concatenate([one.rows for one in index])
    order = np.argsort(rows, kind="stable")
    values = values[order].reshape(len(rows), -1)
    made = dict(zip(names, values.T, strict=True))
    if hasattr(keys, "iloc"):
        return keys.iloc[rows[order]].assign(**made)
    return keys[rows[order]].hstack(type(keys)(made))


def _read_rows(df, group, groups: list, times: list) -> _Rows:
    """Order the rows of a table; raise if a group or a time is missing, or a time occurs twice."""
    for name in [*groups, *times]:
        check_complete(df, name)
    columns = [df[name].to_list() for name in groups]
    keys = zip(*columns, strict=True) if isinstance(as_plain(group), list) else columns[0]
    numbers: dict = {}
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    sort_by = times_of(df, times[0]) if times else None
    rows = _Rows(list(numbers), codes, sort_by)
    if times:
        first, second = rows.order[:-1], rows.order[1:]
        twice = (codes[first] == codes[second]) & (sort_by[first] == sort_by[second])
        if twice.any():
            i = int(twice.argmax())
            raise ValueError(
                f"df has the {times[0]} {df[times[0]].to_list()[first[i]]} twice in group "
                f"{rows.groups[codes[first[i]]]!r}, in rows {first[i]} and {second[i]}: a sequence "
                "has one row per timestep. Aggregate the rows, or add a column to group."
            )
    return rows


def _check_constant(values: np.ndarray, name: str, rows: _Rows) -> None:
    values = values[rows.order]
    first = np.repeat(values[rows.starts], rows.lengths)
    differs = (values != first) & ((values == values) | (first == first))
    if differs.any():
        i = int(differs.argmax())
        sequence = int(np.searchsorted(rows.starts, i, side="right")) - 1
        start = rows.starts[sequence]
        raise ValueError(
            f"target {name!r} is not constant in group {rows.groups[sequence]!r}: it is "
            f"{values[start]} in row {rows.order[start]} and {values[i]} in row {rows.order[i]}. "
            "Give a column with one target per sequence, or set per_timestep=True."
        )


def _one_per_row(predictions, lengths: list[int]) -> np.ndarray:
    """Return predictions of all the timesteps, (n_rows,) or (n_rows, n_outputs)."""
    predictions = opened(predictions, "predictions")
    if not isinstance(predictions, (list, tuple)):
        predictions = np.asarray(predictions)
    count = len(predictions) if np.iterable(predictions) else 0
    if count != len(lengths):
        raise ValueError(f"predictions has {count} sequences, but index has {len(lengths)}.")
    is_list = isinstance(predictions, (list, tuple)) or predictions.ndim == 1
    if is_list and any(np.ndim(part) for part in predictions):
        parts = [np.asarray(part) for part in predictions]
        for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
            if part.shape[:1] != (length,) or part.shape[1:] != parts[0].shape[1:]:
                raise ValueError(
                    f"predictions[{i}] has shape {part.shape}, but index[{i}] has {length} rows. A "
                    "list must hold an array (n_timesteps_i,) or (n_timesteps_i, n_outputs) for "
                    "each sequence; give one prediction per sequence as an array."
                )
        values = np.concatenate(parts)
    else:
        values = np.repeat(np.asarray(predictions), lengths, axis=0)
    if values.ndim > 2:
        raise ValueError(
            f"predictions have shape {np.shape(predictions)}: an array is (n_samples,) or "
            "(n_samples, n_outputs). Make a list of a padded array: unpad_sequences(predictions, "
            "lengths=[len(one.rows) for one in index])."
        )
    return values


def _names_of_predictions(columns, values: np.ndarray) -> list[str]:
    if columns is None:
        if values.ndim == 1:
            return ["prediction"]
        return [f"prediction_{i}" for i in range(values.shape[1])]
    columns = as_plain(columns)
    names = [str(name) for name in (columns if isinstance(columns, list) else [columns])]
    count = 1 if values.ndim == 1 else values.shape[1]
    if len(names) != count:
        raise ValueError(f"columns has {len(names)} names, but there are {count} predictions.")
    return names
