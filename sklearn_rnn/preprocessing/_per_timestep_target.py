"""PerTimestepTarget: a regressor with a transformer for its targets."""

from copy import deepcopy

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklearn_rnn._input.content import STEPS, as_numbers
from sklearn_rnn._input.errors import about_validation_data, describe, unchanged_on_error
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn._input.targets import (
    array_or_list,
    check_finite,
    flatten,
    is_per_timestep,
    read_regression_targets,
    read_weights,
)
from sklearn_rnn.preprocessing._timesteps import made_of, meant_by


class PerTimestepTarget(RegressorMixin, BaseEstimator):
    """Fit a regressor to transformed targets, and transform its predictions back.

    This is `sklearn.compose.TransformedTargetRegressor` with support for targets per timestep, in
    lists and in arrays with or without padding. The transformer is fitted on the targets of all
    valid timesteps, as one table (total_timesteps, n_outputs). Values of y where X is padding are
    ignored.

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
    feature_names_in_ : ndarray of shape (n_features_in_,)
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

    def fit(self, X, y, **fit_params):
        """Fit the transformer to the targets, and the regressor to the transformed ones.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as the regressor takes them.
        y : array-like or list of arrays
            The targets. Per sequence: (n_samples,) or (n_samples, n_outputs). Per timestep: an
            array (n_samples, n_timesteps) or (n_samples, n_timesteps, n_outputs), or a list of
            arrays (n_timesteps_i,) or (n_timesteps_i, n_outputs).
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
            turns a target into NaN.
        """
        with unchanged_on_error(self):
            if sklearn.get_config()["enable_metadata_routing"]:
                fit_params = process_routing(self, "fit", **fit_params).regressor.fit
            self._check_parts()
            sequences = as_sequences(X, STEPS)
            self._fitted_on_table = sequences.container == "table"
            self._per_timestep = self._wants_sequences(y, sequences)
            weights = _weights_in(fit_params, sequences, self._per_timestep)
            targets = read_regression_targets(y, sequences, self._per_timestep, weights)
            self._one_output = targets.ndim == 1
            self._fit_transformer(targets, weights)
            params = self._with_transformed_validation_data(fit_params)
            self.regressor_ = clone(self.regressor)
            self.regressor_.fit(X, self._transformed(targets, sequences), **params)
        return self

    def predict(self, X):
        """Predict the targets, in the units of y.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`.

        Returns
        -------
        y : ndarray, or list or object array of ndarray
            The predictions, in the container of the regressor's. Predictions per timestep are NaN
            in padding.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        sequences, predicted = self._predict(X)
        return sequences.restore(predicted, np.nan) if self._per_timestep else predicted

    def score(self, X, y, sample_weight=None):
        """Return R² in the units of y; for targets per timestep, over all valid timesteps.

        Parameters
        ----------
        X, y
            As for `fit`.
        sample_weight : array-like or list of arrays, default=None
            One weight per sequence, or per timestep if targets are per timestep.

        Returns
        -------
        score : float
            R², averaged over the outputs; 1 is best.

        Raises
        ------
        ValueError, TypeError
            If X, y or sample_weight can't be used.
        """
        sequences, predicted = self._predict(X)
        if sample_weight is not None:
            sample_weight = read_weights(sample_weight, sequences, self._per_timestep)
        y = read_regression_targets(y, sequences, self._per_timestep, sample_weight)
        return r2_score(y, predicted, sample_weight=sample_weight)

    @property
    def n_features_in_(self):
        """The number of features per timestep; for 2-D X, the number of columns."""
        return self.regressor_.n_features_in_

    @property
    def feature_names_in_(self):
        """The column names of X, if the regressor defines them."""
        return self.regressor_.feature_names_in_

    def get_metadata_routing(self):
        """Return how metadata are routed: for ``fit`` to the regressor, for ``score`` to itself.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(regressor=self.regressor, method_mapping=to_fit)

    def _inner(self):
        return StandardScaler() if self.transformer is None else meant_by(self.transformer)

    def _check_parts(self) -> None:
        parts = {
            "regressor": (self.regressor, ("fit", "predict"), "RNNRegressor()"),
            "transformer": (
                self._inner(),
                ("fit", "transform", "inverse_transform"),
                "StandardScaler()",
            ),
        }
        for name, (part, methods, example) in parts.items():
            needed = ("get_params", *methods)
            if isinstance(part, type) or not all(hasattr(part, method) for method in needed):
                raise TypeError(
                    f"{name} must be a scikit-learn {name} with the methods {', '.join(methods)}, "
                    f"such as {example}; got {describe(part)}."
                )

    def _wants_sequences(self, y, sequences: Sequences) -> bool:
        parameters = self.regressor.get_params().items()
        said = {bool(v) for k, v in parameters if k.rpartition("__")[2] == "return_sequences"}
        if len(said) == 1:
            return said.pop()
        if y is None:
            return False
        y = array_or_list(y, "y", "one target per sequence or per timestep")
        return is_per_timestep(y, sequences)

    def _fit_transformer(self, targets: np.ndarray, weights: np.ndarray | None) -> None:
        transformer = clone(self._inner())
        rows, params = targets.reshape(len(targets), -1), {}
        if weights is not None:
            rows, weights = rows[weights > 0], weights[weights > 0]
            if has_fit_parameter(transformer, "sample_weight"):
                params["sample_weight"] = weights
        self._n_outputs = rows.shape[1]
        self.transformer_ = transformer.fit(rows, **params)

    def _transformed(self, targets: np.ndarray, sequences: Sequences):
        """Transform targets; if they are per timestep, return them in the container of X."""
        rows = self.transformer_.transform(targets.reshape(len(targets), -1))
        rows = as_numbers(np.asarray(made_of(len(targets), rows)), "transformed y")
        if self._one_output and rows.shape[1] == 1:
            rows = rows[:, 0]
        check_finite(rows, sequences, "transformed y")
        return sequences.restore(rows, np.nan) if self._per_timestep else rows

    def _with_transformed_validation_data(self, params: dict) -> dict:
        transformed = {}
        for name, y_val in params.items():
            step, separator, last = name.rpartition("__")
            X_val = params.get(f"{step}{separator}X_val")
            if last != "y_val" or X_val is None or y_val is None:
                continue
            with about_validation_data():
                sequences = as_sequences(X_val, STEPS, self._fitted_on_table)
                given = params.get(f"{step}{separator}sample_weight_val")
                weights = read_weights(given, sequences, self._per_timestep)
                targets = read_regression_targets(y_val, sequences, self._per_timestep, weights)
                n_outputs = targets.reshape(len(targets), -1).shape[1]
                if n_outputs != self._n_outputs:
                    raise ValueError(
                        f"y has {n_outputs} outputs, but the targets of the training data have "
                        f"{self._n_outputs}."
                    )
            transformed[name] = self._transformed(targets, sequences)
        return {**params, **transformed}

    def _predict(self, X) -> tuple[Sequences, np.ndarray]:
        """Return the sequences of X, and predictions in the units of y, one row per target."""
        check_is_fitted(self)
        predicted = self.regressor_.predict(X)
        sequences = as_sequences(X, STEPS, self._fitted_on_table)
        if self._per_timestep:
            predicted = flatten(predicted, sequences, "prediction")
        rows = np.asarray(predicted).reshape(len(predicted), -1)
        rows = np.asarray(made_of(len(rows), self.transformer_.inverse_transform(rows)))
        return sequences, rows[:, 0] if self._one_output else rows

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.regressor)
        tags.input_tags, tags.target_tags = deepcopy((inner.input_tags, inner.target_tags))
        tags.non_deterministic = inner.non_deterministic
        if inner.regressor_tags is not None:
            tags.regressor_tags.poor_score = inner.regressor_tags.poor_score
        return tags


def _weights_in(params: dict, sequences: Sequences, per_timestep: bool) -> np.ndarray | None:
    """Return the weights of the targets, if the regressor's fit parameters contain any."""
    named = [value for name, value in params.items() if name.rpartition("__")[2] == "sample_weight"]
    if not named or named[-1] is None:
        return None
    return read_weights(named[-1], sequences, per_timestep)
