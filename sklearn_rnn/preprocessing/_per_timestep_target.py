"""PerTimestepTarget: a regressor with a transformer for its targets."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

from sklearn_rnn._input.content import STEPS
from sklearn_rnn._input.sequences import as_sequences
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn.preprocessing._target_regressor import (
    Inner,
    TargetRegressor,
    check_part,
    said_by,
)
from sklearn_rnn.preprocessing._timesteps import made_of, meant_by

# The largest decrease of an increasing function, in proportion to its range.
ROUNDING = 1e-6


class PerTimestepTarget(TargetRegressor):
    """Fit a regressor to transformed targets, and transform its predictions back.

    This is `sklearn.compose.TransformedTargetRegressor` with support for targets per timestep, in
    lists and in arrays with or without padding. The transformer is fitted on the targets of all
    valid timesteps, as one table (total_timesteps, n_outputs). Values of y where X is padding are
    ignored. Targets for several timesteps ahead, (n_samples, horizon, n_outputs), are the table
    (n_samples * horizon, n_outputs).

    Parameters
    ----------
    regressor : regressor
        An `RNNRegressor`, or a pipeline or search that ends in one. It is cloned.
    transformer : transformer or "passthrough", default=None
        A transformer with ``inverse_transform`` that makes one row from each row. It is cloned.
        None means `sklearn.preprocessing.StandardScaler`, which scales each output to mean 0 and
        variance 1. "passthrough" changes nothing, for searches over several transformers and none.

    Attributes
    ----------
    regressor_ : regressor
        The fitted regressor. It predicts transformed targets.
    transformer_ : transformer
        The fitted transformer.
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if the regressor defines it.

    See Also
    --------
    PerTimestep : Transforms X.

    Notes
    -----
    The parameter ``return_sequences`` of the regressor, or of an estimator inside it, says whether
    targets are per timestep. Without such a parameter, the shape of y decides: an array
    (n_samples, n_timesteps), with or without more dimensions, and a list of arrays are targets per
    timestep.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.preprocessing import PerTimestepTarget
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((length, 1)) for length in rng.integers(5, 20, size=60)]
    >>> y = [1000 + 50 * np.cumsum(x) for x in X]
    >>> network = RNNRegressor(
    ...     return_sequences=True, hidden_size=16, learning_rate_init=0.01, tol=0.01, random_state=0
    ... )
    >>> model = PerTimestepTarget(network).fit(X, y)
    >>> model.predict(X)[0].shape == y[0].shape
    True
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(self, regressor, transformer=None):
        self.regressor = regressor
        self.transformer = transformer

    @keeps_numpy_settings
    def fit(self, X, y, **fit_params):
        """Fit the transformer to the targets, and the regressor to the transformed ones.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as the regressor takes them.
        y : array-like or list of arrays
            The targets. Per sequence: (n_samples,), (n_samples, n_outputs) or
            (n_samples, horizon, n_outputs). Per timestep: an array (n_samples, n_timesteps) or
            (n_samples, n_timesteps, n_outputs), or a list of arrays (n_timesteps_i,) or
            (n_timesteps_i, n_outputs).
        **fit_params : dict
            Passed on to the regressor's ``fit``, or routed if metadata routing is enabled. A
            ``sample_weight`` (``step__sample_weight`` for a pipeline; the last one of several) is
            passed to the transformer as well if it accepts one. The transformer never sees targets
            of weight zero, which may be NaN. ``y_val``, which requires ``X_val``, is transformed
            like y.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If an argument, the transformer or the regressor can't be used, or the transformer
            turns a target into NaN, or reverses the order of targets whose quantiles the regressor
            predicts.
        """
        return super().fit(X, y, **fit_params)

    @property
    def n_features_in_(self):
        """The number of features per timestep; for 2-D X, the number of columns."""
        return self.regressor_.n_features_in_

    @property
    def feature_names_in_(self):
        """The column names of X, if the regressor defines them."""
        return self.regressor_.feature_names_in_

    def _check_parts(self):
        super()._check_parts()
        methods = ("fit", "transform", "inverse_transform")
        check_part("transformer", self._transformer(), methods, "StandardScaler()")

    @property
    def _n_ahead(self) -> int:
        """The timesteps ahead in one row of targets."""
        return self._target_shape[0] if len(self._target_shape) > 1 else 1

    def _transformer(self):
        return StandardScaler() if self.transformer is None else meant_by(self.transformer)

    def _read(self, X, *, reset):
        sequences = as_sequences(X, STEPS, None if reset else self._fitted_on_table)
        if reset:
            self._fitted_on_table = sequences.container == "table"
        return sequences

    def _learn(self, rows, sequences, weights):
        transformer, params = clone(self._transformer()), {}
        rows = rows.reshape(len(rows) * self._n_ahead, -1)
        if weights is not None:
            weights = np.repeat(weights, self._n_ahead)
            rows, weights = rows[weights > 0], weights[weights > 0]
            if has_fit_parameter(transformer, "sample_weight"):
                params["sample_weight"] = weights
        self.transformer_ = transformer.fit(rows, **params)
        if "quantile" in said_by(self.regressor, "loss"):
            check_order(rows, _ByTransformer(self.transformer_, n_ahead=1).apply(rows))

    def _inner(self, X, sequences):
        return Inner(X, sequences, _ByTransformer(self.transformer_, self._n_ahead))


def check_order(rows: np.ndarray, transformed: np.ndarray) -> None:
    """Raise unless quantiles of transformed targets are the same quantiles of the targets.

    They are if every output is transformed by itself, and increases with the output.
    """
    same = rows.shape == transformed.shape
    if not same or any(map(decreases, rows.T, transformed.T)):
        raise ValueError(
            "transformer must keep the order of each output with loss='quantile': otherwise the "
            "quantile 0.1 of transformed targets isn't the quantile 0.1 of y. Turn a decreasing "
            "function round, -1/y in place of 1/y for example, and don't mix outputs."
        )


def decreases(values: np.ndarray, transformed: np.ndarray) -> bool:
    """Whether a function of the values, here (n,), decreases by more than rounding."""
    in_order = transformed[np.lexsort((transformed, values))]
    return bool((np.diff(in_order) < -ROUNDING * np.ptp(transformed)).any())


class _ByTransformer(NamedTuple):
    """Targets in the units of a fitted transformer.

    n_ahead : how many timesteps ahead a row of targets has, one after another
    """

    transformer: TransformerMixin
    n_ahead: int

    def apply(self, rows: np.ndarray) -> np.ndarray:
        return self._by_timestep(self.transformer.transform, rows)

    def undo(self, rows: np.ndarray) -> np.ndarray:
        return self._by_timestep(self.transformer.inverse_transform, rows)

    def _by_timestep(self, convert: Callable, rows: np.ndarray) -> np.ndarray:
        table = rows.reshape(len(rows) * self.n_ahead, -1)
        return np.asarray(made_of(len(table), convert(table))).reshape(len(rows), -1)
