"""The values that sequences may hold, and where their padding begins.

A network takes finite numbers. Transformers, scorers and splitters take anything. In an array, the
trailing timesteps of a sequence are padding if all their values are missing: NaN, NaT or None.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sklearn_rnn._input.frames import is_frame

# The most values of X that are copied at once, to check them or to join the arrays of a batch.
MAX_COPIED = 2**20
# The kinds of dtypes with a value for "missing": not integers, booleans and strings.
MAY_BE_MISSING = "fcmMO"


class Content(NamedTuple):
    """How to read sequences of one kind of values.

    dtype : the dtype that scikit-learn checks 2-D X for: "numeric", or None for anything
    as_array : turns one sequence into an array, or into an object with an array's shape and len
    check_array : returns an array and the lengths of its sequences without padding, or raises
    check_list : returns a list of arrays, or raises
    """

    dtype: str | None
    as_array: Callable[[Sequence], np.ndarray]
    check_array: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    check_list: Callable[[list[np.ndarray]], list[np.ndarray]]


def _numeric_array(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    array = as_numbers(array, "X")
    return array, _check_padded(array)


def _numeric_list(arrays: list[np.ndarray]) -> list[np.ndarray]:
    arrays = [as_numbers(array, f"X[{i}]") for i, array in enumerate(arrays)]
    for block in _blocks(arrays):
        _check_finite(arrays[block], block.start)
    return arrays


FINITE_NUMBERS = Content("numeric", np.asarray, _numeric_array, _numeric_list)


def _values_or_frame(x):
    """Make an array, but keep a DataFrame, whose columns have names and types of their own."""
    return x if is_frame(x) else as_values(x)


def _stand_in(x) -> np.ndarray:
    """Return an array of the same length as a sequence, whatever its timesteps hold."""
    return np.empty((len(x), 1), bool) if isinstance(x, Iterable) else np.asarray(x)


def _padded_array(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return array, lengths_before_padding(array)


# For transformers: numbers, strings or objects. Any value may be missing.
ANYTHING = Content(None, _values_or_frame, _padded_array, list)
# For scorers and splitters: they see X before a pipeline imputes or encodes it, and use only the
# lengths of the sequences and their container.
STEPS = Content(None, _stand_in, _padded_array, list)


def as_numbers(array: np.ndarray, name: str) -> np.ndarray:
    """Return an array of real numbers, converted from objects if need be; raise if it holds others.

    name : what an error calls the array
    """
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}.")
    if array.dtype.kind == "O":
        try:
            return np.where(missing(array), np.nan, array).astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{name} must hold numbers: {error}{_place(array)}") from error
    example = f", such as {array.flat[0]!r}" if array.size else ""
    raise ValueError(f"{name} must hold numbers, but has dtype {array.dtype}{example}.")


def _place(array: np.ndarray) -> str:
    """In which column of an array of objects there is something else than numbers."""
    for column in range(array.shape[-1] if array.ndim > 1 else 0):
        try:
            array[..., column].astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            return f" (in column {column})"
    return ""


def as_values(values) -> np.ndarray:
    """Make an array. A list that mixes strings with other values, such as NaN, gives objects."""
    array = np.asarray(values)
    if array.dtype.kind in "US" and isinstance(values, (list, tuple)):
        objects = np.asarray(values, dtype=object)
        if not all(isinstance(value, (str, bytes)) for value in objects.flat):
            return objects
    return array


def lengths_before_padding(array: np.ndarray, first_sample: int = 0) -> np.ndarray:
    """Return the length of each sequence without its padding, (n,); raise if it is all padding.

    array : (n, n_timesteps, ...), whose first sequence is X[first_sample]
    """
    if array.dtype.kind not in MAY_BE_MISSING:
        return np.full(len(array), array.shape[1])
    present = ~missing(array).reshape(*array.shape[:2], -1).all(axis=2)
    is_empty = ~present.any(axis=1)
    if is_empty.any():
        raise ValueError(
            f"X[{first_sample + is_empty.argmax()}] is an empty sequence: all its values are NaN, "
            "which is padding in an array. (In a list of arrays nothing is padding.)"
        )
    return array.shape[1] - present[:, ::-1].argmax(axis=1)


def missing(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "O":
        return np.asarray(np.frompyfunc(_is_missing, 1, 1)(array), dtype=bool)
    return array != array  # NaN and NaT are not equal to themselves


def is_constant(array: np.ndarray) -> bool:
    """Whether all values are the same, or all are missing, as in padding."""
    if array.dtype.kind in MAY_BE_MISSING and missing(array).all():
        return True
    return bool((array == array.flat[0]).all())


def _is_missing(value) -> bool:
    """Whether a value is None, NaN, NaT or pandas' NA."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas' NA != NA is NA, which has no truth value
        return True


def _blocks(arrays: list[np.ndarray]) -> Iterator[slice]:
    """Cut a list into slices of at most MAX_COPIED values each, or of one larger array."""
    start = size = 0
    for i, array in enumerate(arrays):
        if size + array.size > MAX_COPIED and i > start:
            yield slice(start, i)
            start, size = i, 0
        size += array.size
    yield slice(start, len(arrays))


def _check_padded(array: np.ndarray) -> np.ndarray:
    """Return the lengths of sequences of numbers; raise where NaN or infinity isn't padding."""
    n, n_timesteps, n_features = array.shape
    lengths = np.full(n, n_timesteps)
    block = max(1, MAX_COPIED // (n_timesteps * n_features))
    for start in range(0, n, block):
        part = array[start : start + block]
        if _surely_finite(part):
            continue
        lengths_here = lengths_before_padding(part, start)
        is_valid = np.arange(n_timesteps) < lengths_here[:, np.newaxis]
        bad = ~np.isfinite(part) & is_valid[:, :, np.newaxis]
        if bad.any():
            raise _not_finite(part, np.argwhere(bad)[0], start)
        lengths[start : start + block] = lengths_here
    return lengths


def _check_finite(arrays: list[np.ndarray], first_sample: int) -> None:
    if _surely_finite(arrays[0] if len(arrays) == 1 else np.concatenate(arrays)):
        return
    for i, array in enumerate(arrays):
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            raise _not_finite(array[np.newaxis], (0, *bad[0]), first_sample + i)


def _not_finite(part: np.ndarray, where, first_sample: int) -> ValueError:
    sample, timestep, feature = where
    return ValueError(
        f"Input X contains NaN or infinity: sample {first_sample + sample} has "
        f"{part[tuple(where)]} at timestep {timestep}, feature {feature}. Values must be finite. "
        "Only an array, not a list, may have padding: timesteps at the end of a sequence where all "
        "the features are NaN."
        f"{_hint_at_swapped_axes(part[sample])}"
    )


def _hint_at_swapped_axes(sequence: np.ndarray) -> str:
    """The hint for a sequence whose NaN would be valid padding if its two axes were swapped."""
    padding = np.isnan(sequence).all(axis=0)
    n_timesteps = len(padding) - int(padding[::-1].argmin())
    if not np.isfinite(sequence[:, :n_timesteps]).all():
        return ""
    return (
        " (Here NaN ends the features, not the timesteps: if the axes are (n_channels, "
        "n_timesteps), as in sktime and aeon, use "
        "sklearn_rnn.preprocessing.from_channels_first(X).)"
    )


def _surely_finite(array: np.ndarray) -> bool:
    """Whether all values are finite."""
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
