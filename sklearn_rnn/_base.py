"""How RNNRegressor and RNNClassifier are trained: read, prepare, run, publish."""

import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sklearn_rnn._callback_protocol import CallbackSupportMixin, with_callbacks
from sklearn_rnn._fitted import FittedNetwork, fitted_attributes
from sklearn_rnn._input.errors import about_validation_data, unchanged_on_error
from sklearn_rnn._input.groups import read_groups
from sklearn_rnn._input.hyperparameters import check_hyperparameters, plain, pools_of
from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._input.targets import Examples, Targets, read_weights
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.descent import Descent, Monitor
from sklearn_rnn._training.hold_out import MIN_TO_HOLD_OUT, given_validation, hold_out
from sklearn_rnn._training.hooks import FitArguments, FitHooks, Requests
from sklearn_rnn._training.lbfgs import LBFGS, LBFGSDescent, objective_in_double
from sklearn_rnn._training.minibatch import MinibatchDescent, MinibatchOptions, auto_batch_size
from sklearn_rnn._training.objective import Objective
from sklearn_rnn._training.outcome import INTERRUPTED, name_of_fit, problems
from sklearn_rnn._training.plateau import constant_losses
from sklearn_rnn._training.progress import Ending, Progress, StoppingRule, Validation
from sklearn_rnn._training.run import Run
from sklearn_rnn._training.units import units_of
from sklearn_rnn._training.validation import Validator
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.batch_loss import Dropouts, TrainingLoss
from sklearn_rnn.core.heads import Head
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.optimizers import SOLVERS


class BaseRNN(CallbackSupportMixin, FittedNetwork, BaseEstimator, metaclass=ABCMeta):
    """Base of the recurrent estimators. A subclass defines the targets, the loss and the scores."""

    __metadata_request__fit = {"groups": False}  # those of a search are for its splitter

    def __init__(self, **parameters):
        # scikit-learn reads names and defaults from the signature of the subclass's __init__.
        for name, value in parameters.items():
            setattr(self, name, value)

    @abstractmethod
    def _read_targets(
        self, y, X: Sequences, weights: np.ndarray, classes: np.ndarray | None = None
    ) -> Targets:
        """Check y where its weights aren't zero. `classes` are a classifier's, once known."""

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

    def _head(self) -> Head:
        """Return the head of the network that the parameters ask for."""
        return Head()

    @abstractmethod
    def _score(self, targets: np.ndarray, raw: np.ndarray, weights: np.ndarray) -> float:
        """Score raw outputs in the units of the targets, (n_targets, n_outputs)."""

    def _labels_of(self, data: TrainingData) -> np.ndarray | None:
        """Labels by which to stratify validation data, one per sequence, if there are any."""
        return None

    @keeps_numpy_settings  # outermost: the callbacks' setup and teardown share one context
    @with_callbacks
    def fit(  # noqa: PLR0913 (scikit-learn finds metadata in the signature)
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_timesteps, n_features), list of n_samples \
                arrays of shape (n_timesteps_i, n_features), or array-like of shape \
                (n_samples, n_timesteps)
            The sequences; for what else is understood see the user guide. Trailing timesteps of
            an array that are NaN are padding.
        y : array-like of shape (n_samples,), (n_samples, n_outputs) or \
                (n_samples, horizon, n_outputs)
            The targets; the last shape, for several timesteps ahead, is for regressors only. With
            ``return_sequences=True`` one target per timestep: an array of shape
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
        groups : array-like of shape (n_samples,), default=None
            The group of each sequence, such as its speaker or patient. Early stopping then holds
            out whole groups. Where nothing is held out, groups have no effect. With metadata
            routing, they are passed on only after ``set_fit_request(groups=True)``.

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
        given_val = FitArguments(X_val, y_val, sample_weight_val)
        with unchanged_on_error(self):
            goes_on = bool(self.warm_start) and hasattr(self, "_parameters")
            examples = self._read(X, y, sample_weight, goes_on=goes_on, groups=groups)
            self._publish_input(examples)
            validation = self._read_validation(given_val)

            run = self._prepare_run(examples, goes_on)
            run.progress.begin_cycle()
            data, held_out = self._prepare_data(examples, validation, run)
            hooks = FitHooks(context, arguments, partial(self._as_if_stopped, run))
            requests = Requests(given_val, groups, validates=held_out is not None)
            n_epochs = self._begin(hooks, run, requests)
            if n_epochs < self.max_iter:  # a checkpoint may hold out other samples
                data, held_out = self._prepare_data(examples, validation, run)
            if run.scorer is not None and validation is None:
                given_val = FitArguments(X, y, sample_weight).take(held_out.samples)
            monitor = self._monitor(run, held_out, given_val, hooks)
            ending = self._descent(run, data, monitor).train_on(self.n_jobs, n_epochs)

            self._publish(run)
            hooks.end()
            if not self.warm_start:
                self._progress.drop_arrays()
        if ending is Ending.INTERRUPTED:
            warnings.warn(INTERRUPTED, stacklevel=4)  # over the decorators
            return self
        n_judges = held_out.n_targets if run.rule.early_stopping else None
        for problem in problems(
            ending, self._progress, self, self._units, run.constant_losses, n_judges
        ):
            problem = f"{problem} [{name_of_fit(self, context)}]"  # since a search has many
            warnings.warn(problem, ConvergenceWarning, stacklevel=4)
        return self

    def _partial_fit(self, X, y, sample_weight, classes=None):
        """Train for one epoch, from the present state."""
        check_hyperparameters(self)
        if self.early_stopping and self.early_stopping != "auto":
            raise ValueError(
                "partial_fit does not support early_stopping=True: with one epoch per call there "
                "is nothing to stop, and no data to hold out."
            )
        with unchanged_on_error(self):
            goes_on = hasattr(self, "_parameters")
            examples = self._read(X, y, sample_weight, goes_on=goes_on, classes=classes)
            self._publish_input(examples)
            run = self._prepare_run(examples, goes_on)
            run.rule = replace(run.rule, early_stopping=False)
            data, _ = self._prepare_data(examples, None, run)
            monitor = Monitor(verbose=bool(self.verbose))
            ending = self._descent(run, data, monitor).train_on(self.n_jobs, 1)
            self._publish(run)
        if ending is Ending.INTERRUPTED:
            warnings.warn(INTERRUPTED, stacklevel=4)
        return self

    # Read.

    def _read(self, X, y, sample_weight, *, goes_on: bool, classes=None, groups=None) -> Examples:
        """Check the data, also against the data of earlier fits if training goes on."""
        X = read_sequences(X, self, reset=not goes_on)
        if goes_on:
            classes = getattr(self, "classes_", None)
        weights = read_weights(sample_weight, X, self.return_sequences)
        targets = self._read_targets(y, X, weights, classes)
        examples = Examples(X, targets, self._weigh(targets, weights), read_groups(groups, X))
        self._check_targets(examples, starts_training=not goes_on)
        return examples

    def _read_validation(self, given: FitArguments) -> Examples | None:
        """Check the validation data, if there are any, against the published input."""
        if not given.are_validation_data():
            return None
        with about_validation_data():
            X = read_sequences(given.X, self, reset=False)
            weights = read_weights(given.sample_weight, X, self.return_sequences)
            targets = self._read_targets(given.y, X, weights, getattr(self, "classes_", None))
            examples = Examples(X, targets, weights)
            self._check_targets(examples, starts_training=False)
            return examples

    # Prepare.

    def _prepare_run(self, examples: Examples, goes_on: bool) -> Run:
        """Make a new network, or copy the trained one, so that a failing fit changes nothing."""
        head = self._head()
        architecture = Architecture(
            cell=self.cell,
            activation=self.activation,
            n_inputs=examples.X.n_features,
            hidden_size=int(self.hidden_size),
            n_layers=int(self.n_layers),
            n_outputs=examples.targets.n_outputs * head.n_per_target,
            return_sequences=bool(self.return_sequences),
            bidirectional=bool(self.bidirectional),
            pooling=pools_of(self),
            head=head,
        )
        solver = LBFGS() if self.solver == "lbfgs" else SOLVERS[self.solver](self)
        rule = StoppingRule(**self._plain("tol", "n_iter_no_change", "early_stopping"))
        if goes_on:
            return Run(*self._resume(architecture, solver), solver, rule, goes_on)
        return Run(*self._start(architecture, solver, examples.X.dtype), solver, rule, goes_on)

    def _start(self, architecture, solver, dtype) -> tuple[Network, Progress]:
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.default_rng(seed)
        network = Network(architecture, architecture.zeros(dtype))
        network.initialize(rng)
        return network, Progress(rng, solver.init(network.parameters.vector))

    def _resume(self, architecture, solver) -> tuple[Network, Progress]:
        head, trained_head = architecture.head, self._architecture.head
        if head != trained_head:
            raise ValueError(
                f"The parameters ask for {head}, but the network was trained for {trained_head} "
                "and can't go on otherwise: set loss and quantile as they were, or "
                "warm_start=False, or make a new estimator."
            )
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

    def _begin(self, hooks: FitHooks, run: Run, requests: Requests) -> int:
        """Let callbacks begin, and do what they request; return the number of epochs to train."""
        self._callback_requests = requests
        hooks.begin()
        del self._callback_requests
        if requests.stopping is not None:
            run.scorer, run.rule = requests.stopping
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
        if run.rule.early_stopping == "auto":
            can_validate = validation is not None or len(data) >= MIN_TO_HOLD_OUT
            stops_early = can_validate and not isinstance(run.solver, LBFGS)
            run.rule = replace(run.rule, early_stopping=stops_early)
        if validation is not None:
            held_out = given_validation(validation, per_step, dtype)
        elif run.rule.early_stopping:
            seed = run.progress.split_seed if self.shuffle else None
            fraction, labels = self.validation_fraction, self._labels_of(data)
            data, held_out = hold_out(data, fraction, seed, labels)
        if not run.goes_on:
            run.network.units = units_of(data, LOSSES[self._loss], bool(self.standardize))
        loss, n_outputs = LOSSES[self._loss].of(self), run.network.architecture.n_outputs
        run.constant_losses = partial(constant_losses, loss, n_outputs, data, held_out)
        return data.in_units(run.network.units.targets, run.network.dtype), held_out

    # Run.

    def _descent(self, run: Run, data: TrainingData, monitor: Monitor) -> Descent:
        """Return what trains the network; a new network starts at the loss's best constant."""
        network, progress, rule = run.network, run.progress, run.rule
        architecture = network.architecture
        loss = TrainingLoss.of(LOSSES[self._loss], self, network.units.targets)
        if not progress.n_epochs:
            start = loss.learned.intercept(*data.weighted_targets(architecture.n_outputs))
            b_y = architecture.named(network.parameters)["output.b_y"]
            b_y[...] = architecture.head.inverse(start)
        if run.scorer is None:  # a callback's scorer may have no units
            rule = replace(rule, tol=rule.tol * loss.unit)
        alpha = plain(self.alpha)
        if isinstance(run.solver, LBFGS):
            objective = objective_in_double(network, data, loss, alpha)
            return LBFGSDescent(objective, network, progress, rule, monitor, plain(self.tol))
        n, size = len(data), self.batch_size
        options = MinibatchOptions(
            solver=run.solver,
            batch_size=auto_batch_size(n) if size == "auto" else min(int(size), n),
            **self._plain("learning_rate", "learning_rate_init", "power_t", "max_iter"),
            **self._plain("bptt_steps", "shuffle", "max_grad_norm", "max_grad_value"),
        )
        dropouts = Dropouts.of(progress.rng, plain(self.dropout), plain(self.recurrent_dropout))
        objective = Objective(network, data, loss, alpha, dropouts, options.max_grad_norm)
        return MinibatchDescent(objective, progress, options, rule, monitor)

    def _monitor(
        self, run: Run, held_out: TrainingData | None, given: FitArguments, hooks: FitHooks
    ) -> Monitor:
        """Return what scores the validation data, as they were read or as they were given."""
        validate = None
        if run.scorer is not None:
            validate = partial(self._score_by, run.scorer, given)
        elif held_out is not None:
            validate = Validator(held_out, LOSSES[self._loss].of(self), self._score)
        return Monitor(validate, hooks, bool(self.verbose))

    def _score_by(self, scorer: Callable, given: FitArguments, network: Network) -> Validation:
        return Validation(given.score(scorer, self._with_network(network)))

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
