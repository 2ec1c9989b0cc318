"""Conversion between lists of sequences and padded arrays."""

import math
import sys
from numbers import Integral

import numpy as np

from sklearn_rnn._input.containers import check_container, opened
from sklearn_rnn._input.content import as_values, missing
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import check_columns, check_table, is_frame
from sklearn_rnn._input.hyperparameters import check_choice, check_number, plain
from sklearn_rnn._input.sequences import hint_at_swapped_axes

# float64 holds all integers up to this one exactly.
LARGEST_EXACT = 2**53
SIDES = ("post", "pre")


def pad_sequences(sequences, *, length=None, fill=np.nan, side="post"):
    """Put sequences of different lengths into one array, with a fill value after each sequence.

    The estimators of this package take lists, so they need no padding, but they also accept NaN as
    padding. Use padding for other code that needs arrays, and for 2-D X, which must have as many
    columns in `predict` as in `fit`.

    Parameters
    ----------
    sequences : sequence of array-like of shape (n_timesteps_i,) or (n_timesteps_i, n_features)
        The sequences, or values per timestep such as targets. They may have more dimensions. All
        dimensions but the first must be the same in all sequences.
    length : int, default=None
        The number of timesteps of the result. None is the length of the longest sequence, and also
        the minimum.
    fill : scalar, default=nan
        The value of padding. The estimators read NaN as padding of X. With NaN,
        integers and booleans become float64, even if no value is filled. Choose an integer to keep
        their type, and a string for strings.
    side : {"post", "pre"}, default="post"
        Whether padding follows a sequence or precedes it. The estimators read padding only where
        it follows.

    Returns
    -------
    padded : ndarray of shape (n_samples, length) or (n_samples, length, n_features)
        The padded sequences, in a dtype that holds all their values and `fill`.

    Raises
    ------
    ValueError, TypeError
        If there are no sequences, if a sequence is empty or longer than `length`, if sequences
        differ in another dimension than the first, or if `fill` or `side` can't be used.

    See Also
    --------
    unpad_sequences : The inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import pad_sequences
    >>> pad_sequences([[1.0, 2.0, 3.0], [4.0]])
    array([[ 1.,  2.,  3.],
           [ 4., nan, nan]])
    >>> pad_sequences([["up", "down"], ["up"]], fill="")
    array([['up', 'down'],
           ['up', '']], dtype='<U4')
    """
    check_choice("side", side, SIDES)
    with about("sequences"):
        sequences = opened(sequences, "sequences")
    arrays = as_arrays(sequences, "sequences", "(n_timesteps_i,) or (n_timesteps_i, n_features)")
    for i, array in enumerate(arrays):
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"sequences[{i}] has shape {array.shape}, but sequences[0] has {arrays[0].shape}: "
                "only their first dimension, the timesteps, may differ."
                f"{hint_at_swapped_axes(arrays)}"
            )
    check_columns(sequences, "sequences")
    longest = max(map(len, arrays))
    length = longest if length is None else _checked_length(length, longest)
    dtype = _dtype_with(fill, arrays)
    shape = (len(arrays), length, *arrays[0].shape[1:])
    if math.prod(shape) > sys.maxsize // dtype.itemsize:
        raise ValueError(f"length={length} makes an array that is too large for any computer.")
    padded = np.full(shape, fill, dtype)
    for row, array in zip(padded, arrays, strict=True):
        _without_padding(row, len(array), side)[:] = array
    return padded


def unpad_sequences(X, *arrays, lengths=None, fill=np.nan, side="post"):
    """Split a padded array into sequences without padding.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_timesteps) or (n_samples, n_timesteps, n_features)
        The padded sequences, or values per timestep such as targets or predictions. There may be
        more dimensions.
    *arrays : array-like of shape (n_samples, n_timesteps) or (n_samples, n_timesteps, n_outputs)
        Further values per timestep, such as targets and weights. They lose the timesteps that are
        padding in X, whatever they hold there.
    lengths : array-like of int of shape (n_samples,), default=None
        The number of timesteps of each sequence. With None, timesteps at the end of a sequence (at
        its start with ``side="pre"``) are padding if all their values are `fill`.
    fill : scalar, default=nan
        The value of padding in X, such as 0 or another mask value. NaN also stands for None and
        NaT, as for the estimators. Integers, booleans and strings then have no padding. A sequence
        whose own last timesteps are `fill` in all features is cut short: `lengths` avoids that.
    side : {"post", "pre"}, default="post"
        Whether padding follows a sequence or precedes it.

    Returns
    -------
    sequences : list of ndarray of shape (n_timesteps_i,) or (n_timesteps_i, n_features)
        The sequences. They are views of X if X is an array. With further arrays, the result is a
        tuple of such lists: first X, then the others.

    Raises
    ------
    ValueError, TypeError
        If X has too few dimensions, if a sequence is all padding, if `lengths` or another array
        doesn't fit X, or if `fill` or `side` can't be used.

    See Also
    --------
    pad_sequences : The inverse. It pads with NaN, as the estimators read it, whatever `fill` was.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import unpad_sequences
    >>> X = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]])
    >>> sequences = unpad_sequences(X)
    >>> sequences
    [array([1., 2., 3.]), array([4.])]

    Integer labels can't be NaN, so give their lengths:

    >>> y = np.array([[1, 0, 1], [1, -1, -1]])
    >>> unpad_sequences(y, lengths=[len(sequence) for sequence in sequences])
    [array([1, 0, 1]), array([1])]

    Zeros in front of the sequences, and targets per timestep:

    >>> X = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 4.0]])
    >>> y = np.array([[1, 0, 1], [0, 0, 1]])
    >>> unpad_sequences(X, y, fill=0, side="pre")
    ([array([1., 2., 3.]), array([4.])], [array([1, 0, 1]), array([1])])
    """
    check_choice("side", side, SIDES)
    array = _padded_array(X, "X")
    if lengths is None:
        lengths = _lengths_without(fill, array, side)
    elif not _is_nan(fill):
        raise ValueError("Give lengths or fill, not both: lengths say where padding is.")
    else:
        lengths = _checked_lengths(lengths, array)
    every = [array]
    for i, values in enumerate(arrays):
        every.append(_padded_array(values, f"arrays[{i}]"))
        if every[-1].shape[:2] != array.shape[:2]:
            raise ValueError(
                f"arrays[{i}] has shape {every[-1].shape}, but X has {array.shape}: they must have "
                "the same sequences and timesteps."
            )
    lists = tuple(
        [_without_padding(row, n, side) for row, n in zip(one, lengths.tolist(), strict=True)]
        for one in every
    )
    return lists if arrays else lists[0]


def _padded_array(X, name: str) -> np.ndarray:
    """Return an array of at least two dimensions."""
    with about(name):
        values = opened(X, name)
        if is_frame(values):
            check_table(values)
        array = as_values(values)
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(
            f"{name} must be an array (n_samples, n_timesteps) or (n_samples, n_timesteps, "
            f"n_features), with no dimension of length 0; got {describe(X)}."
        )
    return array


def _without_padding(row: np.ndarray, length: int, side: str) -> np.ndarray:
    return row[:length] if side == "post" else row[len(row) - length :]


def _is_nan(fill) -> bool:
    return np.ndim(fill) == 0 and bool(missing(np.array([fill], dtype=object))[0])


def _lengths_without(fill, X: np.ndarray, side: str) -> np.ndarray:
    """Return the length of each sequence, (n,); raise if it is all padding."""
    is_padding = missing(X) if _is_nan(fill) else np.equal(X, _checked_fill(fill, X))
    present = ~is_padding.reshape(*X.shape[:2], -1).all(axis=2)
    is_empty = ~present.any(axis=1)
    if is_empty.any():
        raise ValueError(
            f"X[{is_empty.argmax()}] is an empty sequence: all its values are {fill!r}, which is "
            "padding."
        )
    last_first = present[:, ::-1] if side == "post" else present
    return X.shape[1] - last_first.argmax(axis=1)


def _checked_fill(fill, X: np.ndarray):
    """Return a scalar that can be compared with X in its own precision."""
    of_one_kind = (X.dtype.kind in "US") == isinstance(fill, (str, bytes)) or X.dtype.kind == "O"
    if np.ndim(fill) or not of_one_kind:
        raise TypeError(f"fill={fill!r} can't occur in X of dtype {X.dtype}: give one of its kind.")
    return plain(fill)


def as_arrays(sequences, name: str, shape: str) -> list[np.ndarray]:
    """Convert a list or array of sequences into non-empty arrays of at least one dimension.

    sequences : as `opened` returns them
    name, shape : what errors call the sequences, and the shape that errors ask for
    """
    is_list = isinstance(sequences, (list, tuple)) or getattr(sequences, "ndim", 0) > 0
    if not is_list or is_frame(sequences) or not len(sequences):
        raise ValueError(
            f"{name} must be a list of at least one array {shape}; got {describe(sequences)}."
        )
    arrays = []
    for i, sequence in enumerate(sequences):
        with about(name):
            array = as_values(sequence)
        if array.ndim == 0 or 0 in array.shape:
            raise ValueError(
                f"{name}[{i}] must be an array {shape}, with no dimension of length 0; got "
                f"{describe(sequence)}."
            )
        arrays.append(array)
    return arrays


def read_lengths(lengths, n: int) -> np.ndarray:
    """Return the argument `lengths` as n integers."""
    with about("lengths"):
        check_container(lengths, "lengths")
        lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu" or lengths.shape != (n,):
        raise ValueError(
            f"lengths must be {n} integers, one per sequence of X; got {describe(lengths)} and "
            f"dtype {lengths.dtype}."
        )
    return lengths


def _checked_length(length, longest: int) -> int:
    check_number("length", length, Integral, 1, None, "left")
    if length < longest:
        raise ValueError(
            f"length={length} is less than the {longest} timesteps of the longest sequence. To "
            "shorten sequences, cut them first."
        )
    return int(length)


def _checked_lengths(lengths, X: np.ndarray) -> np.ndarray:
    n, n_timesteps = X.shape[:2]
    lengths = read_lengths(lengths, n)
    wrong = (lengths < 1) | (lengths > n_timesteps)
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(
            f"lengths[{i}] is {lengths[i]}, but must be between 1 and {n_timesteps}, the timesteps "
            "of X."
        )
    return lengths


def _dtype_with(fill, arrays: list[np.ndarray]) -> np.dtype:
    """Return the type that holds the values of the arrays and a fill value."""
    are_text = {array.dtype.kind in "US" for array in arrays if array.dtype.kind != "O"}
    if len(are_text) > 1:
        raise TypeError("sequences mix strings with other values; convert them to one kind.")
    dtype = np.result_type(*(array.dtype for array in arrays))
    is_number = isinstance(fill, (int, float, complex)) and not isinstance(fill, np.generic)
    kind_of_fill = fill if is_number else np.asarray(fill).dtype  # Python numbers keep the dtype
    fits = dtype.kind == "O" or are_text == {isinstance(fill, (str, bytes))}
    try:
        result = np.result_type(dtype, kind_of_fill)
    except TypeError:
        fits = False
    if not fits or np.ndim(fill):
        raise TypeError(
            f"fill={fill!r} doesn't fit sequences of dtype {dtype}: give a value of their kind, "
            "such as '' for strings, -1 for integers, nan for floats."
        )
    if result.kind in "iu" and not np.iinfo(result).min <= fill <= np.iinfo(result).max:
        raise ValueError(f"fill={fill!r} is out of the range of {result}.")
    if dtype.kind in "iu" and result.kind == "f":
        for i, array in enumerate(arrays):
            if (array > LARGEST_EXACT).any() or (array < -LARGEST_EXACT).any():
                raise ValueError(
                    f"sequences[{i}] has integers that {result} can't hold exactly: give an "
                    "integer as fill."
                )
    return result
