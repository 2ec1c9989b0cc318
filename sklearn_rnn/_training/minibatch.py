"""Training by minibatches: an update after each, or after each segment of timesteps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._training.data import Segment
from sklearn_rnn._training.descent import Descent, Monitor
from sklearn_rnn._training.objective import Evaluation, Objective
from sklearn_rnn._training.progress import Progress, StoppingRule
from sklearn_rnn._training.units import scaling_advice
from sklearn_rnn.core.network import Carry
from sklearn_rnn.core.optimizers import clip_by_norm, clip_by_value
from sklearn_rnn.core.schedules import SCHEDULES, Moment

# n_iter_no_change="auto" is as many epochs as have at least so many updates. Ten epochs of a single
# minibatch each would be ten steps of the optimizer, too few to leave the plateau on which training
# often starts.
MIN_UPDATES_NO_CHANGE = 100

# Training ends when an adaptive learning rate has fallen below this.
MIN_LEARNING_RATE = 1e-6


# batch_size="auto" makes 100 minibatches, or as many as are about so large.
SMALLEST_BATCH, LARGEST_BATCH = 32, 200


def auto_batch_size(n: int) -> int:
    """Return the size of minibatches that share n samples evenly."""
    size = min(max(n // 100, SMALLEST_BATCH), LARGEST_BATCH)
    return math.ceil(n / math.ceil(n / size))


@dataclass(frozen=True)
class MinibatchOptions:
    """What the user can set; the names are the estimators'."""

    solver: Any  # of core.optimizers.SOLVERS
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    batch_size: int
    bptt_steps: int | None
    shuffle: bool
    max_grad_norm: float | None
    max_grad_value: float | None


class MinibatchDescent(Descent):
    """Goes through the data minibatch by minibatch, in every epoch."""

    def __init__(
        self,
        objective: Objective,
        progress: Progress,
        options: MinibatchOptions,
        rule: StoppingRule,
        monitor: Monitor,
    ):
        super().__init__(objective, objective.network, progress, rule, monitor)
        self.options = options
        self.data = data = objective.data
        self.schedule = SCHEDULES[options.learning_rate]
        self.n_batches = math.ceil(len(data) / options.batch_size)
        self.n_steps = options.bptt_steps
        if self.n_steps is not None:
            self.n_steps = min(self.n_steps, int(data.lengths.max()))  # users may give any int
        # A minibatch that holds the longest sequences has the most updates. A minibatch with fewer
        # takes longer strides along the schedule. So the length of a cycle is known from the start.
        self.updates_per_batch = data.n_updates(self.n_steps)
        self.cycle_length = self.n_batches * self.updates_per_batch * options.max_iter
        self.n_done: float = 0  # updates of the present cycle
        self.rate = math.nan  # of the last update

    @property
    def per_update(self):
        return self.options.batch_size, self.n_steps

    def descend(self, n_epochs: int) -> None:
        for _ in range(n_epochs):
            self.begin_epoch()
            loss = self.epoch()
            self.progress.learning_rates.append(self.rate)
            self.end_epoch(loss)
            if self.progress.ending is not None:
                return

    def epoch(self) -> float:
        """Go once through the data; return the mean of the losses before each update."""
        total = total_weight = 0.0
        progress, objective = self.progress, self.objective
        epoch_of_cycle = (progress.n_epochs - progress.cycle_start) % self.options.max_iter
        n_batches_done = epoch_of_cycle * self.n_batches
        # What overflows here ends in a loss that isn't finite, and in an error that says so.
        with np.errstate(over="ignore", invalid="ignore"):
            for k, chosen in enumerate(self._batches(), n_batches_done):
                for evaluation in self._updates(chosen, k * self.updates_per_batch):
                    total += evaluation.loss * evaluation.weight
                    total_weight += evaluation.weight
        progress.n_samples_seen += len(self.data)
        theta = self.network.parameters.vector
        if not np.isfinite(theta).all():
            raise self.diverged("The weights")
        objective.meter.end_epoch(progress.health, theta)
        return total / total_weight

    def _batches(self) -> Iterator[np.ndarray]:
        n, size = len(self.data), self.options.batch_size
        order = self.progress.rng.permutation(n) if self.options.shuffle else np.arange(n)
        for start in range(0, n, size):
            yield order[start : start + size]

    def _updates(self, chosen: np.ndarray, n_done: int) -> Iterator[Evaluation]:
        """Make the updates of a minibatch.

        States and recurrent masks go on from segment to segment; gradients stay within one.
        """
        n_steps, carry, stride = self.n_steps, None, 1
        if n_steps is not None:
            stride = self.updates_per_batch / self.data.take(chosen).n_updates(n_steps)
        self.n_done = n_done
        for segment in self.data.segments(chosen, n_steps):
            if n_steps is None or segment.weights.any():
                evaluation = self._update(segment, carry)
                carry = evaluation.carry
                yield evaluation
                self.n_done += stride
            else:
                carry = self.objective.pass_over(segment, carry)

    def _update(self, segment: Segment, carry: Carry | None) -> Evaluation:
        """Make one update."""
        options, progress, network = self.options, self.progress, self.network
        theta, gradient = network.parameters.vector, self.objective.gradients.vector
        evaluation = self.objective.evaluate(segment, carry)
        if not math.isfinite(evaluation.value):
            raise self.diverged("The loss")
        if options.max_grad_value is not None:
            clip_by_value(gradient, options.max_grad_value)
        if options.max_grad_norm is not None:
            clip_by_norm(gradient, options.max_grad_norm)

        progress.n_updates += 1
        moment = Moment(progress.n_updates, self.n_done, self.cycle_length)
        rate = self.schedule(moment, options.learning_rate_init, options.power_t)
        self.rate = rate * progress.rate_factor
        options.solver.update(theta, gradient, progress.solver_state, self.rate)
        network.refresh()
        return evaluation

    @property
    def auto_patience(self) -> int:
        updates_per_epoch = self.n_batches * self.updates_per_batch
        return max(super().auto_patience, math.ceil(MIN_UPDATES_NO_CHANGE / updates_per_epoch))

    def must_stop(self) -> bool:
        """Stop when patience is at its end; halve an adaptive learning rate first."""
        if not self.is_out_of_patience():
            return False
        if self.options.learning_rate != "adaptive":
            return True
        progress = self.progress
        progress.rate_factor *= 0.5
        progress.epochs_without_improvement = 0
        return progress.rate_factor * self.options.learning_rate_init < MIN_LEARNING_RATE

    @property
    def remedy(self) -> str:
        return (
            f"{scaling_advice(self.network.units)}Lower learning_rate_init "
            f"(now {self.options.learning_rate_init}), or clip gradients by a lower max_grad_norm "
            f"(now {self.options.max_grad_norm})."
        )
