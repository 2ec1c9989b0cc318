"""Differences: each timestep relative to an earlier one of its sequence."""

from numbers import Integral

import numpy as np

from sklearn_rnn._input.hyperparameters import check_flag, check_number
from sklearn_rnn.preprocessing._lags import earlier, without_first
from sklearn_rnn.preprocessing._sequence_transformer import SequenceTransformer, as_floats

# Differences of this order sum values times up to 2^50, about the precision of float64.
MAX_ORDER = 50


class Differences(SequenceTransformer):
    """Replace each timestep by its difference to an earlier one of the same sequence.

    With ``order=1``, timestep t becomes x[t] - x[t - lag]. A higher order takes differences of
    differences.

    Parameters
    ----------
    lag : int, default=1
        How many timesteps earlier the other value is, at least 1. In a series with a season, the
        length of the season.
    order : int, default=1
        How many times differences are taken, from 1 to 50. More would be mere rounding errors.
    append : bool, default=False
        Whether the differences are further features, after those of X.
    drop : bool, default=False
        Whether to drop the timesteps that have no earlier one, the first ``lag * order`` of each
        sequence. False keeps them: a timestep before the start counts as equal to the first one, so
        the difference at the first timestep is 0. Targets per timestep need False.

    Attributes
    ----------
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    Lags : The earlier values themselves, as further features.
    SequenceNormalizer : Values relative to the mean, the first or the last value of a sequence.

    Notes
    -----
    There is no ``inverse_transform``, since the transformer does not remember where sequences
    start.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import Differences
    >>> X = [np.array([1.0, 2.0, 4.0, 8.0]), np.array([5.0, 6.0])]
    >>> Differences().fit_transform(X)
    [array([0., 1., 2., 4.]), array([0., 1.])]
    >>> Differences(drop=True).fit_transform(X)
    [array([1., 2., 4.]), array([1.])]
    """

    def __init__(self, lag=1, order=1, append=False, drop=False):
        self.lag = lag
        self.order = order
        self.append = append
        self.drop = drop

    def _check_parameters(self, sequences):
        check_number("lag", self.lag, Integral, 1, None, "left")
        check_number("order", self.order, Integral, 1, MAX_ORDER, "both")
        check_flag("append", self.append)
        check_flag("drop", self.drop)

    def _transform_one(self, x, name):
        x = as_floats(x)
        made = x
        for _ in range(self.order):
            made = made - earlier(made, self.lag)
        made = np.concatenate([x, made], axis=1) if self.append else made
        return without_first(made, self._n_dropped(), name)

    def _names_out(self, names):
        order = "" if self.order == 1 else f"_order{self.order}"
        made = [f"{name}_difference{self.lag}{order}" for name in names]
        return [*names, *made] if self.append else made

    def _n_dropped(self):
        return int(self.lag) * int(self.order) if self.drop else 0
