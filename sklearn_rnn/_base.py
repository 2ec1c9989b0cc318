"""What RNNRegressor and RNNClassifier share: check, build the network, train, publish."""

import math
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import fields
from functools import partial
from types import MappingProxyType

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning, InconsistentVersionWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._hyperparameters import check_hyperparameters
from sklearn_rnn._sequences import Sequences, read_sequences
from sklearn_rnn._targets import read_weights
from sklearn_rnn._threads import one_blas_thread
from sklearn_rnn._training import Ending, Progress, TrainingData, TrainingOptions, train
from sklearn_rnn._version import __version__
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.network import Architecture, Network
from sklearn_rnn.core.optimizers import SOLVERS
from sklearn_rnn.core.recurrent import small_ufunc_buffers

INTERRUPTED = "Training was interrupted by the user; what was learned so far is kept."


class BaseRNN(BaseEstimator, metaclass=ABCMeta):
    """Base of the recurrent estimators; a subclass says what targets, loss and predictions are."""

    def __init__(
        self,
        *,
        cell,
        activation,
        hidden_size,
        n_layers,
        bidirectional,
        dropout,
        return_sequences,
        loss,
        solver,
        alpha,
        batch_size,
        learning_rate,
        learning_rate_init,
        power_t,
        max_iter,
        shuffle,
        max_grad_norm,
        max_grad_value,
        tol,
        n_iter_no_change,
        early_stopping,
        validation_fraction,
        momentum,
        nesterovs_momentum,
        beta_1,
        beta_2,
        epsilon,
        warm_start,
        random_state,
        verbose,
    ):
        self.cell = cell
        self.activation = activation
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.return_sequences = return_sequences
        self.loss = loss
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.max_grad_norm = max_grad_norm
        self.max_grad_value = max_grad_value
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _read_targets(self, y, X: Sequences, classes: np.ndarray | None) -> np.ndarray:
        """Check y and return it as the loss takes it, (n_targets, ...).

        Sets `n_outputs_` and what else is remembered of y. `classes` are those of a classifier that
        are known already.
        """

    @abstractmethod
    def _core_loss(self) -> str:
        """The name in core.losses.LOSSES."""

    @abstractmethod
    def _score(self, targets: np.ndarray, raw: np.ndarray, weights: np.ndarray) -> float:
        """Score raw outputs, (n_targets, n_outputs), for early stopping."""

    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_timesteps, n_features), list of n_samples \
                arrays of shape (n_timesteps_i, n_features), or array-like of shape \
                (n_samples, n_timesteps)
            The sequences; for what else is understood see the user guide. Trailing timesteps of
            an array that are NaN are padding.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets. With ``return_sequences=True`` one target per timestep: an array of shape
            (n_samples, n_timesteps) or a list of n_samples arrays of shape (n_timesteps_i,), a
            regressor's also with outputs as another dimension at the end.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. With ``return_sequences=True`` also one per timestep, in the
            shape of the targets. None gives each the same.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, X, y or sample_weight can't be used, before any training; or
            (ValueError) if the loss becomes infinite or NaN.
        """
        with unchanged_on_error(self):
            go_on = self.warm_start and hasattr(self, "_parameters")
            ending = self._fit(X, y, sample_weight, self.max_iter, go_on)
            if not self.warm_start:
                self._progress.forget_solver()
        if ending is Ending.INTERRUPTED:
            warnings.warn(INTERRUPTED, stacklevel=2)
        elif ending is Ending.MAX_ITER:
            warnings.warn(
                f"Training stopped at max_iter={self.max_iter} epochs before it converged. Let it "
                "go on longer by a larger max_iter, or raise learning_rate_init or tol.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _partial_fit(self, X, y, sample_weight, classes=None):
        """One epoch, from wherever training stands."""
        if isinstance(self.early_stopping, (bool, np.bool_)) and self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: with one epoch per call there "
                "is nothing to stop, and no data to hold out."
            )
        with unchanged_on_error(self):
            go_on = hasattr(self, "_parameters")
            ending = self._fit(X, y, sample_weight, 1, go_on, classes)
        if ending is Ending.INTERRUPTED:
            warnings.warn(INTERRUPTED, stacklevel=3)
        return self

    def _fit(self, X, y, sample_weight, n_epochs: int, go_on: bool, classes=None) -> Ending:
        check_hyperparameters(self)
        X = read_sequences(X, self, reset=not go_on)
        self._fitted_on_table = X.container == "table"
        if go_on:
            classes = getattr(self, "classes_", None)
        targets = self._read_targets(y, X, classes)
        weights = read_weights(sample_weight, X, self.return_sequences)
        solver = SOLVERS[self.solver](self)
        architecture = self._architecture_for(X)
        if go_on:
            network, progress = self._resume(architecture, solver)
        else:
            network, progress = self._start(architecture, solver, X.dtype)

        data = training_data(X, targets, weights, self.return_sequences, network.dtype)
        validate = None
        if self.early_stopping:
            data, held_out = self._hold_out(data, progress.split_seed)
            validate = partial(self._validate, held_out)
        loss = LOSSES[self._core_loss()]
        options = self._options(solver, len(data))
        ending = train(network, data, loss, options, progress, n_epochs, validate)
        self._publish(network, progress)
        return ending

    def _architecture_for(self, X: Sequences) -> Architecture:
        return Architecture(
            cell=self.cell,
            activation=self.activation,
            n_inputs=X.n_features,
            hidden_size=int(self.hidden_size),
            n_layers=int(self.n_layers),
            n_outputs=self.n_outputs_,
            return_sequences=bool(self.return_sequences),
            bidirectional=bool(self.bidirectional),
        )

    def _start(self, architecture, solver, dtype) -> tuple[Network, Progress]:
        seed = None  # from the operating system: NumPy's global generator stays untouched
        if self.random_state is not None:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.default_rng(seed)
        network = Network(architecture, architecture.zeros(dtype))
        network.initialize(rng)
        return network, Progress(rng, solver.init(network.parameters.vector))

    def _resume(self, architecture, solver) -> tuple[Network, Progress]:
        """Copies of what is there, so that a fit that fails changes nothing."""
        if architecture != self._architecture:
            raise ValueError(
                f"The network is {self._architecture} and can't go on as {architecture}. Training "
                "goes on with the same architecture, features and targets only; set "
                "warm_start=False or make a new estimator to start anew."
            )
        network = Network(architecture, deepcopy(self._parameters))
        progress = deepcopy(self._progress)
        progress.adopt(solver, network.parameters.vector)
        if self.early_stopping and progress.last_parameters is not None:
            network.parameters.vector[...] = progress.last_parameters
            network.refresh()
        return network, progress

    def _options(self, solver, n_samples: int) -> TrainingOptions:
        wanted = 200 if self.batch_size == "auto" else int(self.batch_size)
        own = {"solver": solver, "batch_size": min(wanted, n_samples)}
        names = [field.name for field in fields(TrainingOptions) if field.name not in own]
        values = {name: getattr(self, name) for name in names}
        # NumPy's scalars would make float64 of float32 arrays.
        values = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
        return TrainingOptions(**own, **values)

    def _hold_out(self, data: TrainingData, seed: int) -> tuple[TrainingData, TrainingData]:
        """Split into training and validation data."""
        n_held_out = math.ceil(self.validation_fraction * len(data))
        n_left = len(data) - n_held_out
        chosen = np.arange(n_left), np.arange(n_left, len(data))
        if self.shuffle and n_left > 0:  # otherwise the last ones, for data in the order of time
            chosen = train_test_split(
                np.arange(len(data)),
                test_size=n_held_out,
                random_state=seed,
                stratify=self._strata(data, n_held_out),
            )
        training, held_out = (data.take(part) for part in chosen)
        if n_left < 1 or held_out.n_targets < 2:
            raise ValueError(
                f"early_stopping=True with validation_fraction={self.validation_fraction} leaves "
                f"{n_left} samples to train on and {n_held_out} with {held_out.n_targets} targets "
                "to validate on: too few. Give more samples, or set early_stopping=False."
            )
        return training, held_out

    def _strata(self, data: TrainingData, n_held_out: int) -> np.ndarray | None:
        """Labels by which to stratify the validation set, where that can be done."""
        return None

    def _validate(self, data: TrainingData, network: Network) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            raw = network.predict(data.lengths, data.inputs, data.target_starts, len(data.targets))
        valid = data.target_positions()
        if not np.isfinite(raw[valid]).all():
            return math.nan
        return self._score(data.targets[valid], raw[valid], data.weights[valid])

    def _publish(self, network: Network, progress: Progress) -> None:
        self._architecture = network.architecture
        self._parameters = network.parameters
        self._progress = progress
        self.n_layers_ = network.architecture.n_layers
        self.loss_curve_ = progress.loss_curve
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else math.inf
        self.best_loss_ = progress.best_loss
        self.n_iter_ = len(self.loss_curve_)
        self.t_ = progress.n_samples_seen
        scored = bool(progress.validation_scores)
        self.validation_scores_ = progress.validation_scores if scored else None
        self.best_validation_score_ = progress.best_validation_score if scored else None

    def _raw(self, X: Sequences) -> np.ndarray:
        """Raw outputs, (n_targets, n_outputs)."""
        network = Network(self._architecture, self._parameters)
        per_step = self._architecture.return_sequences
        starts, n_rows = (
            (X.starts, int(X.lengths.sum())) if per_step else (np.arange(len(X)), len(X))
        )
        X.check_fits(network.dtype)
        ignoring = np.errstate(over="ignore", invalid="ignore")
        with one_blas_thread, small_ufunc_buffers(), ignoring:
            raw = network.predict(X.lengths, X.batch, starts, n_rows)
        if not np.isfinite(raw).all():
            raise ValueError(
                "The predictions overflow: either X has values far larger than those that "
                f"{type(self).__name__} was fitted on, or its training diverged; scale X, or fit "
                "with a lower learning_rate_init."
            )
        return raw

    def _in_container(self, X: Sequences, y: np.ndarray):
        """Return numbers per target the way X came."""
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True  # read as univariate sequences
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags

    def __getstate__(self):
        return {**super().__getstate__(), "_sklearn_rnn_version": __version__}

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


def training_data(
    X: Sequences, targets: np.ndarray, weights: np.ndarray, per_step: bool, dtype
) -> TrainingData:
    """Convert everything once, and leave out samples of weight zero, as if they weren't there."""
    X.check_fits(dtype)
    values, starts = X.flat(dtype)
    if targets.dtype.kind == "f" or targets.ndim == 2:
        with np.errstate(over="ignore"):
            targets = targets.astype(dtype, copy=False)
        if not np.isfinite(targets).all():
            raise ValueError(f"y has values too large for {dtype.name}, the precision of X.")
    target_starts = X.starts if per_step else np.arange(len(X))
    data = TrainingData(values, starts, X.lengths, targets, weights, target_starts, per_step)
    heaviest = np.maximum.reduceat(weights, target_starts)
    return data.take(np.flatnonzero(heaviest > 0))


@contextmanager
def unchanged_on_error(estimator) -> Iterator[None]:
    """Give an estimator back the attributes it had, if what is done with it fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
