"""How RNNRegressor and RNNClassifier are trained: check, build the network, train, publish."""

import math
import warnings
from abc import ABCMeta, abstractmethod
from copy import deepcopy
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sklearn_rnn._data import hold_out, read_validation_data, training_data, validation_data
from sklearn_rnn._fitted import FittedNetwork
from sklearn_rnn._input.errors import unchanged_on_error
from sklearn_rnn._input.hyperparameters import check_hyperparameters
from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._input.targets import read_weights
from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.epochs import (
    Ending,
    Progress,
    TrainingOptions,
    by_epochs,
    train,
)
from sklearn_rnn._training.hooks import FitHooks
from sklearn_rnn._training.lbfgs import LBFGS, by_lbfgs
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.optimizers import SOLVERS

INTERRUPTED = "Training was interrupted by the user; what was learned so far is kept."
UNCONVERGED = {
    Ending.MAX_ITER: "Training stopped at max_iter={max_iter} epochs before it converged. Let it "
    "go on longer by a larger max_iter, or raise learning_rate_init or tol.",
    Ending.MAX_ITERATIONS: "The solver lbfgs stopped at max_iter={max_iter} iterations before it "
    "converged. Let it go on longer by a larger max_iter, or raise tol.",
    Ending.STUCK: "The solver lbfgs was stuck after n_iter_={n_iter} iterations: it found no lower "
    "loss along the gradient. Scale X (and the targets of a regression), or raise tol.",
}


class BaseRNN(CallbackSupportMixin, FittedNetwork, BaseEstimator, metaclass=ABCMeta):
    """Base of the recurrent estimators; a subclass says what targets, loss and predictions are."""

    def __init__(self, **parameters):
        # Named, with their defaults, by the subclasses, where scikit-learn looks for them.
        for name, value in parameters.items():
            setattr(self, name, value)

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

    def _read_weights(self, sample_weight, X: Sequences, targets: np.ndarray) -> np.ndarray:
        """Return the weights of the targets."""
        return read_weights(sample_weight, X, self.return_sequences)

    def _check_targets(self, targets, weights, X: Sequences, go_on: bool) -> None:
        """Raise for targets that the loss can't take; those of weight zero may be anything."""

    @with_callbacks
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
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
        X_val, y_val : array-like or list of arrays, default=None
            Validation data, read like X and y; the lengths of the sequences are free unless X is
            2-D. After each epoch they are scored for ``validation_scores_``. With
            ``early_stopping=True`` they take the place of the samples that would be held out;
            otherwise the scores are recorded, and nothing else changes. In a
            `~sklearn.pipeline.Pipeline` with ``transform_input=["X_val"]``, X_val is transformed
            like X.
        sample_weight_val : array-like, default=None
            Weights of the validation data, as sample_weight is of the others.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or an argument can't be used, before any training; or (ValueError) if
            the loss becomes infinite or NaN.
        """
        check_hyperparameters(self)
        hooks = FitHooks(self, X, y, sample_weight, (X_val, y_val, sample_weight_val))
        with unchanged_on_error(self):
            go_on = self.warm_start and hasattr(self, "_parameters")
            ending = self._fit(X, y, sample_weight, self.max_iter, go_on, hooks=hooks)
            if not self.warm_start:
                self._progress.forget_solver()
        if ending is Ending.INTERRUPTED:
            warnings.warn(INTERRUPTED, stacklevel=3)  # over with_callbacks
            return self
        for problem in self._progress.health.problems(self.max_grad_norm):
            warnings.warn(problem, ConvergenceWarning, stacklevel=3)
        if ending in UNCONVERGED:
            words = UNCONVERGED[ending].format(max_iter=self.max_iter, n_iter=self.n_iter_)
            warnings.warn(words, ConvergenceWarning, stacklevel=3)
        return self

    def _partial_fit(self, X, y, sample_weight, classes=None):
        """One epoch, from wherever training stands."""
        if isinstance(self.early_stopping, (bool, np.bool_)) and self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: with one epoch per call there "
                "is nothing to stop, and no data to hold out."
            )
        check_hyperparameters(self)
        with unchanged_on_error(self):
            go_on = hasattr(self, "_parameters")
            ending = self._fit(X, y, sample_weight, 1, go_on, classes=classes)
        if ending is Ending.INTERRUPTED:
            warnings.warn(INTERRUPTED, stacklevel=3)
        return self

    def _fit(
        self, X, y, sample_weight, n_epochs: int, go_on: bool, classes=None, hooks=None
    ) -> Ending:
        X = read_sequences(X, self, reset=not go_on)
        self._fitted_on_table = X.container == "table"
        if go_on:
            classes = getattr(self, "classes_", None)
        targets = self._read_targets(y, X, classes)
        self._loss = self._core_loss()
        weights = self._read_weights(sample_weight, X, targets)
        self._check_targets(targets, weights, X, go_on)
        validation = None if hooks is None else read_validation_data(self, *hooks.validation)
        solver = LBFGS() if self.solver == "lbfgs" else SOLVERS[self.solver](self)
        architecture = self._architecture_for(X)
        if go_on:
            network, progress = self._resume(architecture, solver)
        else:
            network, progress = self._start(architecture, solver, X.dtype)
        if hooks is not None:  # `fit`, and not `partial_fit`
            progress.cycle_start = len(progress.loss_curve)
            n_epochs = hooks.begin(network, progress)

        data = training_data(X, targets, weights, self.return_sequences, network.dtype)
        held_out = None
        if validation is not None:
            held_out = validation_data(*validation, self.return_sequences, network.dtype)
        elif self.early_stopping:
            data, held_out = hold_out(self, data, progress.split_seed)
        validate = None if held_out is None else partial(self._validate, held_out)
        loss = LOSSES[self._loss].of(self)
        if loss.intercept is not None and not go_on and not progress.loss_curve:
            known = data.target_positions()
            start = loss.intercept(data.targets[known], data.weights[known])
            architecture.named(network.parameters)["output.b_y"][...] = start
        options = self._options(solver, len(data))
        if hooks is not None and hooks.stopping is not None:
            validate, options = hooks.score, replace(options, **hooks.stopping.options)
        run = by_lbfgs if isinstance(solver, LBFGS) else by_epochs
        train(run, network, data, loss, options, progress, n_epochs, validate, hooks)
        vars(self).update(self._fitted_attributes(network, progress))
        if hooks is not None:
            hooks.end()
        return progress.ending

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
        if progress.last_parameters is not None:
            network.parameters.vector[...] = progress.last_parameters
            network.refresh()
        progress.last_parameters = None
        return network, progress

    def _options(self, solver, n_samples: int) -> TrainingOptions:
        wanted = 200 if self.batch_size == "auto" else int(self.batch_size)
        own = {"solver": solver, "batch_size": min(wanted, n_samples)}
        names = [field.name for field in fields(TrainingOptions) if field.name not in own]
        values = {name: getattr(self, name) for name in names}
        # NumPy's scalars would make float64 of float32 arrays.
        values = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
        return TrainingOptions(**own, **values)

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

    def _fitted_attributes(self, network: Network, progress: Progress) -> dict[str, Any]:
        """Return what training leaves, by the names of attributes."""
        n_iter = len(progress.loss_curve)
        scored = bool(progress.validation_scores)
        return {
            "_architecture": network.architecture,
            "_parameters": network.parameters,
            "_progress": progress,
            "n_layers_": network.architecture.n_layers,
            "loss_curve_": progress.loss_curve,
            "loss_": progress.loss_curve[-1] if n_iter else math.inf,
            "best_loss_": progress.best_loss,
            "learning_rates_": progress.learning_rates,
            "n_iter_": n_iter,
            "t_": progress.n_samples_seen,
            "validation_scores_": progress.validation_scores if scored else None,
            "best_validation_score_": progress.best_validation_score if scored else None,
            "best_iteration_": progress.best_iteration,
            "gradient_norms_": progress.health.gradient_norms,
            "weight_norms_": progress.health.weight_norms,
        }

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True  # read as univariate sequences
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags
