"""The base of regressors whose inner regressor learns targets in another form."""

from abc import ABCMeta, abstractmethod
from copy import deepcopy
from typing import Any, NamedTuple, Protocol

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._documented import Documented
from sklearn_rnn._input.content import as_numbers
from sklearn_rnn._input.errors import about_validation_data, describe, unchanged_on_error
from sklearn_rnn._input.sequences import Sequences
from sklearn_rnn._input.targets import (
    RegressionTargets,
    array_or_list,
    check_finite,
    check_target_shape,
    flatten,
    is_per_timestep,
    read_regression_targets,
    read_weights,
)
from sklearn_rnn._scores import regression_score
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn._versioned import Versioned


class Conversion(Protocol):
    """Converts targets, one row per target, to the form that the inner regressor learns."""

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Convert targets (n_targets, n_outputs)."""

    def undo(self, rows: np.ndarray) -> np.ndarray:
        """Convert predictions back."""


class Inner(NamedTuple):
    """What the inner regressor gets.

    X : the sequences, in any container
    sequences : the same, read
    targets : how targets for these sequences are converted
    """

    X: Any
    sequences: Sequences
    targets: Conversion


class TargetRegressor(Documented, Versioned, RegressorMixin, BaseEstimator, metaclass=ABCMeta):
    """Fit a regressor to targets in another form, and predict in the form of y.

    A subclass has the parameter `regressor`, `_read` and `_inner`. It may have `_learn`,
    `_check_parts`, `_inner_weights` and `_effective`.
    """

    @keeps_numpy_settings
    def fit(self, X, y, **fit_params):
        """Fit the regressor to converted targets.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences.
        y : array-like or list of arrays
            The targets. Per sequence: (n_samples,), (n_samples, n_outputs) or
            (n_samples, horizon, n_outputs). Per timestep: an array (n_samples, n_timesteps) or
            (n_samples, n_timesteps, n_outputs), or a list of arrays (n_timesteps_i,) or
            (n_timesteps_i, n_outputs).
        **fit_params : dict
            Passed on to the regressor's ``fit``, or routed if metadata routing is enabled.
            ``X_val`` and ``y_val`` are converted like X and y.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If an argument, a parameter or the regressor can't be used.
        """
        return self._fit("fit", X, y, fit_params)

    @keeps_numpy_settings
    def predict(self, X):
        """Predict the targets, in the units of y.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`.

        Returns
        -------
        y : ndarray, or list or object array of ndarray
            The predictions, with the axes that y had in `fit`. One per timestep: in the container
            of X, with NaN in padding.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        sequences, predicted = self._predict(X)
        return sequences.restore(predicted, np.nan) if self._per_timestep else predicted

    @keeps_numpy_settings
    def score(self, X, y, sample_weight=None):
        """Return R² or D² in the units of y; for targets per timestep, over all valid timesteps.

        Parameters
        ----------
        X, y
            As for `fit`.
        sample_weight : array-like or list of arrays, default=None
            One weight per sequence, or per timestep if targets are per timestep.

        Returns
        -------
        score : float
            R², averaged over the outputs, and over the horizon if y has an axis for it; 1 is best.
            For several quantiles of each target, D² of the pinball loss, averaged over the
            quantiles as well; see `RNNRegressor.score`.

        Raises
        ------
        ValueError, TypeError
            If X, y or sample_weight can't be used, or if there are several predictions for each
            target, and no parameter ``quantile`` of the regressor says for which quantiles.
        """
        sequences, predicted = self._predict(X)
        weights = self._read_weights(sample_weight, sequences)
        y = read_regression_targets(y, sequences, self._per_timestep, weights)
        targets = RegressionTargets.of(y)
        check_target_shape(targets.shape, self._target_shape)
        more = predicted.shape[1 + len(self._target_shape) :]
        quantiles = self._quantiles(more[-1]) if more else None
        predicted = predicted.reshape(*targets.values.shape, *more)
        return regression_score(targets.values, predicted, quantiles, weights)

    def get_metadata_routing(self):
        """Return how metadata are routed: to the regressor's method, for ``score`` to itself.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        methods = MethodMapping()
        for method in ("fit", "partial_fit"):
            if hasattr(self, method):
                methods = methods.add(caller=method, callee=method)
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(regressor=self.regressor, method_mapping=methods)

    @abstractmethod
    def _read(self, X, *, reset: bool) -> Sequences:
        """Check X, and set or check the attributes that describe its features."""

    @abstractmethod
    def _inner(self, X, sequences: Sequences) -> Inner:
        """Return what the inner regressor gets for these sequences."""

    def _learn(self, rows: np.ndarray, sequences: Sequences, weights: np.ndarray | None) -> None:
        """Learn from the targets (n_targets, n_outputs)."""

    def _effective(self, weights: np.ndarray, sequences: Sequences) -> np.ndarray:
        """Return weights of the targets that are zero just where a target has no influence."""
        return weights

    def _inner_weights(self, sample_weight, sequences: Sequences):
        """Return the weights of the converted targets."""
        return sample_weight

    def _check_parts(self) -> None:
        check_part("regressor", self.regressor, ("fit", "predict"), "RNNRegressor()")

    def _fit(self, method: str, X, y, fit_params: dict):
        is_first = method == "fit" or not hasattr(self, "regressor_")
        with unchanged_on_error(self):
            if sklearn.get_config()["enable_metadata_routing"]:
                fit_params = process_routing(self, method, **fit_params).regressor[method]
            self._check_parts()
            sequences = self._read(X, reset=is_first)
            if is_first:
                self._per_timestep = self._wants_sequences(y, sequences)
            weights = self._read_weights(_weights_in(fit_params), sequences)
            rows = self._read_targets(y, sequences, weights, reset=is_first)
            self._learn(rows, sequences, weights)
            params = self._inner_params(fit_params, sequences)
            inner = self._inner(X, sequences)
            regressor = clone(self.regressor) if is_first else self.regressor_
            y = self._converted(rows, inner)
            self.regressor_ = getattr(regressor, method)(inner.X, y, **params)
        return self

    def _read_weights(self, sample_weight, sequences: Sequences) -> np.ndarray | None:
        """Return the weights of the targets, (n_targets,); None if there are none."""
        if sample_weight is None:
            return None
        return read_weights(sample_weight, sequences, self._per_timestep)

    def _read_targets(
        self, y, sequences: Sequences, weights: np.ndarray | None, *, reset: bool
    ) -> np.ndarray:
        """Return targets as (n_targets, n_outputs)."""
        weights = None if weights is None else self._effective(weights, sequences)
        y = read_regression_targets(y, sequences, self._per_timestep, weights)
        targets = RegressionTargets.of(y)
        if reset:
            self._target_shape = targets.shape
        check_target_shape(targets.shape, self._target_shape)
        return targets.values

    def _wants_sequences(self, y, sequences: Sequences) -> bool:
        said = {bool(value) for value in said_by(self.regressor, "return_sequences")}
        if len(said) == 1:
            return said.pop()
        if y is None:
            return False
        y = array_or_list(y, "y", "one target per sequence or per timestep")
        return is_per_timestep(y, sequences)

    def _quantiles(self, count: int) -> tuple[float, ...]:
        """Return the quantiles that the regressor predicts."""
        said = quantiles_said_by(self.regressor_)
        if len(said) != 1 or len(quantiles := said.pop()) != count:
            raise ValueError(
                f"The regressor makes {count} predictions for each target, and no parameter "
                "quantile of it, or of an estimator inside it, says for which quantiles: score the "
                "predictions with a metric of your own."
            )
        return quantiles

    def _converted(self, rows: np.ndarray, inner: Inner):
        """Convert targets; if they are per timestep, return them in the container of inner X."""
        rows = as_numbers(np.asarray(inner.targets.apply(rows)), "transformed y")
        self._n_inner_outputs = rows.shape[1]
        self._inner_is_1d = self._target_shape == () and rows.shape[1] == 1
        rows = rows[:, 0] if self._inner_is_1d else rows
        check_finite(rows, inner.sequences, "transformed y")
        return inner.sequences.restore(rows, np.nan) if self._per_timestep else rows

    def _inner_params(self, params: dict, sequences: Sequences) -> dict:
        """Return fit parameters with converted weights and validation data."""
        converted = {}
        for name, value in params.items():
            step, separator, last = name.rpartition("__")
            prefix = step + separator
            if last == "sample_weight" and value is not None:
                converted[name] = self._inner_weights(value, sequences)
            elif last == "y_val" and value is not None and params.get(f"{prefix}X_val") is not None:
                names = [f"{prefix}{name}" for name in ("X_val", "y_val", "sample_weight_val")]
                values = self._inner_validation_data(*map(params.get, names))
                given = zip(names, values, strict=True)
                converted |= {name: value for name, value in given if value is not None}
        return {**params, **converted}

    def _inner_validation_data(self, X, y, sample_weight) -> tuple:
        with about_validation_data():
            sequences = self._read(X, reset=False)
            weights = self._read_weights(sample_weight, sequences)
            rows = self._read_targets(y, sequences, weights, reset=False)
            inner = self._inner(X, sequences)
            if sample_weight is not None:
                sample_weight = self._inner_weights(sample_weight, sequences)
        return inner.X, self._converted(rows, inner), sample_weight

    def _predict(self, X) -> tuple[Sequences, np.ndarray]:
        """Return the sequences of X, and predictions in the units of y, one row per target."""
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        inner = self._inner(X, sequences)
        predicted = self.regressor_.predict(inner.X)
        if self._per_timestep:
            predicted = flatten(predicted, inner.sequences, "prediction")
        return sequences, self._undone(np.asarray(predicted), inner)

    def _undone(self, predicted: np.ndarray, inner: Inner) -> np.ndarray:
        """Convert predictions back, to the axes of y, or with more of them at the end.

        More axes hold several predictions of each target, such as quantiles.
        """
        more = predicted.shape[1 if self._inner_is_1d else 2 :]
        each = predicted.reshape(len(predicted), self._n_inner_outputs, -1)
        n = each.shape[2]
        rows = np.stack([inner.targets.undo(each[:, :, i]) for i in range(n)], axis=2)
        is_list_of_one = any(len(levels) == 1 for levels in quantiles_said_by(self.regressor_))
        more = more if n > 1 or is_list_of_one else ()
        return rows.reshape(len(rows), *self._target_shape, *more)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.regressor)
        tags.input_tags, tags.target_tags = deepcopy((inner.input_tags, inner.target_tags))
        tags.non_deterministic = inner.non_deterministic
        if inner.regressor_tags is not None:
            tags.regressor_tags.poor_score = inner.regressor_tags.poor_score
        return tags


def _weights_in(fit_params: dict):
    """Return the `sample_weight` of the last step that gets one; None if there is none."""
    named = [v for name, v in fit_params.items() if name.rpartition("__")[2] == "sample_weight"]
    return named[-1] if named else None


def said_by(regressor, name: str) -> list:
    """Return the values of the parameters of this name, of the regressor and those inside it."""
    parameters = regressor.get_params().items()
    return [value for key, value in parameters if key.rpartition("__")[2] == name]


def quantiles_said_by(regressor) -> set[tuple[float, ...]]:
    """Return the lists of quantiles that a regressor, or one inside it, is told to predict."""
    losses = said_by(regressor, "loss")
    if losses and "quantile" not in losses:  # then the parameter quantile isn't used
        return set()
    return {tuple(value) for value in said_by(regressor, "quantile") if np.ndim(value)}


def check_part(name: str, part, methods: tuple[str, ...], example: str) -> None:
    """Raise unless a part of the estimator has these methods.

    name : the parameter, and the kind of estimator that it must be
    """
    needed = ("get_params", *methods)
    if isinstance(part, type) or not all(hasattr(part, method) for method in needed):
        raise TypeError(
            f"{name} must be a scikit-learn {name} with the methods {', '.join(methods)}, "
            f"such as {example}; got {describe(part)}."
        )
    if hasattr(part, "__sklearn_tags__") and is_classifier(part):
        raise TypeError(f"{name} must be a {name}, not a classifier; got {describe(part)}.")
