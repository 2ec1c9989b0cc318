"""Gradient health: norms of gradients and parameters, and warnings about useless gradients."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sklearn_rnn._training.units import scaling_advice
from sklearn_rnn.core.optimizers import norm_of
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.scaling import Units

# Gradients have vanished if the first layer's norm, divided by the output layer's, is smaller than
# this. It is about the relative precision of float32.
VANISHED = 1e-7

# After fewer updates than this, it means little that every gradient was clipped.
MIN_UPDATES = 20


@dataclass
class GradientHealth:
    """One record per epoch, about gradients without penalty and before clipping.

    gradient_norms : the mean norm over the updates
    first_shares : the norm of the first layer's gradient over the output layer's, first update only
    clipped_shares : the fraction of updates with a norm greater than max_grad_norm
    weight_norms : the norm of all parameters after the epoch
    """

    gradient_norms: list[float] = field(default_factory=list)
    first_shares: list[float] = field(default_factory=list)
    clipped_shares: list[float] = field(default_factory=list)
    weight_norms: list[float] = field(default_factory=list)
    n_updates: int = 0

    def problems(self, max_grad_norm: float | None, units: Units) -> Iterator[str]:
        """Yield a message for each problem of a network that works without these units."""
        advice = scaling_advice(units)
        if self.first_shares and self.first_shares[-1] < VANISHED:
            yield (
                "The gradients vanish: in the last epoch the gradient of the first layer was "
                f"{self.first_shares[-1]:.1g} times as long as the one of the output layer. The "
                f"units may be saturated, or dead if activation='relu'. {advice}Lower "
                "learning_rate_init."
            )
        if self.n_updates >= MIN_UPDATES and min(self.clipped_shares) == 1.0:
            yield (
                f"Every step was clipped: all gradients were longer than "
                f"max_grad_norm={max_grad_norm}, {self.gradient_norms[-1]:.2g} on average in the "
                f"last epoch. {advice}Raise max_grad_norm."
            )


class GradientMeter:
    """Measures the gradients of one epoch after another."""

    def __init__(self, gradients: Parameters, max_norm: float | None):
        n_first = sum(gradients[name].size for name in gradients if name.startswith("layer_0."))
        n_output = gradients["output.W"].size
        self.all = gradients.vector  # the first layer comes first, the output layer last
        self.first, self.output = self.all[:n_first], self.all[-n_output:]
        self.max_norm = math.inf if max_norm is None else max_norm
        self._begin()

    def _begin(self) -> None:
        self.n = self.n_clipped = 0
        self.total = 0.0

    def measure(self) -> None:
        """Measure the gradients of one update."""
        if self.n == 0:
            output = norm_of(self.output)
            self.first_share = norm_of(self.first) / output if output else math.inf
        norm = norm_of(self.all)
        self.n += 1
        self.n_clipped += norm > self.max_norm
        self.total += norm

    def end_epoch(self, health: GradientHealth, parameters: np.ndarray) -> None:
        """Record the epoch, and start the next one."""
        health.n_updates += self.n
        health.gradient_norms.append(self.total / self.n)
        health.first_shares.append(self.first_share)
        health.clipped_shares.append(self.n_clipped / self.n)
        health.weight_norms.append(norm_of(parameters))
        self._begin()
