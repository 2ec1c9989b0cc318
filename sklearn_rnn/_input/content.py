"""What sequences may hold: for networks finite numbers, and NaN as padding."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

# How many values are copied at a time, where X is looked through or isn't in one piece.
BLOCK = 2**20


class Content(NamedTuple):
    """What sequences may hold.

    dtype : how scikit-learn is to read 2-D X: "numeric", or None for anything
    as_array : makes an array of one sequence, or what has a shape and len as one does
    check_array : returns a padded array and the lengths of its sequences, or raises
    check_list : returns a list of arrays, or raises
    """

    dtype: str | None
    as_array: Callable[[Sequence], np.ndarray]
    check_array: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    check_list: Callable[[list[np.ndarray]], list[np.ndarray]]


def _numeric_array(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    array = as_numbers(array, "X")
    return array, _valid_lengths(array)


def _numeric_list(arrays: list[np.ndarray]) -> list[np.ndarray]:
    arrays = [as_numbers(array, f"X[{i}]") for i, array in enumerate(arrays)]
    for block in _blocks(arrays):
        _check_finite(arrays[block], block.start)
    return arrays


FINITE_NUMBERS = Content("numeric", np.asarray, _numeric_array, _numeric_list)


def _values_or_frame(x):
    """Leave a DataFrame as it is: an array has one type for all columns, and no names."""
    return x if hasattr(x, "columns") else as_values(x)


def _stand_in(x) -> np.ndarray:
    """Stand for a sequence by an array as long, whatever there is in each timestep."""
    return np.empty((len(x), 1), bool) if isinstance(x, Iterable) else np.asarray(x)


def _padded(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lengths = unpadded(array)
    if not lengths.all():
        raise ValueError(
            f"X[{lengths.argmin()}] is an empty sequence: all its values are NaN, which counts as "
            "padding. (In a list of arrays nothing is padding.)"
        )
    return array, lengths


# For transformers: numbers, strings or objects, with values missing anywhere.
ANYTHING = Content(None, _values_or_frame, _padded, list)
# For scorers and splitters, which see X before a pipeline has imputed or encoded it: sequences of
# which only the lengths count, and the container.
STEPS = Content(None, _stand_in, _padded, list)


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


def as_values(values) -> np.ndarray:
    """Make an array; one of objects for lists that hold strings and others, NaN among them."""
    array = np.asarray(values)
    if array.dtype.kind in "US" and isinstance(values, (list, tuple)):
        objects = np.asarray(values, dtype=object)
        if not all(isinstance(value, (str, bytes)) for value in objects.flat):
            return objects
    return array


def unpadded(array: np.ndarray) -> np.ndarray:
    """The lengths of sequences of anything, (n, n_timesteps, ...), without NaN at their ends.

    Where there is nothing but NaN it is zero. NaN is what isn't equal to itself, or None.
    """
    if array.dtype.kind == "O":
        missing = np.frompyfunc(_is_missing, 1, 1)(array).astype(bool)
    elif array.dtype.kind in "fcmM":
        missing = array != array
    else:  # integers and strings know nothing missing
        return np.full(len(array), array.shape[1])
    present = ~missing.reshape(*array.shape[:2], -1).all(axis=2)
    return np.where(present.any(axis=1), array.shape[1] - present[:, ::-1].argmax(axis=1), 0)


def _is_missing(value) -> bool:
    """Whether a value is None, NaN, NaT, or pandas' NA, which can't say if it equals itself."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True


def _blocks(arrays: list[np.ndarray]) -> Iterator[slice]:
    """Slices of a list, each of arrays that together have few values, or of a single array."""
    start = size = 0
    for i, array in enumerate(arrays):
        if size + array.size > BLOCK and i > start:
            yield slice(start, i)
            start, size = i, 0
        size += array.size
    yield slice(start, len(arrays))


def _valid_lengths(array: np.ndarray) -> np.ndarray:
    """Return the lengths of sequences that are padded with NaN; raise where NaN isn't padding."""
    n, n_timesteps, n_features = array.shape
    lengths = np.full(n, n_timesteps)
    block = max(1, BLOCK // (n_timesteps * n_features))
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
        f"{part[tuple(where)]} at timestep {timestep}, feature {feature}. Values must be finite; "
        "only at the end of a sequence, and in an array, not in a list, may all the features of a "
        f"timestep be NaN, which is padding then.{_hint_at_swapped_axes(part[sample])}"
    )


def _hint_at_swapped_axes(sequence: np.ndarray) -> str:
    """What to say if a sequence would be well padded, were its timesteps its second dimension."""
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
    """Whether a sum shows at once that all is finite; it may overflow, so False means perhaps."""
    if array.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))
