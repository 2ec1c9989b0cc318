"""The loss of a network on a batch, and its gradient on the parameters."""

import math
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.dropout import Dropout
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.network import Carry, Network
from sklearn_rnn.core.packing import Batch
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


class BatchLoss:
    """The loss of a network as a function of batches. It leaves the gradient in `gradients`.

    `evaluate` and `pass_over` go on from `carry`; with None the sequences begin.
    """

    def __init__(
        self, network: Network, loss: TrainingLoss, dropouts: Dropouts, gradients: Parameters
    ):
        self.network = network
        self.loss = loss
        self.dropouts = dropouts
        self.gradients = gradients

    def evaluate(
        self, batch: Batch, targets: np.ndarray, weights: np.ndarray, carry: Carry | None
    ) -> tuple[float, float, Carry]:
        """Return the loss that is learned, the same in units, and the next segment's carry.

        If the loss isn't finite, `gradients` doesn't change.
        """
        raw, tape = self.network.forward(batch, *self.dropouts, carry)
        value, d_outputs = self.loss.learned.evaluate(raw, targets, weights)
        loss = self.loss.with_units(value, raw, targets, weights)
        if math.isfinite(value):
            self.network.backward(tape, d_outputs, self.gradients)
        return value, loss, tape.carry

    def pass_over(self, batch: Batch, carry: Carry | None) -> Carry:
        """Run over a batch without targets; return the next segment's carry."""
        _, tape = self.network.forward(batch, *self.dropouts, carry)
        return tape.carry
