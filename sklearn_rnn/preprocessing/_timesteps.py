"""Conversion between sequences and one table of all their valid timesteps."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from numbers import Number

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_rnn._input.errors import about, describe, renamed
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn._input.sequences import Sequences
from sklearn_rnn._input.targets import array_or_list, is_per_timestep, read_weights, rows_of_targets

# Lets polars concatenate an integer column with a float column, as pandas does.
CONCAT_OPTIONS = {"polars": {"how": "vertical_relaxed"}}


class Timesteps:
    """The valid timesteps of sequences, as the rows of one table.

    rows : array or DataFrame (total_timesteps, n_features), one sequence after another
    are_1d : whether X is a list of arrays (n_timesteps_i,), or was transformed from such a list
    """

    def __init__(self, X, sequences: Sequences, are_1d: bool = False):
        self._X = X
        self.sequences = sequences
        arrays = sequences.arrays
        self.are_1d = sequences.is_list and (are_1d or all(np.ndim(x) == 1 for x in X))
        if sequences.is_list and all(map(is_frame, arrays)):
            self.rows = _stacked_frames(arrays)
        elif sequences.is_list:
            self.rows = joined(arrays)
        elif self.sequences.is_padded:
            self.rows = arrays[sequences.is_valid()]
        else:
            self.rows = arrays.reshape(-1, sequences.n_features)

    def targets(self, y, required: bool) -> np.ndarray | None:
        """Return y with one row per timestep; a target per sequence is repeated.

        Several targets per sequence, such as those of a forecast, are repeated only if `required`;
        otherwise the result is None. They would take much memory, and most transformers ignore y.
        """
        if y is None:
            return None
        with about("y"):
            y = array_or_list(y, "y", "one target per sequence or per timestep")
            if is_per_timestep(y, self.sequences):
                return rows_of_targets(y, self.sequences, per_step=True)
            if not required and np.shape(y)[1:] not in ((), (1,)):
                return None
            rows = rows_of_targets(y, self.sequences, per_step=False)
        return np.repeat(rows, self.sequences.lengths, axis=0)

    def weights(self, sample_weight) -> np.ndarray:
        """Return one weight per row."""
        return read_weights(sample_weight, self.sequences, per_step=True)

    def groups(self, groups) -> np.ndarray:
        """Return one group per row. Groups come in the same shapes as targets."""
        with renamed({"y": "groups"}):
            return self.targets(groups, required=True)

    def restore(self, values, table_names: Callable[[], Iterable[str]]):
        """Put transformed rows into the container of X.

        values : array, DataFrame or sparse matrix (total_timesteps, n_features_out)
        table_names : returns the column names of a 2-D result
        """
        values = made_of(len(self.rows), values)
        as_frame = not isinstance(values, np.ndarray)
        if not self.sequences.is_list:
            array = self._padded(np.asarray(values))
            if self.sequences.container == "array" or array.shape[2] != 1:
                return array
            table = array[:, :, 0]
            return framed(table, self._X, table_names(), library_of(values)) if as_frame else table
        if as_frame:
            return self.sequences.listed(self._split_frame(values))
        narrow = self.are_1d and values.shape[1] == 1
        return self.sequences.restore(values[:, 0] if narrow else values, np.nan)

    def _padded(self, values: np.ndarray) -> np.ndarray:
        values = with_room_for_nan(values) if self.sequences.is_padded else values
        return self.sequences.restore(values, np.nan)

    def _split_frame(self, frame) -> list:
        parts = self.sequences.split(getattr(frame, "iloc", frame))
        if hasattr(frame, "iloc") and not hasattr(self.rows, "iloc"):  # X has no index to keep
            return [part.reset_index(drop=True) for part in parts]
        return parts


def take_tags(tags, transformer) -> None:
    """Give tags of a transformer of sequences what its inner transformer says of values."""
    inner = get_tags(meant_by(transformer))
    tags.input_tags = replace(
        inner.input_tags, two_d_array=True, three_d_array=True, sparse=False, pairwise=False
    )
    tags.transformer_tags = inner.transformer_tags or tags.transformer_tags
    tags.non_deterministic = inner.non_deterministic
    tags.no_validation = inner.no_validation


def meant_by(transformer):
    """Return the transformer that a parameter means: "passthrough" changes nothing."""
    is_passthrough = isinstance(transformer, str) and transformer == "passthrough"
    return FunctionTransformer(feature_names_out="one-to-one") if is_passthrough else transformer


def takes_single_values(transformer) -> bool:
    """Whether a transformer takes one dict or string per row, and no 2-D array."""
    while getattr(transformer, "steps", None):  # a pipeline is asked by its first step
        transformer = meant_by(transformer.steps[0][1])
    if transformer is None:
        return False
    tags = get_tags(transformer).input_tags
    return not tags.two_d_array and (tags.dict or tags.string)


def rows_for(transformer, rows):
    """Return rows as a transformer takes them: most take a table, some single values.

    rows : array or DataFrame (n_timesteps, n_features)
    """
    if not takes_single_values(transformer):
        return rows
    wanted = f"{type(transformer).__name__} takes one dict or string per timestep"
    if rows.shape[1] != 1:
        raise ValueError(f"{wanted}, but X has {rows.shape[1]} features.")
    values = np.asarray(rows)[:, 0].tolist()
    numbers = [value for value in values if isinstance(value, Number)]
    if numbers:
        raise TypeError(f"{wanted}, but X has {numbers[0]!r}.")
    return values


def made_of(n_rows: int, values):
    """Return a transformer's result, dense; raise unless it is 2-D with n_rows rows."""
    if issparse(values):  # sequences are dense
        values = values.toarray()
    if not is_frame(values):
        values = np.asarray(values)
    if len(values.shape) != 2 or len(values) != n_rows:
        raise ValueError(
            f"The transformer made {describe(values)} of {n_rows} rows; it must return a 2-D "
            "result with one row for each."
        )
    return values


def with_room_for_nan(values: np.ndarray) -> np.ndarray:
    """Return values in a dtype that holds NaN: integers become float64, strings become objects."""
    if values.dtype.kind in "fcO":
        return values
    return values.astype(np.float64 if values.dtype.kind in "iub" else object)


def library_of(frame) -> str:
    """The name of the library that a DataFrame belongs to, such as pandas."""
    return type(frame).__module__.partition(".")[0]


def joined(arrays: list, axis: int = 0) -> np.ndarray:
    """Concatenate arrays. If only some hold strings, the result holds objects."""
    arrays = [np.asarray(array) for array in arrays]
    are_text = {array.dtype.kind in "US" for array in arrays}
    return np.concatenate(arrays, axis, dtype=object if len(are_text) > 1 else None)


def _stacked_frames(frames: list):
    library = library_of(frames[0])
    return import_module(library).concat(frames, **CONCAT_OPTIONS.get(library, {}))


def framed(table: np.ndarray, X, names: Iterable[str], library: str):
    """Make a 2-D result a DataFrame, with the index of X, by scikit-learn's own `set_output`."""
    made = FunctionTransformer(lambda _: table, feature_names_out=lambda *_: names)
    return made.set_output(transform=library).transform(X)
