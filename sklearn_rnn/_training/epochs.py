"""Training: epochs, batches, stopping, history. Knows networks, but no estimator."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import numpy as np

from sklearn_rnn._training.data import Segment, TrainingData
from sklearn_rnn._training.health import GradientHealth, GradientMeter
from sklearn_rnn._training.threads import one_blas_thread
from sklearn_rnn.core.dropout import Dropout
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.memory import small_ufunc_buffers
from sklearn_rnn.core.network import Carry, Network
from sklearn_rnn.core.optimizers import clip_by_norm, clip_by_value
from sklearn_rnn.core.schedules import SCHEDULES, Moment

# Where an adaptive learning rate has fallen to, training has come to its end.
MIN_LEARNING_RATE = 1e-6


@dataclass(frozen=True)
class TrainingOptions:
    """What the user can set; the names are the estimators'."""

    solver: Any  # of core.optimizers.SOLVERS
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    batch_size: int
    bptt_steps: int | None
    shuffle: bool
    dropout: float
    recurrent_dropout: float
    alpha: float
    max_grad_norm: float | None
    max_grad_value: float | None
    tol: float
    n_iter_no_change: int
    early_stopping: bool
    verbose: bool


class Ending(Enum):
    """Why training came to its end."""

    CONVERGED = auto()
    MAX_ITER = auto()
    INTERRUPTED = auto()
    MAX_ITERATIONS = auto()  # of L-BFGS
    STUCK = auto()  # where L-BFGS finds no lower loss along the gradient
    STOPPED = auto()  # by a callback


@dataclass
class Progress:
    """What training remembers from epoch to epoch, and needs in order to go on another time."""

    rng: np.random.Generator
    solver_state: Any
    split_seed: int = field(init=False)  # to hold out the same samples when training goes on
    n_updates: int = 0
    n_samples_seen: int = 0
    rate_factor: float = 1.0  # what is left of an adaptive learning rate
    cycle_start: int = 0  # the epoch with which the present cycle of the learning rate began
    learning_rates: list[float] = field(default_factory=list)
    epochs_without_improvement: int = 0
    loss_curve: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    validation_scores: list[float] = field(default_factory=list)
    best_validation_score: float = -math.inf
    best_iteration: int | None = None  # the epoch of that score, the first being 1
    best_parameters: np.ndarray | None = None  # by validation score
    last_parameters: np.ndarray | None = None  # where to go on, if the best have been put back
    health: GradientHealth = field(default_factory=GradientHealth)
    ending: Ending | None = None  # None while training goes on

    def __post_init__(self):
        self.split_seed = int(self.rng.integers(2**31))

    def adopt(self, solver, parameters: np.ndarray) -> None:
        """Go on with a solver, which starts anew if it has no state, or that of another solver."""
        fresh = solver.init(parameters)
        if type(fresh) is not type(self.solver_state):
            self.solver_state = fresh

    def forget_solver(self) -> None:
        """Keep only what is small, where training need not go on exactly."""
        self.solver_state = self.best_parameters = self.last_parameters = None


class Watcher:
    """Told of every epoch; this one does nothing."""

    def begin_epoch(self) -> None:
        """Before an epoch."""

    def end_epoch(self) -> bool:
        """After an epoch; return whether training is to stop."""
        return False


def train(
    run: Callable[..., None],
    network: Network,
    data: TrainingData,
    loss: Loss,
    options: TrainingOptions,
    progress: Progress,
    n_epochs: int,
    validate: Callable[[Network], float] | None = None,
    watcher: Watcher | None = None,
) -> Ending:
    """Train the network in place, by epochs or (see _lbfgs.py) otherwise.

    With `validate`, the score it returns is recorded; with early stopping as well, training stops
    by that score instead of by the loss, and the network ends with the parameters that scored best.
    An interrupt from the keyboard ends training early.
    """
    if validate is None:
        progress.best_parameters = None  # of an earlier training
    with one_blas_thread, small_ufunc_buffers():
        run(network, data, loss, options, progress, n_epochs, validate, watcher or Watcher())
    put_back_best(network.parameters.vector, progress, options.early_stopping)
    network.refresh()
    return progress.ending


def put_back_best(parameters: np.ndarray, progress: Progress, early_stopping: bool) -> None:
    """End training with the parameters that scored best, if that is wanted."""
    is_done = progress.last_parameters is not None
    if early_stopping and progress.best_parameters is not None and not is_done:
        progress.last_parameters = parameters.copy()
        parameters[...] = progress.best_parameters
        progress.best_parameters = parameters  # one array, so one in a pickle too


def by_epochs(network, data, loss, options, progress, n_epochs, validate, watcher) -> None:
    """Let epoch follow epoch until there is a reason to end."""
    trainer = Trainer(network, data, loss, options, progress)
    if n_epochs:
        progress.ending = None
    try:
        for _ in range(n_epochs):
            started = time.perf_counter()
            watcher.begin_epoch()
            epoch_loss = trainer.epoch()
            trainer.record(epoch_loss, validate, network)
            progress.learning_rates.append(trainer.rate)
            if options.verbose:
                print(report(progress, time.perf_counter() - started))
            if must_stop(progress, options):
                progress.ending = Ending.CONVERGED
            if watcher.end_epoch():
                progress.ending = progress.ending or Ending.STOPPED
            if progress.ending is not None:
                return
        progress.ending = progress.ending or Ending.MAX_ITER
    except KeyboardInterrupt:
        progress.ending = Ending.INTERRUPTED


class Trainer:
    """One network on its way through one data set."""

    def __init__(self, network, data, loss, options, progress):
        self.network: Network = network
        self.data: TrainingData = data
        self.loss: Loss = loss
        self.options: TrainingOptions = options
        self.progress: Progress = progress
        self.schedule = SCHEDULES[options.learning_rate]
        self.n_batches = math.ceil(len(data) / options.batch_size)
        self.n_steps = options.bptt_steps
        if self.n_steps is not None:
            self.n_steps = min(self.n_steps, int(data.lengths.max()))  # it may be any int
        # Those that a batch of all sequences would have. A batch with fewer takes longer strides
        # along the schedule, so that a cycle has a length that is known from the start.
        self.n_updates = data.n_updates(self.n_steps)
        self.length = self.n_batches * self.n_updates * options.max_iter  # of a cycle
        self.n_done: float = 0  # updates of the present cycle
        self.rate = math.nan  # of the last update
        self.carry: Carry | None = None  # of the last forward pass
        # Of the outputs of layers, and of what a timestep takes in of the one before.
        rates = options.dropout, options.recurrent_dropout
        self.dropouts = [Dropout(rate, progress.rng) if rate > 0 else None for rate in rates]
        parameters = network.parameters
        self.gradients = network.architecture.zeros(parameters.vector.dtype)
        self.meter = GradientMeter(self.gradients, options.max_grad_norm)
        # alpha/2 Σ W² / n_samples, over the weights and not the biases
        self.decay = network.architecture.zeros(parameters.vector.dtype)
        strength = options.alpha / data.n_samples
        if strength > float(np.finfo(network.dtype).max):
            raise ValueError(
                f"alpha={options.alpha}, divided by the sum of sample_weight, {data.n_samples}, is "
                f"too large for {network.dtype.name}: lower alpha, or scale the weights up."
            )
        for name, array in network.architecture.named(self.decay).items():
            array[...] = strength if is_weight(name) else 0.0

    def epoch(self) -> float:
        """Go once through the data; return the mean of the loss on the way."""
        total = total_weight = 0.0
        progress = self.progress
        epoch_of_cycle = (len(progress.loss_curve) - progress.cycle_start) % self.options.max_iter
        n_batches_done = epoch_of_cycle * self.n_batches
        # What overflows here ends in a loss that isn't finite, and in an error that says so.
        with np.errstate(over="ignore", invalid="ignore"):
            for k, chosen in enumerate(self._batches(), n_batches_done):
                for value, weight in self._updates(chosen, k * self.n_updates):
                    total += value * weight
                    total_weight += weight
        progress.n_samples_seen += len(self.data)
        if not np.isfinite(self.network.parameters.vector).all():
            raise ValueError(self.diverged("The weights"))
        self.meter.end_epoch(self.progress.health, self.network.parameters.vector)
        return total / total_weight

    def _batches(self) -> Iterator[np.ndarray]:
        n, size = len(self.data), self.options.batch_size
        order = self.progress.rng.permutation(n) if self.options.shuffle else np.arange(n)
        for start in range(0, n, size):
            yield order[start : start + size]

    def _updates(self, chosen: np.ndarray, n_done: int) -> Iterator[tuple[float, float]]:
        """Make the updates of a batch; yield the loss and the weight of each.

        States and recurrent masks go on from segment to segment, and gradients stay within one.
        """
        n_steps, carry, stride = self.n_steps, None, 1
        if n_steps is not None:
            stride = self.n_updates / self.data.take(chosen).n_updates(n_steps)
        self.n_done = n_done
        for segment in self.data.segments(chosen, n_steps):
            if n_steps is None or segment.weights.any():
                yield self._update(segment, carry)
                self.n_done += stride
            else:  # nothing to learn, but states to go on from
                _, tape = self.network.forward(segment.batch, *self.dropouts, carry)
                self.carry = tape.carry
            carry = None if n_steps is None else self.carry

    def _update(self, segment: Segment, carry: Carry | None) -> tuple[float, float]:
        """Make one update; return the segment's loss and its weight."""
        network, options, progress = self.network, self.options, self.progress
        theta, gradient = network.parameters.vector, self.gradients.vector
        value, total_weight = self.evaluate(segment, carry)
        if not math.isfinite(value):
            raise ValueError(self.diverged("The loss"))
        if options.max_grad_value is not None:
            clip_by_value(gradient, options.max_grad_value)
        if options.max_grad_norm is not None:
            clip_by_norm(gradient, options.max_grad_norm)

        progress.n_updates += 1
        moment = Moment(progress.n_updates, self.n_done, self.length)
        rate = self.schedule(moment, options.learning_rate_init, options.power_t)
        self.rate = rate * progress.rate_factor
        options.solver.update(theta, gradient, progress.solver_state, self.rate)
        network.refresh()
        return value, total_weight

    def evaluate(self, segment: Segment, carry: Carry | None = None) -> tuple[float, float]:
        """Return the loss, penalty included, and the weight; leave the gradient in `gradients`.

        Where the loss isn't finite, there is no gradient.
        """
        network, theta = self.network, self.network.parameters.vector
        total_weight = float(segment.weights.sum())
        weights = (segment.weights / total_weight).astype(network.dtype)
        raw, tape = network.forward(segment.batch, *self.dropouts, carry)
        self.carry = tape.carry
        value, d_outputs = self.loss.evaluate(raw, segment.targets, weights)
        penalty = self.decay.vector * theta
        value += 0.5 * float(np.vdot(penalty, theta))
        if math.isfinite(value):
            network.backward(tape, d_outputs, self.gradients)
            self.meter.measure()
            self.gradients.vector += penalty
        return value, total_weight

    def record(self, loss: float, validate, network: Network) -> None:
        """Take an epoch into the history, with the network's validation score if there is one."""
        score = None if validate is None else validate(network)
        if score is not None and not math.isfinite(score):
            raise ValueError(self.diverged("The validation score"))
        _record(self.progress, self.options, loss, score, network.parameters.vector)

    def diverged(self, what: str) -> str:
        return (
            f"{what} became infinite or NaN in epoch {len(self.progress.loss_curve) + 1}. Scale X "
            f"(and the targets of a regression) to about unit variance, lower learning_rate_init "
            f"(now {self.options.learning_rate_init}), or clip gradients by a lower max_grad_norm "
            f"(now {self.options.max_grad_norm})."
        )


def is_weight(name: str) -> bool:
    """Whether a parameter under its textbook name is a weight matrix rather than a bias."""
    return name.rpartition(".")[2].startswith("W")


def _record(progress: Progress, options: TrainingOptions, loss, score, parameters) -> None:
    """Take an epoch into the history, judged by its validation score with early stopping."""
    improved = loss <= progress.best_loss - options.tol
    if options.early_stopping:
        improved = score >= progress.best_validation_score + options.tol
    progress.loss_curve.append(loss)
    if score is not None:
        progress.validation_scores.append(score)
        if score > progress.best_validation_score:
            progress.best_validation_score = score
            progress.best_iteration = len(progress.loss_curve)
            progress.best_parameters = parameters.copy()
    progress.best_loss = min(progress.best_loss, loss)
    stale = progress.epochs_without_improvement
    progress.epochs_without_improvement = 0 if improved else stale + 1


def must_stop(progress: Progress, options: TrainingOptions) -> bool:
    if progress.epochs_without_improvement <= options.n_iter_no_change:
        return False
    if options.learning_rate != "adaptive":
        return True
    progress.rate_factor *= 0.5
    progress.epochs_without_improvement = 0
    return progress.rate_factor * options.learning_rate_init < MIN_LEARNING_RATE


def report(progress: Progress, seconds: float, what: str = "Epoch") -> str:
    line = f"{what} {len(progress.loss_curve)}: loss {progress.loss_curve[-1]:.6g}"
    if progress.validation_scores:
        line += f", validation score {progress.validation_scores[-1]:.6g}"
    return f"{line} ({seconds:.3g} s)"
