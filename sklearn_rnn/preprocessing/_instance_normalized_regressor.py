"""InstanceNormalizedRegressor: forecasts relative to the level and the scale of each window."""

from typing import NamedTuple

import numpy as np
from sklearn.utils.metaestimators import available_if

from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn.core.scaling import Scaling
from sklearn_rnn.preprocessing._features import places
from sklearn_rnn.preprocessing._sequence_transformer import known_features, read_own
from sklearn_rnn.preprocessing._sequence_units import check_units, in_units, units_of
from sklearn_rnn.preprocessing._target_regressor import Inner, TargetRegressor


def _learns_in_parts(self):
    """A condition for `available_if`: whether the regressor has `partial_fit`."""
    return hasattr(getattr(self, "regressor_", self.regressor), "partial_fit")


class InstanceNormalizedRegressor(TargetRegressor):
    """Forecast relative to the level and the scale of each window.

    Each sequence of X is a window of a series, and y holds later values of the same series. Both
    are taken relative to the window: (value - level) / scale, with the level and the scale of the
    window's own timesteps. Predictions are returned in the units of y. So a level that was never
    seen in training, as in a series with a trend, is no other than those that were. With
    ``center="mean", scale="std"`` it is reversible instance normalization [1]_ without its learned
    affine map. The defaults are the normalization of NLinear [2]_.

    Parameters
    ----------
    regressor : regressor
        An `RNNRegressor`, any other regressor that takes X, or a pipeline or search that ends in
        one. It is cloned.
    center : {"last", "mean", "first"} or None, default="last"
        The level of a window: its last value, its mean or its first value. None is zero.
    scale : {"std"} or None, default=None
        The scale of a window. None is 1. "std" is the window's standard deviation, for series whose
        variation grows with their level. A window of equal values has the scale 1.
    features : int, str or list of them, default=None
        The features of X that are taken relative to the window: their numbers, or their column
        names if X is a list of DataFrames. The others are left as they are. None means all. Leave
        out features that are constant in a window, such as indicators, because ``center`` makes
        them zero.
    target : int, str or list of them, default=None
        The features that y forecasts, as in `sliding_windows`. They must be among ``features``.
        Output j of y belongs to ``target[j % len(target)]``: with several timesteps ahead, y is in
        the order of time, and then of the features, or has an axis for each of the two. None means
        all of ``features``.

    Attributes
    ----------
    regressor_ : regressor
        The fitted regressor. It takes and predicts values relative to the window.
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    SequenceNormalizer : The same for X alone, in classification for example.
    PerTimestepTarget : Transforms y alone.
    sliding_windows : Cuts series into windows.

    Notes
    -----
    The regressor minimizes its loss on values relative to the window. With ``scale="std"``, an
    error in a window with a small deviation counts for more than the same error in a window with a
    large one.

    The regressor gets X in the container it came in, but arrays in place of DataFrames.
    Predictions may have more axes than y, for several quantiles for example.

    If y has one target per timestep (see `PerTimestepTarget`), all targets of a sequence are taken
    relative to the same level and scale. They are statistics of the whole sequence, and so of later
    timesteps as well, except for ``center="first", scale=None``.

    References
    ----------
    .. [1] T. Kim, J. Kim, Y. Tae, C. Park, J.-H. Choi, J. Choo (2022). Reversible instance
       normalization for accurate time-series forecasting against distribution shift. ICLR.
    .. [2] A. Zeng, M. Chen, L. Zhang, Q. Xu (2023). Are transformers effective for time series
       forecasting? AAAI.

    Examples
    --------
    A series with a trend: the levels of the test windows are above those of all training windows.

    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.preprocessing import InstanceNormalizedRegressor, sliding_windows
    >>> t = np.arange(300)
    >>> X, y = sliding_windows(2.0 * t + 10 * np.sin(t / 3), window=20, horizon=2)
    >>> network = RNNRegressor(hidden_size=16, learning_rate_init=0.01, random_state=0)
    >>> model = InstanceNormalizedRegressor(network).fit(X[:200], y[:200])
    >>> score = model.score(X[200:], y[200:])
    >>> score > 0.99
    True
    >>> network.fit(X[:200], y[:200]).score(X[200:], y[200:]) < score
    True
    """

    def __init__(self, regressor, *, center="last", scale=None, features=None, target=None):
        self.regressor = regressor
        self.center = center
        self.scale = scale
        self.features = features
        self.target = target

    @available_if(_learns_in_parts)
    @keeps_numpy_settings
    def partial_fit(self, X, y, **fit_params):
        """Go on fitting the regressor; available if it has ``partial_fit``.

        Parameters
        ----------
        X, y, **fit_params
            As for `fit`. They are passed on to the regressor's ``partial_fit``.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError, TypeError
            As `fit`; also if X or y don't have the features or outputs of earlier calls.
        """
        return self._fit("partial_fit", X, y, fit_params)

    def _read(self, X, *, reset):
        return read_own(X, self, reset=reset)

    def _learn(self, rows, sequences, weights):
        check_units(self.center, self.scale)
        known = known_features(self, sequences)
        self._places = places(self.features, known, "features")
        chosen = [known[place] for place in self._places]
        targets = chosen if self.target is None else self.target
        targets = [known.index(chosen[place]) for place in places(targets, chosen, "target")]
        shape, names = self._target_shape, [known[place] for place in targets]
        if len(shape) > 1 and shape[1] != len(targets):
            raise ValueError(
                f"y has {shape[0]} timesteps of {shape[1]} outputs, but forecasts {len(targets)} "
                f"features, {names}: name the features that y forecasts in target."
            )
        if rows.shape[1] % len(targets):
            raise ValueError(
                f"y has {rows.shape[1]} outputs, which is no multiple of the {len(targets)} "
                f"features that they forecast, {names}: name the feature that y forecasts in "
                "target."
            )
        self._place_of_output = np.resize(targets, rows.shape[1])

    def _inner(self, X, sequences):
        windows = sequences.unpadded()
        units = [units_of(x, self.center, self.scale, f"X[{i}]") for i, x in enumerate(windows)]
        pairs = zip(windows, units, strict=True)
        rows = np.concatenate([in_units(x, scaling, self._places) for x, scaling in pairs])
        inner_X = sequences.restore(rows, np.nan)
        if sequences.container == "table":
            inner_X = inner_X[:, :, 0]
        statistics = np.array(units)[:, :, self._place_of_output]  # (n, 2, n_outputs)
        if self._per_timestep:
            statistics = np.repeat(statistics, sequences.lengths, axis=0)
        scaling = Scaling(statistics[:, 0], statistics[:, 1])
        return Inner(inner_X, sequences, _ByWindow(scaling))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.allow_nan = False
        tags.input_tags.three_d_array = True
        # y is a forecast of X: the problems of check_estimator aren't.
        tags.regressor_tags.poor_score = True
        return tags


class _ByWindow(NamedTuple):
    """Targets relative to the level and the scale of their windows.

    scaling : for each target and output
    """

    scaling: Scaling

    def apply(self, rows: np.ndarray) -> np.ndarray:
        return self.scaling.apply(rows).astype(rows.dtype, copy=False)

    def undo(self, rows: np.ndarray) -> np.ndarray:
        return self.scaling.undo(rows).astype(rows.dtype, copy=False)
