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
from sklearn_rnn.core.scaling import Scaling


class Dropouts(NamedTuple):
    """The dropout of one training; None for no dropout."""

    outputs: Dropout | None = None  # of every recurrent layer
    recurrent: Dropout | None = None  # of h, where the next timestep reads it

    @classmethod
    def of(cls, rng: np.random.Generator, *rates: float) -> "Dropouts":
        return cls(*(Dropout(rate, rng) if rate > 0 else None for rate in rates))


class TrainingLoss(NamedTuple):
    """A loss on targets without units, and the same loss in the units of the targets."""

    learned: Loss
    reported: Loss
    scale: np.ndarray | None = None  # (n_targets,), what the targets were divided by, if they were
    unit: float = 1.0  # a learned loss of 1 in the units of the targets

    @classmethod
    def of(cls, loss: Loss, hyper, scaling: Scaling | None) -> "TrainingLoss":
        if scaling is None:
            return cls(loss.of(hyper), loss.of(hyper))
        unit = float(np.mean(scaling.scale**loss.power))
        return cls(loss.of(hyper, scaling.scale), loss.of(hyper), scaling.scale, unit)

    def with_units(self, value: float, raw, target, weights) -> float:
        """Return what the learned loss of these outputs is in the units of the targets."""
        if self.scale is None:
            return value
        scale = self.scale[:, np.newaxis]
        raw = (raw.reshape(-1, *target.shape) * scale).reshape(raw.shape)
        value, _ = self.reported.evaluate(raw, target * scale, weights)
        return value


class Evaluation(NamedTuple):
    """The result of one evaluation."""

    value: float  # what is minimized: the weighted mean over the targets, plus the penalty
    loss: float  # the same in the units of the targets
    weight: float  # the sum of the targets' weights
    carry: Carry  # where the next segment of the batch starts


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
        self.dropouts = dropouts
        self.gradients = network.architecture.zeros(network.dtype)
        self.meter = GradientMeter(self.gradients, max_grad_norm)
        self._decay = penalty_strengths(network, alpha, data.weighted_size).vector

    def evaluate(self, segment: Segment, carry: Carry | None = None) -> Evaluation:
        """Evaluate a segment from the state that `carry` holds; None: from the start.

        If the loss isn't finite, `gradients` and `meter` don't change.
        """
        network, theta = self.network, self.network.parameters.vector
        total_weight = float(segment.weights.sum())
        weights = (segment.weights / total_weight).astype(network.dtype)
        raw, tape = network.forward(segment.batch, *self.dropouts, carry)
        value, d_outputs = self.loss.learned.evaluate(raw, segment.targets, weights)
        loss = self.loss.with_units(value, raw, segment.targets, weights)
        decay = self._decay * theta
        penalty = 0.5 * float(np.vdot(decay, theta))
        value, loss = value + penalty, loss + penalty * self.loss.unit
        if math.isfinite(value):
            network.backward(tape, d_outputs, self.gradients)
            self.meter.measure()
            self.gradients.vector += decay
        return Evaluation(value, loss, total_weight, tape.carry)

    def pass_over(self, segment: Segment, carry: Carry | None) -> Carry:
        """Run over a segment without targets, and return the carry for the next segment."""
        _, tape = self.network.forward(segment.batch, *self.dropouts, carry)
        return tape.carry


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
