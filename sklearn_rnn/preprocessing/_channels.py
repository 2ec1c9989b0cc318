"""Conversion from and to the layout of sktime and aeon: channels before timesteps."""

import numpy as np

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import check_columns
from sklearn_rnn._input.sequences import as_objects
from sklearn_rnn.preprocessing._padding import as_arrays


def from_channels_first(X):
    """Convert sequences from (n_channels, n_timesteps), as in sktime and aeon, to this package.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_channels, n_timesteps) or list of n_samples arrays of shape \
            (n_channels, n_timesteps_i)
        The sequences: the type ``numpy3D`` of sktime and aeon, with or without NaN as padding, or
        the type ``np-list`` of aeon.

    Returns
    -------
    X_new : ndarray of shape (n_samples, n_timesteps, n_channels) or list of arrays of shape \
            (n_timesteps_i, n_channels)
        A copy in which the values of a timestep are contiguous in memory. A 1-D object array gives
        a 1-D object array.

    Raises
    ------
    ValueError, TypeError
        If X is anything else, or its sequences differ in their channels.

    See Also
    --------
    to_channels_first : The inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import from_channels_first
    >>> from_channels_first(np.zeros((10, 2, 50))).shape  # 10 sequences of 50 timesteps
    (10, 50, 2)
    >>> [x.shape for x in from_channels_first([np.zeros((2, 50)), np.zeros((2, 30))])]
    [(50, 2), (30, 2)]
    """
    return _swapped(X, "(n_channels, n_timesteps_i)", channels=0)


def to_channels_first(X):
    """Convert sequences to (n_channels, n_timesteps), the layout of sktime and aeon.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_timesteps, n_channels) or list of n_samples arrays of shape \
            (n_timesteps_i, n_channels)
        The sequences.

    Returns
    -------
    X_new : ndarray of shape (n_samples, n_channels, n_timesteps) or list of arrays of shape \
            (n_channels, n_timesteps_i)
        A copy in which the values of a channel are contiguous in memory. A 1-D object array gives
        a 1-D object array.

    Raises
    ------
    ValueError, TypeError
        If X is anything else, or its sequences differ in their channels.

    See Also
    --------
    from_channels_first : The inverse.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import to_channels_first
    >>> to_channels_first(np.zeros((10, 50, 2))).shape
    (10, 2, 50)
    """
    return _swapped(X, "(n_timesteps_i, n_channels)", channels=1)


def _swapped(X, shape: str, channels: int):
    """Swap the two axes of each sequence.

    channels : the axis of the channels, whose length must be the same in all sequences
    """
    with about("X"):
        X = opened(X, "X")
    arrays = as_arrays(X, "X", shape)
    for i, array in enumerate(arrays):
        if array.ndim != 2:
            raise ValueError(
                f"X[{i}] ({describe(array)}) has {array.ndim} dimensions; X must be 3-D, or a list "
                f"of arrays {shape}."
            )
        if array.shape[channels] != arrays[0].shape[channels]:
            raise ValueError(
                f"X[{i}] has {array.shape[channels]} channels, but X[0] has "
                f"{arrays[0].shape[channels]}: the arrays must be {shape}, all with the same "
                f"channels.{_hint(arrays, 1 - channels)}"
            )
    if channels == 1:
        check_columns(X, "X")
    if getattr(X, "ndim", 0) == 3:
        return np.swapaxes(X, 1, 2).copy(order="C")
    swapped = [array.T.copy(order="C") for array in arrays]
    return swapped if isinstance(X, (list, tuple)) else as_objects(swapped)


def _hint(arrays: list[np.ndarray], other_axis: int) -> str:
    if len({array.shape[other_axis] for array in arrays}) > 1:
        return ""
    return " The axes seem to be in the other order already, with nothing to convert."
