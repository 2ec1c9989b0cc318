"""Heads: what a network makes of the numbers a = W_hy h + b_y of its output layer.

Most networks have one number for each target, and leave it as it is. A head with several numbers
for each target describes the distribution of the target by values that belong together, such as
quantiles in increasing order. It computes such values from any numbers.

An array has the first numbers of all targets in its first rows, then the second numbers of all
targets, and so on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sklearn_rnn.core.links import inverse_softplus, logistic, softplus
from sklearn_rnn.core.scaling import Scaling

# How far apart quantiles start that are the same number in the training data, in proportion to the
# distance of the outermost ones. At zero the increment would have no gradient.
SMALLEST_GAP = 1e-4

# The smallest standard deviation, in the network's units: the likelihood of targets that are met
# exactly has no upper limit. (torch.nn.GaussianNLLLoss has the same limit.)
SMALLEST_DEVIATION = 1e-3


@dataclass(frozen=True)
class Head:
    """One number for each target, as it is."""

    def __str__(self):
        return "one prediction for each target"

    quantiles: ClassVar[tuple[float, ...] | None] = None  # that the numbers of a target are
    is_identity: ClassVar[bool] = True  # the raw outputs are a

    @property
    def n_per_target(self) -> int:
        """How many numbers there are for each target."""
        return 1

    def forward(self, a: np.ndarray) -> np.ndarray:
        """Return the raw outputs, (n_outputs, columns)."""
        return a

    def backward(self, a: np.ndarray, d_outputs: np.ndarray) -> np.ndarray:
        """Return the gradient on a, given the one on the raw outputs."""
        return d_outputs

    def inverse(self, outputs: np.ndarray) -> np.ndarray:
        """Return a of raw outputs (n_outputs,)."""
        return outputs

    def in_units(self, rows: np.ndarray, scaling: Scaling) -> np.ndarray:
        """Return raw outputs, here (n, n_outputs), in the units of the targets."""
        return scaling.undo(rows)

    def slopes_in_units(self, scaling: Scaling) -> np.ndarray:
        """Return how much faster raw outputs change in the units of the targets, (n_outputs,)."""
        return np.tile(scaling.scale, self.n_per_target)

    def by_target(self, rows: np.ndarray) -> np.ndarray:
        """Return predictions, (n, n_outputs), as (n, n_targets) or (n, n_targets, n_per_target)."""
        return rows


@dataclass(frozen=True)
class NonCrossing(Head):
    """Several quantiles of each target, which never cross.

    The quantile next to the median is a number of the output layer. The softplus of the others are
    the distances between neighbours. So the order is right by construction, as in Cannon (2018) and
    Park et al. (2022).

    quantiles : in increasing order
    """

    quantiles: tuple[float, ...]  # type: ignore[misc]
    is_identity = False

    def __str__(self):
        return f"the quantiles {list(self.quantiles)} of each target"

    @property
    def n_per_target(self) -> int:
        return len(self.quantiles)

    @property
    def base(self) -> int:
        """The place of the quantile that the others are computed from."""
        return nearest_to_median(self.quantiles)

    def forward(self, a):
        base, parts = self.base, self._parts(a)
        steps = softplus(parts)
        steps[base] = parts[base]
        steps[:base] *= -1
        above = np.cumsum(steps[base:], axis=0)  # q_k = q_{k-1} + softplus(a_k)
        below = np.cumsum(steps[base::-1], axis=0)[:0:-1]  # q_k = q_{k+1} - softplus(a_k)
        return np.concatenate([below, above]).reshape(a.shape)

    def backward(self, a, d_outputs):
        base, d = self.base, self._parts(d_outputs)
        slopes = logistic(self._parts(a))
        slopes[base] = 1
        slopes[:base] *= -1
        above = np.cumsum(d[:base:-1], axis=0)[::-1]  # a_k moves q_k and all above it
        below = np.cumsum(d[:base], axis=0)  # a_k moves q_k and all below it
        return (np.concatenate([below, [d.sum(axis=0)], above]) * slopes).reshape(a.shape)

    def inverse(self, outputs):
        parts = self._parts(outputs)
        distance = parts[-1] - parts[0]
        smallest = SMALLEST_GAP * np.where(distance > 0, distance, 1)
        gaps = np.maximum(np.diff(parts, axis=0), smallest)
        return np.insert(inverse_softplus(gaps), self.base, parts[self.base], axis=0).ravel()

    def in_units(self, rows, scaling):
        return scaling.undo(self._parts_of_rows(rows)).reshape(rows.shape)

    def by_target(self, rows):
        return np.ascontiguousarray(self._parts_of_rows(rows).transpose(0, 2, 1))

    def _parts(self, array: np.ndarray) -> np.ndarray:
        """View an array (n_outputs, ...) as one row per quantile."""
        return array.reshape(self.n_per_target, -1)

    def _parts_of_rows(self, rows: np.ndarray) -> np.ndarray:
        """View (n, n_outputs) as (n, n_quantiles, n_targets)."""
        return rows.reshape(len(rows), self.n_per_target, -1)


def nearest_to_median(quantiles: Sequence[float]) -> int:
    """Return the place of the quantile that is the median, or next to it."""
    return int(np.argmin(np.abs(np.array(quantiles) - 0.5)))


@dataclass(frozen=True)
class MeanAndDeviation(Head):
    """The means of the targets, and their standard deviations, which are positive."""

    is_identity = False

    def __str__(self):
        return "a mean and a standard deviation of each target"

    @property
    def n_per_target(self):
        return 2

    def forward(self, a):
        mean, b = np.split(a, 2)
        return np.concatenate([mean, softplus(b) + SMALLEST_DEVIATION])

    def backward(self, a, d_outputs):
        d_mean, d_deviation = np.split(d_outputs, 2)
        return np.concatenate([d_mean, d_deviation * logistic(np.split(a, 2)[1])])

    def inverse(self, outputs):
        mean, deviation = np.split(outputs, 2)
        above = np.maximum(deviation - SMALLEST_DEVIATION, SMALLEST_DEVIATION)
        return np.concatenate([mean, inverse_softplus(above)])

    def in_units(self, rows, scaling):
        mean, deviation = np.split(rows, 2, axis=1)
        return np.concatenate([scaling.undo(mean), deviation * scaling.scale], axis=1)

    def by_target(self, rows):
        """Return the means, (n, n_targets)."""
        return np.split(rows, 2, axis=1)[0]

    def deviations(self, rows: np.ndarray) -> np.ndarray:
        """Return the standard deviations, (n, n_targets)."""
        return np.split(rows, 2, axis=1)[1]
