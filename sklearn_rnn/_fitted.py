"""What RNNRegressor and RNNClassifier do with a trained network: predict, show it, save it."""

import math
from collections.abc import Mapping
from copy import copy, deepcopy
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._input.targets import target_rows
from sklearn_rnn._settings import one_blas_thread
from sklearn_rnn._training.progress import Progress
from sklearn_rnn._versioned import Versioned
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.memory import with_small_ufunc_buffers
from sklearn_rnn.core.network import Network


class FittedNetwork(Versioned):
    """A mixin: the part of an estimator that needs only a trained network, and no training."""

    def _raw(self, X: Sequences) -> np.ndarray:
        """Raw outputs, (n_targets, n_outputs), in the units of the targets."""
        network = Network(self._architecture, self._parameters, self._units)
        rows = target_rows(X, self._architecture.return_sequences)
        X.check_fits(network.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            arguments = X.lengths, X.batch, rows.starts, rows.total
            raw = one_blas_thread.run(with_small_ufunc_buffers, network.predict, *arguments)
        self._check_overflow(raw)
        return raw

    def _with_network(self, network: Network) -> "FittedNetwork":
        """Return a copy of the estimator that is fitted with a copy of this network."""
        fitted = copy(self)
        fitted._architecture = network.architecture
        fitted._parameters = deepcopy(network.parameters)
        fitted._units = network.units
        return fitted

    def _linked(self, raw: np.ndarray) -> np.ndarray:
        """Turn raw outputs into predictions of the mean, of a quantile, or of probabilities."""
        with np.errstate(over="ignore"):
            linked = LOSSES[self._loss].link(raw.T).T
        self._check_overflow(linked)
        return linked

    def _check_overflow(self, outputs: np.ndarray) -> None:
        if not np.isfinite(outputs).all():
            raise ValueError(
                "The predictions overflow: either X has values far larger than the values "
                f"that {type(self).__name__} was fitted on, or its training diverged. Look at the "
                "units of X, or fit with a lower learning_rate_init."
            )

    def _in_container(self, X: Sequences, y: np.ndarray):
        """Return one row of numbers per target, in the container of X."""
        return X.restore(y, np.nan) if self._architecture.return_sequences else y

    def _read_for_prediction(self, X) -> Sequences:
        check_is_fitted(self)
        return read_sequences(X, self, reset=False)

    @property
    def weights_(self) -> Mapping[str, np.ndarray]:
        """The parameters under the textbook's names, read-only."""
        check_is_fitted(self)
        named = self._architecture.named(self._parameters)
        named = {name: array.view() for name, array in named.items()}
        for array in named.values():
            array.flags.writeable = False
        return MappingProxyType(named)

    @property
    def X_mean_(self) -> np.ndarray | None:
        """The means of the features that ``standardize=True`` takes away."""
        return self._statistic("inputs", "mean")

    @property
    def X_scale_(self) -> np.ndarray | None:
        """The standard deviations of the features that ``standardize=True`` divides by."""
        return self._statistic("inputs", "scale")

    @property
    def y_mean_(self) -> np.ndarray | None:
        """The means of the outputs that ``standardize=True`` takes away."""
        return self._statistic("targets", "mean")

    @property
    def y_scale_(self) -> np.ndarray | None:
        """The standard deviations of the outputs that ``standardize=True`` divides by."""
        return self._statistic("targets", "scale")

    def _statistic(self, of: str, name: str) -> np.ndarray | None:
        check_is_fitted(self)
        scaling = getattr(self._units, of)
        return None if scaling is None else getattr(scaling, name).copy()

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_callback_requests", None)  # a running fit has it; it holds data
        return state


def fitted_attributes(network: Network, progress: Progress) -> dict[str, Any]:
    """Return the attributes that training leaves, by name."""
    n_iter = progress.n_epochs
    scored = bool(progress.validation_scores)
    return {
        "_architecture": network.architecture,
        "_parameters": network.parameters,
        "_units": network.units,
        "_progress": progress,
        "n_layers_": network.architecture.n_layers,
        "loss_curve_": progress.loss_curve,
        "loss_": progress.loss_curve[-1] if n_iter else math.inf,
        "best_loss_": progress.best_loss,
        "learning_rates_": progress.learning_rates,
        "n_iter_": n_iter,
        "t_": progress.n_samples_seen,
        "validation_scores_": progress.validation_scores if scored else None,
        "validation_loss_curve_": progress.validation_loss_curve or None,
        "best_validation_score_": progress.best_validation_score,
        "best_iteration_": progress.best_iteration,
        "gradient_norms_": progress.health.gradient_norms,
        "weight_norms_": progress.health.weight_norms,
    }
