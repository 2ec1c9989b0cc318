"""What RNNRegressor and RNNClassifier do with a trained network: predict, show it, save it."""

import warnings
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._input.targets import target_rows
from sklearn_rnn._training.threads import one_blas_thread
from sklearn_rnn._version import __version__
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.memory import small_ufunc_buffers
from sklearn_rnn.core.network import Network


class FittedNetwork:
    """A mixin: the part of an estimator that needs only a trained network, and no training."""

    def _raw(self, X: Sequences) -> np.ndarray:
        """Raw outputs, (n_targets, n_outputs)."""
        network = Network(self._architecture, self._parameters)
        rows = target_rows(X, self._architecture.return_sequences)
        X.check_fits(network.dtype)
        ignoring = np.errstate(over="ignore", invalid="ignore")
        with one_blas_thread, small_ufunc_buffers(), ignoring:
            raw = network.predict(X.lengths, X.batch, rows.starts, rows.total)
        self._check_overflow(raw)
        return raw

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
                f"that {type(self).__name__} was fitted on, or its training diverged; scale X, or "
                "fit with a lower learning_rate_init."
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

    def __getstate__(self):
        state = {**super().__getstate__(), "_sklearn_rnn_version": __version__}
        state.pop("_callback_requests", None)  # a running fit has it; it holds data
        return state

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_sklearn_rnn_version", "unknown")
        if version != __version__:
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
        super().__setstate__(state)
