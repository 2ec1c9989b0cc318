"""How RNNRegressor and RNNClassifier are trained: read, prepare, run, publish."""

import math
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sklearn_rnn._fitted import FittedNetwork, fitted_attributes
from sklearn_rnn._input.errors import about_validation_data, unchanged_on_error
from sklearn_rnn._input.hyperparameters import check_hyperparameters, plain
from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._input.targets import Examples, Targets, read_weights
from sklearn_rnn._training.data import TrainingData, hold_out
from sklearn_rnn._training.descent import Descent, Monitor
from sklearn_rnn._training.hooks import (
    FitHooks,
    Requests,
    ValidationArguments,
)
from sklearn_rnn._training.lbfgs import LBFGS, LBFGSDescent, objective_in_double
from sklearn_rnn._training.minibatch import MinibatchDescent, MinibatchOptions
from sklearn_rnn._training.objective import Dropouts, Objective, TrainingLoss
from sklearn_rnn._training.progress import Ending, Progress, StoppingRule
from sklearn_rnn._training.units import input_scaling, target_scaling
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.optimizers import SOLVERS
from sklearn_rnn.core.scaling import Units

INTERRUPTED = "Training was interrupted by the user; what was learned so far is kept."
UNCONVERGED = {
    Ending.MAX_ITER: "Training stopped at max_iter={max_iter} epochs before it converged. Let it "
    "go on longer by a larger max_iter, or raise learning_rate_init or tol.",
    Ending.MAX_ITERATIONS: "The solver lbfgs stopped at max_iter={max_iter} iterations before it "
    "converged. Let it go on longer by a larger max_iter, or raise tol.",
    Ending.STUCK: "The solver lbfgs was stuck after n_iter_={n_iter} iterations: it found no lower "
    "loss along the gradient. Scale X (and the targets of a regression), or raise tol.",
}


@dataclass
class Run:
    """What the steps of one training share."""

    network: Network
    progress: Progress
    solver: Any  # an instance of one of core.optimizers.SOLVERS, or of LBFGS
    rule: StoppingRule
    goes_on: bool  # from an earlier fit, in the same units
    scorer: Callable[[Network], float] | None = None  # scores the validation data for a callback


class BaseRNN(CallbackSupportMixin, FittedNetwork, BaseEstimator, metaclass=ABCMeta):
    """Base of the recurrent estimators. A subclass defines the targets, the loss and the scores."""

    def __init__(self, **parameters):
        # scikit-learn reads names and defaults from the signature of the subclass's __init__.
        for name, value in parameters.items():
            setattr(self, name, value)

    @abstractmethod
    def _read_targets(
        self, y, X: Sequences, weights: np.ndarray, classes: np.ndarray | None = None
    ) -> Targets:
        """Check y against X, where its weights aren't zero.

        classes : a classifier's, if they are known already
        """

    def _weigh(self, targets: Targets, weights: np.ndarray) -> np.ndarray:
        """Return the weights that training uses, given the weights of the targets."""
        return weights

    def _check_targets(self, examples: Examples, *, starts_training: bool) -> None:
        """Raise for targets that the loss can't take.

        starts_training : whether a new network is trained on them
        """

    @abstractmethod
    def _loss_for(self, targets: Targets) -> str:
        """Return the loss's name in core.losses.LOSSES."""

    @abstractmethod
    def _score(self, targets: np.ndarray, raw: np.ndarray, weights: np.ndarray) -> float:
        """Score raw outputs in the units of the targets, (n_targets, n_outputs)."""

    def _labels_of(self, data: TrainingData) -> np.ndarray | None:
        """Labels by which to stratify validation data, one per sequence, if there are any."""
        return None

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
            shape of the targets. None gives each the same. Where the weight is zero, the target
            is as good as absent: it may be NaN, or of a class that no other target has. X must be
            finite all the same.
        X_val, y_val : array-like or list of arrays, default=None
            Validation data, read like X and y; the lengths of the sequences are free unless X is
            2-D. After each epoch they are scored for ``validation_scores_``. With
            ``early_stopping=True`` they take the place of the samples that would be held out;
            otherwise the scores are recorded, and nothing else changes. In a
            `~sklearn.pipeline.Pipeline` with ``transform_input=["X_val"]``, X_val is transformed
            like X.
        sample_weight_val : array-like, default=None
            Weights of the validation data, read like sample_weight.

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
        context = self._init_callback_context(max_subtasks=int(self.max_iter))
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        arguments = {"estimator": self, "X": X, "y": y, "metadata": metadata}
        given = ValidationArguments(X_val, y_val, sample_weight_val)
        with unchanged_on_error(self):
            goes_on = bool(self.warm_start) and hasattr(self, "_parameters")
            examples = self._read(X, y, sample_weight, goes_on=goes_on)
            self._publish_input(examples)
            validation = self._read_validation(given)

            run = self._prepare_run(examples, goes_on)
            run.progress.begin_cycle()
            data, held_out = self._prepare_data(examples, validation, run)
            hooks = FitHooks(context, arguments, partial(self._as_if_stopped, run))
            n_epochs = self._begin(hooks, run, given)
            if n_epochs < self.max_iter:  # a checkpoint may hold out other samples
                data, held_out = self._prepare_data(examples, validation, run)
            ending = self._descent(run, data, self._monitor(run, held_out, hooks)).train(n_epochs)

            self._publish(run)
            hooks.end()
            if not self.warm_start:
                self._progress.drop_arrays()
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
        """Train for one epoch, from the present state."""
        check_hyperparameters(self)
        if self.early_stopping:
            raise ValueError(
                "partial_fit does not support early_stopping=True: with one epoch per call there "
                "is nothing to stop, and no data to hold out."
            )
        with unchanged_on_error(self):
            goes_on = hasattr(self, "_parameters")
            examples = self._read(X, y, sample_weight, goes_on=goes_on, classes=classes)
            self._publish_input(examples)
            run = self._prepare_run(examples, goes_on)
            data, _ = self._prepare_data(examples, None, run)
            ending = self._descent(run, data, Monitor(verbose=bool(self.verbose))).train(1)
            self._publish(run)
        if ending is Ending.INTERRUPTED:
            warnings.warn(INTERRUPTED, stacklevel=3)
        return self

    # Read.

    def _read(self, X, y, sample_weight, *, goes_on: bool, classes=None) -> Examples:
        """Check the data, also against the data of earlier fits if training goes on."""
        X = read_sequences(X, self, reset=not goes_on)
        if goes_on:
            classes = getattr(self, "classes_", None)
        weights = read_weights(sample_weight, X, self.return_sequences)
        targets = self._read_targets(y, X, weights, classes)
        examples = Examples(X, targets, self._weigh(targets, weights))
        self._check_targets(examples, starts_training=not goes_on)
        return examples

    def _read_validation(self, given: ValidationArguments) -> Examples | None:
        """Check the validation data, if there are any, against the published input."""
        missing = [name for name in ("X", "y") if getattr(given, name) is None]
        if len(missing) == 2 and given.sample_weight is None:
            return None
        if missing:
            raise ValueError(
                f"{' and '.join(f'{name}_val' for name in missing)} must be given too: validation "
                "data are X_val and y_val, with or without sample_weight_val."
            )
        with about_validation_data():
            X = read_sequences(given.X, self, reset=False)
            weights = read_weights(given.sample_weight, X, self.return_sequences)
            targets = self._read_targets(given.y, X, weights, getattr(self, "classes_", None))
            if targets.n_outputs != self.n_outputs_:
                raise ValueError(
                    f"y has {targets.n_outputs} outputs, but the targets of the training data have "
                    f"{self.n_outputs_}."
                )
            examples = Examples(X, targets, weights)
            self._check_targets(examples, starts_training=False)
            return examples

    # Prepare.

    def _prepare_run(self, examples: Examples, goes_on: bool) -> Run:
        """Make a new network, or copy the trained one, so that a failing fit changes nothing."""
        architecture = Architecture(
            cell=self.cell,
            activation=self.activation,
            n_inputs=examples.X.n_features,
            hidden_size=int(self.hidden_size),
            n_layers=int(self.n_layers),
            n_outputs=examples.targets.n_outputs,
            return_sequences=bool(self.return_sequences),
            bidirectional=bool(self.bidirectional),
        )
        solver = LBFGS() if self.solver == "lbfgs" else SOLVERS[self.solver](self)
        rule = StoppingRule(**self._plain("tol", "n_iter_no_change", "early_stopping"))
        if goes_on:
            return Run(*self._resume(architecture, solver), solver, rule, goes_on)
        return Run(*self._start(architecture, solver, examples.X.dtype), solver, rule, goes_on)

    def _start(self, architecture, solver, dtype) -> tuple[Network, Progress]:
        seed = None  # from the operating system: NumPy's global generator stays untouched
        if self.random_state is not None:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.default_rng(seed)
        network = Network(architecture, architecture.zeros(dtype))
        network.initialize(rng)
        return network, Progress(rng, solver.init(network.parameters.vector))

    def _resume(self, architecture, solver) -> tuple[Network, Progress]:
        if architecture != self._architecture:
            raise ValueError(
                f"The network is {self._architecture} and can't go on as {architecture}. Training "
                "goes on with the same architecture, features and targets only; set "
                "warm_start=False or make a new estimator to start anew."
            )
        was_standardized = self._units.inputs is not None
        if was_standardized != bool(self.standardize):
            raise ValueError(
                f"standardize={self.standardize!r}, but the network was trained with "
                f"standardize={was_standardized} and can't go on otherwise: set "
                f"standardize={was_standardized}, or warm_start=False, or make a new estimator."
            )
        network = Network(architecture, deepcopy(self._parameters), self._units)
        progress = deepcopy(self._progress)
        progress.adopt(solver, network.parameters.vector)
        progress.take_back_last(network.parameters.vector)
        network.refresh()
        return network, progress

    def _begin(self, hooks: FitHooks, run: Run, given: ValidationArguments) -> int:
        """Let callbacks begin, and do what they request; return the number of epochs to train."""
        self._callback_requests = requests = Requests(given)
        hooks.begin()
        del self._callback_requests
        if requests.stopping is not None:
            run.rule = requests.stopping.rule
            run.scorer = partial(self._score_by, requests.stopping.scorer, given)
        n_before = run.progress.n_epochs
        if requests.resume_from is not None:
            requests.resume_from.restore(run.network, run.progress)
            if run.progress.ending is Ending.CONVERGED:
                return 0
        return int(self.max_iter) - (run.progress.n_epochs - n_before)

    def _prepare_data(
        self, examples: Examples, validation: Examples | None, run: Run
    ) -> tuple[TrainingData, TrainingData | None]:
        """Return the training data without units, and the validation data if there are any."""
        per_step, dtype = bool(self.return_sequences), run.network.dtype
        data, held_out = TrainingData.of(examples, per_step, dtype), None
        if validation is not None:
            with about_validation_data():
                held_out = TrainingData.of(validation, per_step, dtype)
            if held_out.n_targets < 2:
                raise ValueError(
                    f"X_val has {held_out.n_targets} targets of positive weight: too few to "
                    "validate on."
                )
        elif self.early_stopping:
            seed = run.progress.split_seed if self.shuffle else None
            data, held_out = hold_out(data, self.validation_fraction, seed, self._labels_of(data))
        if not run.goes_on:
            run.network.units = self._units_of(data)
        return data.in_units(run.network.units.targets, run.network.dtype), held_out

    def _units_of(self, data: TrainingData) -> Units:
        """Return the units without which the network works."""
        if not self.standardize:
            return Units()
        has_units = LOSSES[self._loss].power is not None
        return Units(input_scaling(data), target_scaling(data) if has_units else None)

    # Run.

    def _descent(self, run: Run, data: TrainingData, monitor: Monitor) -> Descent:
        """Return what trains the network; a new network starts at the loss's best constant."""
        network, progress, rule = run.network, run.progress, run.rule
        loss = TrainingLoss.of(LOSSES[self._loss], self, network.units.targets)
        if not progress.n_epochs:
            start = loss.learned.intercept(*data.weighted_targets(network.architecture.n_outputs))
            network.architecture.named(network.parameters)["output.b_y"][...] = start
        scores_r2 = rule.early_stopping and self._loss == "squared_error"  # which has no units
        if run.scorer is None and not scores_r2:
            rule = replace(rule, tol=rule.tol * loss.unit)
        alpha = plain(self.alpha)
        if isinstance(run.solver, LBFGS):
            objective = objective_in_double(network, data, loss, alpha)
            return LBFGSDescent(objective, network, progress, rule, monitor, plain(self.tol))
        wanted = 200 if self.batch_size == "auto" else int(self.batch_size)
        options = MinibatchOptions(
            solver=run.solver,
            batch_size=min(wanted, len(data)),
            **self._plain("learning_rate", "learning_rate_init", "power_t", "max_iter"),
            **self._plain("bptt_steps", "shuffle", "max_grad_norm", "max_grad_value"),
        )
        dropouts = Dropouts.of(progress.rng, plain(self.dropout), plain(self.recurrent_dropout))
        objective = Objective(network, data, loss, alpha, dropouts, options.max_grad_norm)
        return MinibatchDescent(objective, progress, options, rule, monitor)

    def _monitor(self, run: Run, held_out: TrainingData | None, hooks: FitHooks) -> Monitor:
        validate = None if held_out is None else partial(self._validate, held_out)
        return Monitor(run.scorer or validate, hooks, bool(self.verbose))

    def _validate(self, data: TrainingData, network: Network) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            raw = network.predict(data.lengths, data.inputs, data.target_starts, len(data.targets))
        valid = data.target_positions()
        if not np.isfinite(raw[valid]).all():
            return math.nan
        return self._score(data.targets[valid], raw[valid], data.weights[valid])

    def _score_by(self, scorer: Callable, given: ValidationArguments, network: Network) -> float:
        """Score validation data by a callback's scorer."""
        fitted = copy(self)
        fitted._architecture = network.architecture
        fitted._parameters = deepcopy(network.parameters)
        fitted._units = network.units
        weight = given.sample_weight
        weighted = {} if weight is None else {"sample_weight": weight}
        return float(scorer(fitted, given.X, given.y, **weighted))

    def _plain(self, *names: str) -> dict[str, Any]:
        """Return parameters as Python numbers: NumPy's would turn float32 arrays into float64."""
        return {name: plain(getattr(self, name)) for name in names}

    # Publish.

    def _publish_input(self, examples: Examples) -> None:
        """Set the attributes that describe the data."""
        self._fitted_on_table = examples.X.container == "table"
        self._loss = self._loss_for(examples.targets)
        vars(self).update(examples.targets.attributes())

    def _publish(self, run: Run) -> None:
        """Set the attributes that training leaves."""
        vars(self).update(fitted_attributes(run.network, run.progress))

    def _as_if_stopped(self, run: Run) -> dict[str, Any]:
        """Return copies of the attributes that `_publish` would set if training stopped now."""
        parameters, progress = deepcopy((run.network.parameters, run.progress))
        progress.put_back_best(run.rule, parameters.vector)
        network = Network(run.network.architecture, parameters, run.network.units)
        return fitted_attributes(network, progress)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True  # read as univariate sequences
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags
