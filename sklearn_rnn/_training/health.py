"""Gradient health: how long the gradients are, and what is wrong if they are never of use."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sklearn_rnn.core.parameters import Parameters

# Gradients of the first layer that are shorter than this part of the output layer's have vanished:
# float32 has no more digits.
VANISHED = 1e-7

# Fewer updates say nothing about every step.
MIN_UPDATES = 20


@dataclass
class GradientHealth:
    """What is remembered of every epoch, of gradients without penalty, before they are clipped.

    gradient_norms : the mean over the updates
    first_shares : of the first update, the first layer's part divided by the output layer's
    clipped_shares : how many of the updates were longer than max_grad_norm, as a fraction
    weight_norms : of all parameters, after the epoch
    """

    gradient_norms: list[float] = field(default_factory=list)
    first_shares: list[float] = field(default_factory=list)
    clipped_shares: list[float] = field(default_factory=list)
    weight_norms: list[float] = field(default_factory=list)
    n_updates: int = 0

    def problems(self, max_grad_norm: float | None) -> Iterator[str]:
        """Say what has gone wrong, if anything."""
        if self.first_shares and self.first_shares[-1] < VANISHED:
            yield (
                "The gradients vanish: in the last epoch that of the first layer was "
                f"{self.first_shares[-1]:.1g} times as long as that of the output layer. The "
                "units may be saturated, or those of activation='relu' dead: scale X to about "
                "unit variance, or lower learning_rate_init."
            )
        if self.n_updates >= MIN_UPDATES and min(self.clipped_shares) == 1.0:
            yield (
                f"Every step was clipped: all gradients were longer than "
                f"max_grad_norm={max_grad_norm}, {self.gradient_norms[-1]:.2g} on average in the "
                "last epoch. Scale the targets of a regression to about unit variance, or raise "
                "max_grad_norm."
            )


class GradientMeter:
    """Measures the gradients of one epoch after another."""

    def __init__(self, gradients: Parameters, max_norm: float | None):
        n_first = sum(gradients[name].size for name in gradients if name.startswith("layer_0."))
        n_output = gradients["output.W"].size
        self.all = gradients.vector  # in which the first layer stands first, the output layer last
        self.first, self.output = self.all[:n_first], self.all[-n_output:]
        self.max_norm = math.inf if max_norm is None else max_norm
        self._begin()

    def _begin(self) -> None:
        self.n = self.n_clipped = 0
        self.total = 0.0

    def measure(self) -> None:
        """Take in the gradients of a batch."""
        if self.n == 0:
            output = norm_of(self.output)
            self.first_share = norm_of(self.first) / output if output else math.inf
        norm = norm_of(self.all)
        self.n += 1
        self.n_clipped += norm > self.max_norm
        self.total += norm

    def end_epoch(self, health: GradientHealth, parameters: np.ndarray) -> None:
        """Write down the means, and begin anew."""
        health.n_updates += self.n
        health.gradient_norms.append(self.total / self.n)
        health.first_shares.append(self.first_share)
        health.clipped_shares.append(self.n_clipped / self.n)
        health.weight_norms.append(norm_of(parameters))
        self._begin()


def norm_of(vector: np.ndarray) -> float:
    """The Euclidean norm."""
    return math.sqrt(float(np.vdot(vector, vector)))
