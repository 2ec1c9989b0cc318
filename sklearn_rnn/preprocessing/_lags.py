"""Lags: earlier timesteps as further features."""

from numbers import Integral

import numpy as np

from sklearn_rnn._input.hyperparameters import MOST_NUMBERS, check_flag, check_number
from sklearn_rnn.preprocessing._sequence_transformer import SequenceTransformer


class Lags(SequenceTransformer):
    """Add the values of earlier timesteps as features.

    Timestep t of the result holds x[t], then x[t - lag] for each lag, of the same sequence.

    Parameters
    ----------
    lags : int or list of int, default=1
        The lags, at least 1. An int means all lags from 1 to this one.
    drop : bool, default=False
        Whether to drop the timesteps that have no value at the largest lag, the first ones of each
        sequence. False keeps them: a timestep before the start counts as equal to the first one.
        Targets per timestep need False.

    Attributes
    ----------
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    Differences : Differences to earlier timesteps.
    Patches : Makes one timestep of several.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import Lags
    >>> X = [np.array([1.0, 2.0, 4.0, 8.0]), np.array([5.0, 6.0])]
    >>> for sequence in Lags([1, 2]).fit_transform(X):
    ...     print(sequence)
    [[1. 1. 1.]
     [2. 1. 1.]
     [4. 2. 1.]
     [8. 4. 2.]]
    [[5. 5. 5.]
     [6. 5. 5.]]
    """

    def __init__(self, lags=1, drop=False):
        self.lags = lags
        self.drop = drop

    def _check_parameters(self, sequences):
        for lag in self.lags if np.iterable(self.lags) else [self.lags]:
            check_number("lags", lag, Integral, 1, MOST_NUMBERS, "both")
        if not self._every_lag():
            raise ValueError("lags is an empty list: name at least one lag.")
        check_flag("drop", self.drop)

    def _transform_one(self, x, name):
        made = np.concatenate([x, *(earlier(x, lag) for lag in self._every_lag())], axis=1)
        return without_first(made, self._n_dropped(), name)

    def _names_out(self, names):
        return [*names, *(f"{name}_lag{lag}" for lag in self._every_lag() for name in names)]

    def _n_dropped(self):
        return max(self._every_lag()) if self.drop else 0

    def _every_lag(self) -> list[int]:
        lags = self.lags if np.iterable(self.lags) else range(1, self.lags + 1)
        return [int(lag) for lag in lags]


def repeat_first(x: np.ndarray, times: int) -> np.ndarray:
    """Put copies of the first timestep before a sequence."""
    return np.concatenate([np.repeat(x[:1], times, axis=0), x]) if times else x


def earlier(x: np.ndarray, lag: int) -> np.ndarray:
    """Return x[t - lag] for every t. Timesteps before the first count as equal to it."""
    return repeat_first(x, min(lag, len(x)))[: len(x)]  # users may give any int


def without_first(x: np.ndarray, dropped: int, name: str) -> np.ndarray:
    """Drop timesteps at the start of a sequence; raise if none is left."""
    if len(x) <= dropped:
        raise ValueError(
            f"{name} has {len(x)} timesteps, but drop=True drops the first {dropped}: leave this "
            "sequence out, or set drop=False."
        )
    return x[dropped:]
