"""The training loss as a function of a network's parameters: its value and its gradient."""

import math
from typing import NamedTuple

import numpy as np

from sklearn_rnn._parallel.shared_batch_loss import Remote, SharedBatchLoss
from sklearn_rnn._parallel.team import Team
from sklearn_rnn._training.data import Segment, TrainingData
from sklearn_rnn._training.health import GradientMeter
from sklearn_rnn.core.batch_loss import BatchLoss, Dropouts, TrainingLoss
from sklearn_rnn.core.network import Carry, Network
from sklearn_rnn.core.parameters import Parameters


class Evaluation(NamedTuple):
    """The result of one evaluation."""

    value: float  # what is minimized: the weighted mean over the targets, plus the penalty
    loss: float  # the same in the units of the targets
    weight: float  # the sum of the targets' weights
    carry: Carry | Remote  # where the next segment of the batch starts


class Objective:
    """The loss of a network on training data, plus alpha/2 Σ W² / `data.weighted_size`.

    `evaluate` takes the parameters that the network has at the time. It leaves the gradient in
    `gradients`, and lets `meter` measure the gradient of the loss alone.

    max_grad_norm : the norm that the descent clips to, if it does; the meter counts by it
    """

    def __init__(
        self,
        network: Network,
        data: TrainingData,
        loss: TrainingLoss,
        alpha: float,
        dropouts: Dropouts = Dropouts(),  # noqa: B008 (it is immutable)
        max_grad_norm: float | None = None,
    ):
        self.network = network
        self.data = data
        self.loss = loss
        self.gradients = network.architecture.zeros(network.dtype)
        self.meter = GradientMeter(self.gradients, max_grad_norm)
        self._of_batch = BatchLoss(network, loss, dropouts, self.gradients)
        self._decay = penalty_strengths(network, alpha, data.weighted_size).vector

    def share_out(self, team: Team, slot_size: int) -> None:
        """Let workers evaluate from now on, each a part of every segment."""
        self._of_batch = SharedBatchLoss(team, self._of_batch, slot_size)

    def evaluate(self, segment: Segment, carry: Carry | Remote | None = None) -> Evaluation:
        """Evaluate a segment from the state that `carry` holds; None: from the start.

        If the loss isn't finite, `gradients` has no meaning, and `meter` doesn't change.
        """
        theta = self.network.parameters.vector
        total_weight = float(segment.weights.sum())
        weights = (segment.weights / total_weight).astype(self.network.dtype)
        value, loss, carry = self._of_batch.evaluate(segment.batch, segment.targets, weights, carry)
        decay = self._decay * theta
        penalty = 0.5 * float(np.vdot(decay, theta))
        value, loss = value + penalty, loss + penalty * self.loss.unit
        if math.isfinite(value):
            self.meter.measure()
            self.gradients.vector += decay
        return Evaluation(value, loss, total_weight, carry)

    def pass_over(self, segment: Segment, carry: Carry | Remote | None) -> Carry | Remote:
        """Run over a segment without targets, and return the carry for the next segment."""
        return self._of_batch.pass_over(segment.batch, carry)


def penalty_strengths(network: Network, alpha: float, size: float) -> Parameters:
    """Return alpha / size for every weight of a network, and 0 for every bias."""
    strength = alpha / size
    if strength > float(np.finfo(network.dtype).max):
        raise ValueError(
            f"alpha={alpha}, divided by the sum of sample_weight, {size}, is too large for "
            f"{network.dtype.name}: lower alpha, or scale the weights up."
        )
    strengths = network.architecture.zeros(network.dtype)
    for name, array in network.architecture.named(strengths).items():
        array[...] = strength if is_weight(name) else 0.0
    return strengths


def is_weight(name: str) -> bool:
    """Whether a parameter under its textbook name is a weight matrix rather than a bias."""
    return name.rpartition(".")[2].startswith("W")
