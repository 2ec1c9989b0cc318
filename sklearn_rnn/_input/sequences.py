"""X: read from any of its containers into `Sequences`, or refused with an error that says why."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from sklearn.utils.validation import check_array, validate_data

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.content import FINITE_NUMBERS, Content, as_values, blocks_of, joined
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import check_columns, check_table, is_frame, warn_of_named_columns
from sklearn_rnn._input.storage import ManyArrays, OneArray, Storage
from sklearn_rnn.core.caching import cached_property
from sklearn_rnn.core.packing import Batch

# Sequences of more values than this, in the mean, stay where they are: to gather them costs next to
# nothing beside the steps of training.
LONG = 1024


class Sequences:
    """Checked sequences.

    arrays : (n, n_timesteps, n_features) array, or a list of (n_timesteps_i, n_features) arrays;
        other contents than numbers may have DataFrames or stand-ins in the list
    lengths : (n,), the timesteps of each sequence without padding
    container : what X was: "table" if it was 2-D, "array" if 3-D, "list" or "object array"
    example : one of the sequences; a DataFrame if all of them came as DataFrames
    """

    def __init__(self, arrays, lengths: np.ndarray, container: str, example):
        self.arrays = arrays
        self.lengths = lengths
        self.container = container
        self.example = example

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def is_list(self) -> bool:
        """Whether X was a list or an object array, which has no padding."""
        return not isinstance(self.arrays, np.ndarray)

    @property
    def n_features(self) -> int:
        """The features of a timestep."""
        return self.arrays[0].shape[1]

    @cached_property
    def dtypes(self) -> set[np.dtype]:
        """The dtypes of the values."""
        return {array.dtype for array in self.arrays} if self.is_list else {self.arrays.dtype}

    @property
    def dtype(self) -> type:
        """The precision to work in."""
        return np.float32 if self.dtypes == {np.dtype(np.float32)} else np.float64

    @property
    def n_timesteps(self) -> int:
        """The timesteps of an array, padding included, or the length of the longest in a list."""
        return int(self.lengths.max()) if self.is_list else self.arrays.shape[1]

    @property
    def is_padded(self) -> bool:
        """Whether there is any padding."""
        return not self.is_list and int(self.lengths.min()) < self.n_timesteps

    @property
    def starts(self) -> np.ndarray:
        """The row of each sequence's first timestep when valid timesteps are concatenated, (n,)."""
        return np.cumsum(self.lengths) - self.lengths

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all timesteps of an array, and the row where each sequence starts, (n,).

        Padding stays in. The timesteps, (total, n_features), are a view where that is possible.
        """
        n, n_timesteps, n_features = self.arrays.shape
        starts = np.arange(0, n * n_timesteps, n_timesteps)
        return self.arrays.reshape(n * n_timesteps, n_features), starts

    @cached_property
    def storage(self) -> Storage:
        """Where the timesteps are. Nothing is copied."""
        if not self.is_list and self.arrays.flags.c_contiguous and self.arrays.flags.aligned:
            return OneArray(*self.flat(), self.lengths)
        return ManyArrays(self.arrays, self.lengths)

    @cached_property
    def storage_for_epochs(self) -> Storage:
        """Where the timesteps are, for many batches.

        Short sequences that are arrays of their own are joined once: to gather them anew in every
        epoch takes longer. So are the timesteps of an array that isn't in C order.
        """
        storage = self.storage
        if isinstance(storage, OneArray):
            return storage
        if not self.is_list:
            values, starts = self.flat()
            return OneArray(np.require(values, requirements=["C", "ALIGNED"]), starts, self.lengths)
        if self.lengths.mean() * self.n_features > LONG:
            return storage
        return OneArray(np.concatenate(self.arrays), self.starts, self.lengths)

    def check_fits(self, dtype) -> None:
        """Raise if a value is too large for a dtype, naming the sample."""
        size = np.dtype(dtype).itemsize
        if not any(of.kind == "f" and of.itemsize > size for of in self.dtypes):
            return
        limit = np.finfo(dtype).max

        def exceeds(values: np.ndarray) -> bool:
            # Not np.abs, which would copy the values; fmax and fmin ignore the NaN of padding.
            most, least = (ufunc.reduce(values, axis=None) for ufunc in (np.fmax, np.fmin))
            return bool(most > limit or least < -limit)

        with np.errstate(invalid="ignore"):
            for block in blocks_of(self.arrays, self.n_features):
                if exceeds(joined(self.arrays[block])):
                    i = next(i for i in range(block.start, len(self)) if exceeds(self.arrays[i]))
                    raise ValueError(
                        f"X has values too large for {np.dtype(dtype).name} in sample {i}: the "
                        "network computes in that precision."
                    )

    def batch(self, chosen: np.ndarray) -> Batch:
        """Return a batch of the chosen sequences, which must be in order of decreasing length."""
        return self.storage.batch(chosen)

    def take(self, chosen: np.ndarray) -> "Sequences":
        """Return the chosen sequences."""
        arrays = [self.arrays[i] for i in chosen] if self.is_list else self.arrays[chosen]
        return Sequences(arrays, self.lengths[chosen], self.container, self.example)

    def unpadded(self) -> list:
        """Return each sequence without its padding."""
        if self.is_list:
            return self.arrays
        return [row[:length] for row, length in zip(self.arrays, self.lengths, strict=True)]

    def restore(self, values: np.ndarray, fill):
        """Put values of all valid timesteps into the container of X, with `fill` as padding."""
        if not self.is_list:
            shape = (len(self), self.n_timesteps, *values.shape[1:])
            if len(values) == shape[0] * shape[1]:  # no padding
                return values.reshape(shape)
            padded = np.full(shape, fill, values.dtype)
            padded[self.is_valid()] = values
            return padded
        return self.listed(self.split(values))

    def split(self, values) -> list:
        """Split values of all valid timesteps into one view per sequence."""
        return split(values, self.lengths)

    def listed(self, parts: list) -> list | np.ndarray:
        """Return one part per sequence as a list or an object array, whichever X was."""
        return parts if self.container == "list" else as_objects(parts)

    def is_valid(self) -> np.ndarray:
        """Which timesteps are not padding, (n, n_timesteps)."""
        return np.arange(self.n_timesteps) < self.lengths[:, np.newaxis]


def split(values, lengths: np.ndarray) -> list:
    """Split values into views of these lengths, without what np.split asks for each."""
    ends = np.cumsum(lengths).tolist()
    return [values[start:end] for start, end in pairwise([0, *ends])]


def as_objects(parts: Sequence) -> np.ndarray:
    """Return a 1-D array of objects, even if all the parts have the same shape."""
    objects = np.empty(len(parts), dtype=object)
    objects[:] = parts
    return objects


def read_sequences(X, estimator, *, reset: bool, content: Content = FINITE_NUMBERS) -> Sequences:
    """Read X for an estimator.

    With `reset`, set the estimator's `n_features_in_` and, for DataFrames, `feature_names_in_`;
    otherwise check X against them. Raises ValueError or TypeError, naming the sample at fault.
    """
    fitted_on_table = None if reset else estimator._fitted_on_table
    validate = partial(validate_data, estimator, reset=reset)
    with about("X"):
        X = opened(X, "X")
        sequences = _read(X, content, fitted_on_table)
        if sequences is None and fitted_on_table is not False:
            if reset and is_frame(X):
                warn_of_named_columns(X)
            return _read_table(X, content, validate)
        if sequences is not None and not fitted_on_table:
            if reset or not _is_as_fitted(sequences.example, estimator):
                validate(sequences.example, skip_check_array=True)
            return sequences

    name, expected = type(estimator).__name__, estimator.n_features_in_
    if sequences is None:
        raise ValueError(
            f"X is 2-D ({describe(X)}), but {name} was fitted on sequences: give an array "
            f"(n_samples, n_timesteps, {expected}) or a list of arrays (n_timesteps, {expected}); "
            "for one sequence, a list of one array, [X]."
        )
    raise ValueError(
        f"X is 3-D or a list ({describe(X)}), but {name} was fitted on 2-D X: give an array "
        f"(n_samples, {expected}). (A list of equally long lists of numbers counts as 2-D: if "
        "the inner lists are sequences, make each of them an array.)"
    )


def _is_as_fitted(example, estimator) -> bool:
    """Whether `validate_data` has nothing to say; it takes as long as a short sequence does."""
    return (
        type(example) is np.ndarray
        and example.shape[-1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
    )


def as_sequences(X, content: Content, fitted_on_table: bool | None = None) -> Sequences:
    """Read X without an estimator to check it against.

    fitted_on_table : whether the X of an earlier fit was 2-D, None without one; see `_read`
    """
    with about("X"):
        X = opened(X, "X")
        sequences = _read(X, content, fitted_on_table)
        return _read_table(X, content, check_array) if sequences is None else sequences


def _read(X, content: Content, fitted_on_table: bool | None) -> Sequences | None:
    """Read a 3-D array or a list of sequences; return None if X is 2-D.

    A list of equally long lists of numbers counts as 2-D, as elsewhere in scikit-learn, unless the
    estimator was fitted on sequences. If it was fitted on 2-D X, every list of equally long 1-D
    sequences counts as 2-D.
    """
    if isinstance(X, (list, tuple)):
        if _depth(X) >= 2 or any(np.iterable(x) and not isinstance(x, (str, bytes)) for x in X):
            of_lists = all(isinstance(x, (list, tuple)) for x in X)
            may_be_table = of_lists if fitted_on_table is None else fitted_on_table
            if may_be_table and _is_rectangular(X):
                return None
            return _read_list(X, content, "list")
    elif isinstance(X, np.ndarray):
        if X.ndim == 3:
            return _read_array(np.asarray(X), content, "array")
        if X.ndim == 2:
            return None
        if X.ndim == 1 and X.dtype == object and _depth(X) >= 2:
            return _read_list(X, content, "object array")
    elif is_frame(X):
        check_table(X)
        return None
    raise ValueError(
        "X must be an array (n_samples, n_timesteps, n_features), a list of arrays "
        "(n_timesteps_i, n_features), or 2-D with one column per timestep (n_samples, "
        f"n_timesteps); got {describe(X)}. Reshape your data, or put a single sequence into a list."
    )


def _depth(X: Sequence) -> int:
    """The nesting depth of X, judged by its first item: 2 for a list of 1-D arrays."""
    if not len(X):
        return 1
    try:
        return 1 + np.ndim(X[0])
    except ValueError:  # the first item holds lists of different lengths
        return 3


def _is_rectangular(X: Sequence) -> bool:
    """Whether X looks like a list of equally long 1-D sequences, without converting it."""
    shapes = {np.shape(x) if isinstance(x, np.ndarray) else (len(x),) for x in X if np.iterable(x)}
    return _depth(X) == 2 and len(shapes) == 1 and all(np.iterable(x) for x in X)


def _read_table(X, content: Content, check: Callable) -> Sequences:
    if isinstance(X, (list, tuple)):
        X = as_values(X)
    try:
        table = check(X, dtype=content.dtype, ensure_all_finite=False)
    except (TypeError, ValueError) as error:
        if re.search("convert|string|sequence", str(error)):
            raise type(error)(f"X must hold numbers, one per timestep: {error}") from error
        raise
    return _read_array(table[:, :, np.newaxis], content, "table")


def _read_array(X: np.ndarray, content: Content, container: str) -> Sequences:
    if 0 in X.shape:
        raise ValueError(
            f"X has shape {X.shape}, but (n_samples, n_timesteps, n_features) must all be at least "
            "one."
        )
    return Sequences(*content.check_array(X), container, X[0])


def _read_list(X: Sequence, content: Content, container: str) -> Sequences:
    arrays = [_read_sequence(x, i, content) for i, x in enumerate(X)]
    n_features = arrays[0].shape[1]
    for i, array in enumerate(arrays):
        if array.shape[1] != n_features:
            raise ValueError(
                f"X[{i}] has {array.shape[1]} features, but X[0] has {n_features}: all sequences "
                f"must have the same features.{hint_at_swapped_axes(arrays)}"
            )
    check_columns(X, "X")
    lengths = np.array([len(array) for array in arrays])
    all_named = all(map(is_frame, X))
    example = X[0] if all_named else next(array for array in arrays if not is_frame(array))
    return Sequences(content.check_list(arrays), lengths, container, example)


def hint_at_swapped_axes(arrays: list[np.ndarray]) -> str:
    """The hint for sequences whose second dimensions differ while their first ones are equal."""
    n_rows = {len(array) for array in arrays}
    if len(n_rows) > 1:
        return ""
    return (
        f" They all have {n_rows.pop()} rows: if those are the features or channels, as sktime and "
        "aeon arrange them, use sklearn_rnn.preprocessing.from_channels_first(X)."
    )


def _read_sequence(x, i: int, content: Content) -> np.ndarray:
    try:
        array = content.as_array(x)
    except ValueError as error:
        raise ValueError(
            f"X[{i}] is not an array (n_timesteps, n_features): its timesteps differ in length."
        ) from error
    shape = array.shape  # some DataFrames have no ndim
    if len(shape) == 1:
        array = array[:, np.newaxis]
        shape = array.shape
    if len(shape) != 2:
        raise ValueError(
            f"X[{i}] ({describe(x)}) has {len(shape)} dimensions; X must be a list of "
            "n_samples arrays (n_timesteps, n_features), or (n_timesteps,) for one feature."
        )
    if 0 in shape:
        raise ValueError(
            f"X[{i}] ({describe(x)}) is an empty sequence: there must be at least one timestep and "
            "one feature."
        )
    return array
