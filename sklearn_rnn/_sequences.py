"""The one door: whatever holds sequences becomes `Sequences`, or a clear error."""

import re
from collections.abc import Sequence

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from sklearn_rnn._errors import about, describe, refuse_masked
from sklearn_rnn.core.packing import Batch

# Values are looked through block by block, so that no copy of a large X is made.
BLOCK = 256


class Sequences:
    """Checked sequences.

    arrays : (n, n_timesteps, n_features) array, or a list of (n_timesteps_i, n_features) arrays
    lengths : (n,), the timesteps of each sequence, padding not counted
    container : "table" for 2-D X, "array" for 3-D X, "list", or "object array"
    """

    def __init__(self, arrays, lengths: np.ndarray, container: str):
        self.arrays = arrays
        self.lengths = lengths
        self.container = container

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_features(self) -> int:
        """The features of a timestep."""
        return self.arrays[0].shape[1]

    @property
    def dtype(self) -> type:
        """The precision to work in."""
        arrays = [self.arrays] if isinstance(self.arrays, np.ndarray) else self.arrays
        only_single = all(array.dtype == np.float32 for array in arrays)
        return np.float32 if only_single else np.float64

    @property
    def n_timesteps(self) -> int:
        """The length of the longest sequence, padding counted where there is any."""
        if isinstance(self.arrays, np.ndarray):
            return self.arrays.shape[1]
        return int(self.lengths.max())

    @property
    def starts(self) -> np.ndarray:
        """Where each sequence starts when all valid timesteps are put one after another."""
        return np.cumsum(self.lengths) - self.lengths

    def flat(self, dtype=None) -> tuple[np.ndarray, np.ndarray]:
        """Return all timesteps as (total, n_features), and where each sequence starts.

        A view wherever that is possible; padding is not removed.
        """
        if isinstance(self.arrays, np.ndarray):
            n, n_timesteps, n_features = self.arrays.shape
            values = self.arrays.reshape(n * n_timesteps, n_features)
            starts = np.arange(n) * n_timesteps
        else:
            values, starts = np.concatenate(self.arrays), self.starts
        return np.asarray(values, dtype, order="C"), starts  # timesteps are gathered row by row

    def check_fits(self, dtype) -> None:
        """Raise if a value is too large for a dtype, naming the sample."""
        limit = np.finfo(dtype).max
        for i, array in enumerate(self.arrays):
            if array.dtype.kind == "f" and array.itemsize > np.dtype(dtype).itemsize:
                with np.errstate(invalid="ignore"):
                    if (np.abs(array) > limit).any():
                        raise ValueError(
                            f"X has values too large for {np.dtype(dtype).name} in sample {i}; the "
                            "network works in that precision."
                        )

    def batch(self, chosen: np.ndarray) -> Batch:
        """Return sequences, which are in the order of decreasing length, without copying others."""
        if not isinstance(self.arrays, np.ndarray):
            part = Sequences([self.arrays[i] for i in chosen], self.lengths[chosen], self.container)
        elif not self.arrays.flags.c_contiguous:
            arrays = np.stack([self.arrays[i] for i in chosen])  # one copy, in C order
            part = Sequences(arrays, self.lengths[chosen], self.container)
        else:
            values, starts = self.flat()
            return Batch(values, starts[chosen], self.lengths[chosen])
        return Batch(*part.flat(), part.lengths)

    def take(self, chosen: np.ndarray) -> "Sequences":
        """Return some of the sequences."""
        if isinstance(self.arrays, np.ndarray):
            arrays = self.arrays[chosen]
        else:
            arrays = [self.arrays[i] for i in chosen]
        return Sequences(arrays, self.lengths[chosen], self.container)

    def restore(self, values: np.ndarray, fill):
        """Put values of all valid timesteps into the container that the sequences came in."""
        if self.container in ("table", "array"):
            padded = np.full((len(self), self.n_timesteps, *values.shape[1:]), fill, values.dtype)
            padded[self.is_valid()] = values
            return padded
        arrays = np.split(values, np.cumsum(self.lengths)[:-1])
        if self.container == "list":
            return arrays
        objects = np.empty(len(self), dtype=object)
        objects[:] = arrays
        return objects

    def is_valid(self) -> np.ndarray:
        """Which timesteps of the padded sequences are not padding, (n, n_timesteps)."""
        return np.arange(self.n_timesteps) < self.lengths[:, np.newaxis]


def read_sequences(X, estimator, *, reset: bool) -> Sequences:
    """Check X, and set `n_features_in_` (and `feature_names_in_`), or check X against them.

    Raises ValueError or TypeError, naming the sample where there is one.
    """
    with about("X"):
        table_wanted = not reset and estimator._fitted_on_table
        sequences = _read(X, prefer_table=table_wanted, prefer_list=not reset)
        if sequences is None and (reset or table_wanted):
            return _read_table(X, estimator, reset=reset)
    if reset:
        estimator.n_features_in_ = sequences.n_features
        vars(estimator).pop("feature_names_in_", None)  # of an earlier fit on a DataFrame
        return sequences

    name, expected = type(estimator).__name__, estimator.n_features_in_
    if sequences is None:
        raise ValueError(
            f"X is 2-D ({describe(X)}), but {name} was fitted on sequences: give an array "
            f"(n_samples, n_timesteps, {expected}) or a list of arrays (n_timesteps, {expected})."
        )
    if table_wanted:
        raise ValueError(
            f"X is 3-D or a list ({describe(X)}), but {name} was fitted on 2-D X: give an array "
            f"(n_samples, {expected}). (Lists of numbers, all of one length, are 2-D; make each an "
            "array to have them read as sequences.)"
        )
    if sequences.n_features != expected:
        raise ValueError(
            f"X has {sequences.n_features} features, but {name} is expecting {expected} features "
            "as input."
        )
    return sequences


def _read(X, *, prefer_table: bool, prefer_list: bool) -> Sequences | None:
    """Read a 3-D array or a list of sequences; return None for what is 2-D.

    A list of equally long lists of numbers is 2-D by default, as elsewhere in scikit-learn.
    """
    if issparse(X):
        raise TypeError(
            "X is sparse, but sequences have to be dense: use X.toarray() to convert it."
        )
    refuse_masked(X, "X")
    if isinstance(X, (list, tuple)):
        if _depth(X) >= 2 or any(np.iterable(x) and not isinstance(x, (str, bytes)) for x in X):
            of_lists = all(isinstance(x, (list, tuple)) for x in X)
            may_be_table = prefer_table or (of_lists and not prefer_list)
            return None if may_be_table and _is_rectangular(X) else _read_list(X, "list")
    elif hasattr(X, "columns"):  # a DataFrame
        return None
    else:
        array = np.asarray(X)
        if array.ndim == 1 and array.dtype == object and _depth(array) >= 2:
            return _read_list(array, "object array")
        if array.ndim == 3:
            return _read_array(array)
        if array.ndim == 2:
            return None
    raise ValueError(
        "X must be an array (n_samples, n_timesteps, n_features), a list of arrays "
        "(n_timesteps_i, n_features), or 2-D with one timestep a column (n_samples, n_timesteps); "
        f"got {describe(X)}. Reshape your data, or put a single sequence into a list."
    )


def _depth(X: Sequence) -> int:
    """How deep the sequences in X are nested, by the first one: 2 for a list of 1-D arrays."""
    if not len(X):
        return 1
    try:
        return 1 + np.ndim(X[0])
    except ValueError:  # lists of different lengths in the first one
        return 3


def _is_rectangular(X: Sequence) -> bool:
    """Whether X has two dimensions, as far as can be told without converting it."""
    shapes = {np.shape(x) if isinstance(x, np.ndarray) else (len(x),) for x in X if np.iterable(x)}
    return _depth(X) == 2 and len(shapes) == 1 and all(np.iterable(x) for x in X)


def _read_table(X, estimator, *, reset: bool) -> Sequences:
    try:
        table = validate_data(estimator, X, reset=reset, dtype="numeric", ensure_all_finite=False)
    except (TypeError, ValueError) as error:
        if re.search("convert|string|sequence", str(error)):
            raise type(error)(f"X must hold numbers, one per timestep: {error}") from error
        raise
    array = as_numbers(table, "X")[:, :, np.newaxis]
    return Sequences(array, _valid_lengths(array), "table")


def _read_array(X: np.ndarray) -> Sequences:
    if 0 in X.shape:
        raise ValueError(
            f"X has shape {X.shape}: there must be at least one sample, one timestep and one "
            "feature (n_samples, n_timesteps, n_features)."
        )
    X = as_numbers(X, "X")
    return Sequences(X, _valid_lengths(X), "array")


def _read_list(X: Sequence, container: str) -> Sequences:
    arrays = [_read_sequence(x, i) for i, x in enumerate(X)]
    n_features = arrays[0].shape[1]
    for i, array in enumerate(arrays):
        if array.shape[1] != n_features:
            raise ValueError(
                f"X[{i}] has {array.shape[1]} features, but X[0] has {n_features}: all sequences "
                "must have the same features."
            )
    for start in range(0, len(arrays), BLOCK):
        _check_finite(arrays[start : start + BLOCK], start)
    return Sequences(arrays, np.array([len(array) for array in arrays]), container)


def _read_sequence(x, i: int) -> np.ndarray:
    refuse_masked(x, f"X[{i}]")
    if issparse(x):
        raise TypeError(f"X[{i}] is sparse, but sequences have to be dense.")
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"X[{i}] is not an array (n_timesteps, n_features): its timesteps differ in length."
        ) from error
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(
            f"X[{i}] ({describe(x)}) has {array.ndim} dimensions; X must be a list of n_samples "
            "arrays (n_timesteps, n_features), or (n_timesteps,) for one feature."
        )
    if 0 in array.shape:
        raise ValueError(
            f"X[{i}] has shape {array.shape}: every sequence needs at least one timestep and one "
            "feature."
        )
    return as_numbers(array, f"X[{i}]")


def as_numbers(array: np.ndarray, name: str) -> np.ndarray:
    """Check that an array holds real numbers; objects are converted."""
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}.")
    if array.dtype.kind == "O":
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{name} must hold numbers: {error}") from error
    example = f", such as {array.flat[0]!r}" if array.size else ""
    raise ValueError(f"{name} must hold numbers, but has dtype {array.dtype}{example}.")


def _valid_lengths(array: np.ndarray) -> np.ndarray:
    """Return the lengths of sequences that are padded with NaN; raise where NaN isn't padding."""
    n, n_timesteps, n_features = array.shape
    lengths = np.full(n, n_timesteps)
    block = max(1, 2**18 // (n_timesteps * n_features))
    for start in range(0, n, block):
        part = array[start : start + block]
        if not _surely_finite(part):
            lengths[start : start + block] = _lengths_of_padded(part, start)
    return lengths


def _lengths_of_padded(part: np.ndarray, first_sample: int) -> np.ndarray:
    n_timesteps = part.shape[1]
    some_value = ~np.isnan(part).all(axis=2)
    lengths = n_timesteps - some_value[:, ::-1].argmax(axis=1)
    if not some_value.any(axis=1).all():
        sample = first_sample + int(some_value.any(axis=1).argmin())
        raise ValueError(
            f"X[{sample}] is an empty sequence: all its values are NaN, which counts as padding."
        )
    bad = ~np.isfinite(part) & (np.arange(n_timesteps) < lengths[:, np.newaxis])[:, :, np.newaxis]
    if bad.any():
        raise _not_finite(part, np.argwhere(bad)[0], first_sample)
    return lengths


def _check_finite(arrays: list[np.ndarray], first_sample: int) -> None:
    if _surely_finite(np.concatenate(arrays)):
        return
    for i, array in enumerate(arrays):
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            raise _not_finite(array[np.newaxis], (0, *bad[0]), first_sample + i)


def _not_finite(part: np.ndarray, where, first_sample: int) -> ValueError:
    sample, timestep, feature = where
    return ValueError(
        f"Input X contains NaN or infinity: sample {first_sample + sample} has "
        f"{part[tuple(where)]} at timestep {timestep}, feature {feature}. Values must be finite; "
        "only at the end of a sequence, and in an array, not in a list, may all the features of a "
        "timestep be NaN, which is padding then."
    )


def _surely_finite(array: np.ndarray) -> bool:
    """Whether a sum shows at once that all is finite; it may overflow, so False means perhaps."""
    if array.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))
