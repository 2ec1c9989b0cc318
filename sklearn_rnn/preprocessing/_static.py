"""Static features: one row of numbers for each series or sequence."""

from importlib import import_module

import numpy as np

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.content import ANYTHING, as_numbers
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn.preprocessing._timesteps import framed, library_of

# How a library's `concat` puts DataFrames side by side.
SIDE_BY_SIDE = {"pandas": {"axis": 1}, "polars": {"how": "horizontal"}}


def add_static(X, Z):
    """Add static features to sequences: the same values at every timestep.

    The result is X with more features. It goes through pipelines, searches and cross-validation as
    one argument. Nothing is learned from Z, so call this once, before the data are split; scale
    the result in the pipeline, or leave that to ``standardize=True``.

    Parameters
    ----------
    X : array-like or list of arrays
        The sequences, in any container that `RNNRegressor` takes.
    Z : array-like of shape (n_samples, n_static)
        One row of numbers for each sequence, in the order of X: the age of a patient, the size of a
        shop. An index is ignored.

    Returns
    -------
    X_new : ndarray of shape (n_samples, n_timesteps, n_features + n_static), or list of ndarray \
            of shape (n_timesteps_i, n_features + n_static)
        The sequences in the container of X: first their own features, then those of Z, in the
        precision of X if that is floating point. Padding stays NaN in all features. A list of
        DataFrames gives DataFrames, with the column names of Z, or with the names "static0",
        "static1" and so on. 2-D X, with one column per timestep, gives a 3-D array.

    Raises
    ------
    ValueError, TypeError
        If X or Z can't be used, if they differ in the number of sequences, or if columns of X and
        of Z have the same name.

    See Also
    --------
    sliding_windows : Windows of series with static features.

    Notes
    -----
    **Memory.** The result is a copy of X, (n_features + n_static) / n_features times as large: each
    static value is stored at every timestep. Two static features beside eight others take a quarter
    more, which is little. With many static features and few others it is much; reduce them
    first, by `sklearn.decomposition.PCA` for example.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import add_static
    >>> X = [np.array([[1.0], [2.0], [3.0]]), np.array([[4.0]])]
    >>> add_static(X, [[10, 0], [20, 1]])
    [array([[ 1., 10.,  0.],
           [ 2., 10.,  0.],
           [ 3., 10.,  0.]]), array([[ 4., 20.,  1.]])]
    """
    sequences = as_sequences(X, ANYTHING)
    rows = read_static(Z, "Z", len(sequences), "sequences in X")
    if not sequences.is_list:
        return _added_to_array(sequences, rows)
    if not all(map(is_frame, sequences.arrays)):
        arrays = map(np.asarray, sequences.arrays)
        return sequences.listed(list(map(_beside, arrays, rows)))
    names = list(Z.columns) if is_frame(Z) else [f"static{k}" for k in range(rows.shape[1])]
    both = sorted(set(names) & set(sequences.arrays[0].columns), key=str)
    if both:
        raise ValueError(f"X and Z both have the columns {both}: give them other names in Z.")
    pairs = zip(sequences.arrays, rows, strict=True)
    return sequences.listed([_added_to_frame(x, row, names) for x, row in pairs])


def read_static(static, name: str, n: int, what: str) -> np.ndarray:
    """Return static features as numbers, (n, n_static), or raise.

    what : what there is one row for
    """
    with about(name):
        array = np.asarray(opened(static, name))
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{name} must be 2-D, ({n}, n_static), with one row of numbers for each of the {what}; "
            f"got {describe(static)}."
        )
    if len(array) != n:
        raise ValueError(
            f"{name} has {len(array)} rows, but there are {n} {what}: give one row for each."
        )
    return as_numbers(array, name)


def dtype_with(dtype: np.dtype, more: np.dtype) -> np.dtype:
    """Return the dtype of values of one dtype with more numbers beside them.

    Floats keep their precision, integers make room for the numbers, and others become objects.
    """
    if dtype.kind in "iub":
        return np.result_type(dtype, more)
    return dtype if dtype.kind == "f" else np.dtype(object)


def _beside(values: np.ndarray, static: np.ndarray) -> np.ndarray:
    """Return values (..., n_features) with static features (..., n_static) behind them."""
    n_features = values.shape[-1]
    shape = (*values.shape[:-1], n_features + static.shape[-1])
    both = np.empty(shape, dtype_with(values.dtype, static.dtype))
    both[..., :n_features] = values
    with np.errstate(over="ignore"):
        both[..., n_features:] = static
    return both


def _added_to_array(sequences: Sequences, rows: np.ndarray) -> np.ndarray:
    arrays = sequences.arrays
    added = _beside(arrays, rows[:, np.newaxis])
    if sequences.is_padded:
        added[~sequences.is_valid(), arrays.shape[2] :] = np.nan
    return added


def _added_to_frame(x, row: np.ndarray, names: list):
    library = library_of(x)
    static = framed(np.tile(row, (len(x), 1)), x, names, library)
    return import_module(library).concat([x, static], **SIDE_BY_SIDE[library])
