"""The training loss as a function of a network's parameters: its value and its gradient."""

import math
from typing import NamedTuple

import numpy as np

from sklearn_rnn._training.data import Segment, TrainingData
from sklearn_rnn._training.health import GradientMeter
from sklearn_rnn.core.dropout import Dropout
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.network import Carry, Network
from sklearn_rnn.core.parameters import Parameters


class Dropouts(NamedTuple):
    """The dropout of one training; None for no dropout."""

    outputs: Dropout | None = None  # of every recurrent layer
    recurrent: Dropout | None = None  # of h, where the next timestep reads it

    @classmethod
    def of(cls, rng: np.random.Generator, *rates: float) -> "Dropouts":
        return cls(*(Dropout(rate, rng) if rate > 0 else None for rate in rates))


class Evaluation(NamedTuple):
    """The result of one evaluation."""

    loss: float  # the weighted mean over the targets, plus the penalty
    weight: float  # the sum of the targets' weights
    carry: Carry  # where the next segment of the batch starts


class Objective:
    """The loss of a network on training data, plus alpha/2 Σ W² / `data.weighted_size`.

    `evaluate` takes the parameters that the network has at the time. It leaves the gradient in
    `gradients`, and lets `meter` measure the gradient of the loss alone.

    loss : with the user's parameters
    max_grad_norm : the norm that the descent clips to, if it does; the meter counts by it
    """

    def __init__(
        self,
        network: Network,
        data: TrainingData,
        loss: Loss,
        alpha: float,
        dropouts: Dropouts = Dropouts(),  # noqa: B008 (it is immutable)
        max_grad_norm: float | None = None,
    ):
        self.network = network
        self.data = data
        self.loss = loss
        self.dropouts = dropouts
        self.gradients = network.architecture.zeros(network.dtype)
        self.meter = GradientMeter(self.gradients, max_grad_norm)
        self._decay = decay(network, alpha, data.weighted_size).vector

    def evaluate(self, segment: Segment, carry: Carry | None = None) -> Evaluation:
        """Evaluate a segment from the state that `carry` holds; None: from the start.

        If the loss isn't finite, `gradients` and `meter` don't change.
        """
        network, theta = self.network, self.network.parameters.vector
        total_weight = float(segment.weights.sum())
        weights = (segment.weights / total_weight).astype(network.dtype)
        raw, tape = network.forward(segment.batch, *self.dropouts, carry)
        value, d_outputs = self.loss.evaluate(raw, segment.targets, weights)
        penalty = self._decay * theta
        value += 0.5 * float(np.vdot(penalty, theta))
        if math.isfinite(value):
            network.backward(tape, d_outputs, self.gradients)
            self.meter.measure()
            self.gradients.vector += penalty
        return Evaluation(value, total_weight, tape.carry)

    def pass_over(self, segment: Segment, carry: Carry | None) -> Carry:
        """Run over a segment without targets, and return the carry for the next segment."""
        _, tape = self.network.forward(segment.batch, *self.dropouts, carry)
        return tape.carry


def decay(network: Network, alpha: float, size: float) -> Parameters:
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
