"""DataFrames: what their labels say, and where that has to be the same."""

import calendar
import re
import warnings
from collections.abc import Collection

import numpy as np

# Words that number timesteps, as digits do.
NAMES = (calendar.month_name, calendar.month_abbr, calendar.day_name, calendar.day_abbr)
TIMES = {name.lower() for names in NAMES for name in names if name}
NUMBER = re.compile(rf"\d+|(?<![a-z])({'|'.join(sorted(TIMES))})(?![a-z])")


def is_frame(value) -> bool:
    """Whether a value is a DataFrame, of any library."""
    return hasattr(value, "columns")


def check_columns(parts: Collection, name: str) -> None:
    """Raise unless all the DataFrames among the parts have the same columns, in the same order.

    name : what errors call the list of parts
    """
    if set(map(type, parts)) == {np.ndarray}:  # the usual case, and to ask each takes longer
        return
    frames = ((i, list(part.columns)) for i, part in enumerate(parts) if is_frame(part))
    first, expected = next(frames, (0, []))
    for i, columns in frames:
        if columns != expected:
            raise ValueError(
                f"{name}[{i}] has the columns {columns}, but {name}[{first}] has {expected}: all "
                "the DataFrames must have the same columns, in the same order."
            )


def refuse_panel(values, name: str) -> None:
    """Raise for a DataFrame or Series that holds several sequences, told apart by its index."""
    n_levels = getattr(getattr(values, "index", None), "nlevels", 1)
    if n_levels == 1:
        return
    outer = values.index.droplevel(-1)
    if outer.nunique() > 1:
        levels = list(range(n_levels - 1)) if n_levels > 2 else 0
        raise ValueError(
            f"{name} is a {type(values).__name__} whose index has the levels "
            f"{list(values.index.names)}, so it holds {outer.nunique()} sequences, one below the "
            "other. The index is not read. Give a list with one DataFrame or Series per sequence: "
            f"[part.droplevel({levels}) for _, part in {name}.groupby(level={levels}, sort=False)]."
        )


def check_table(X) -> None:
    """Raise for a DataFrame X whose labels say that its rows are not sequences of one feature."""
    columns = X.columns
    if getattr(columns, "nlevels", 1) > 1 and len(_varying_levels(columns)) > 1:
        raise ValueError(
            f"X is a DataFrame whose columns have the levels {list(columns.names)}, but 2-D X is "
            "read as sequences of one feature, a column a timestep. Give an array (n_samples, "
            "n_timesteps, n_features): np.stack([X[name] for name in X.columns.unique(0)], axis=2) "
            "if the first level has the features, axis=1 if it has the timesteps."
        )
    if not _number_timesteps(columns):
        refuse_panel(X, "X")


def warn_of_named_columns(X) -> None:
    """Warn that the columns of a DataFrame X are read as timesteps, if they look like features."""
    if _number_timesteps(X.columns):
        return
    names = list(X.columns)
    shown = f"{names[:5]}".replace("]", ", ...]") if len(names) > 5 else f"{names}"
    warnings.warn(
        f"X is a DataFrame with the columns {shown}. It is read as {len(X)} sequences of "
        f"{len(names)} timesteps of one feature: a row a sequence, a column a timestep. If the "
        "columns are features, give a list with one DataFrame per sequence; cut one long series "
        "into windows by sklearn_rnn.preprocessing.sliding_windows(X, window). If they are "
        "timesteps, number them (lag_2, lag_1, ...), or give X.to_numpy().",
        stacklevel=2,
    )


def _varying_levels(columns) -> list[int]:
    return [i for i in range(columns.nlevels) if columns.get_level_values(i).nunique() > 1]


def _number_timesteps(columns) -> bool:
    """Whether column names number timesteps: numbers, dates, lag_2 and lag_1, t-1 and t, Jan.

    Names are numbered if they are the same but for a number. One of them may lack it.
    """
    if getattr(columns, "nlevels", 1) > 1:
        columns = columns.get_level_values((_varying_levels(columns) or [0])[0])
    if not all(isinstance(name, str) for name in columns):  # numbers, dates and the like
        return True
    names = [name.lower() for name in columns]
    numbered = {name for name in names if NUMBER.search(name)}
    others = [_stem(name) for name in names if name not in numbered]
    stems = set(map(_stem, numbered))
    if len(stems) != 1 or len(others) > 1:
        return False
    return not others or others[0] in stems or len(numbered) > 1


def _stem(name: str) -> str:
    """The letters of a name, without what numbers it."""
    return re.sub(r"[^a-z]", "", NUMBER.sub("", name))
