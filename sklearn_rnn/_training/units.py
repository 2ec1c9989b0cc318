"""The units of the training data, which `standardize=True` takes away and gives back."""

from collections.abc import Iterable, Iterator

import numpy as np

from sklearn_rnn._training.data import TrainingData
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.scaling import Scaling, Units

# How many values are copied at a time.
VALUES_AT_A_TIME = 2**16

# Weights up to 2 to this power are used as they are.
LARGE_EXPONENT = 100


def scaling_advice(units: Units) -> str:
    """Return advice, with a space at its end, for a network that works with units; else nothing."""
    if units.inputs is not None:
        return ""
    return (
        "Set standardize=True, or scale X and the targets of a regression to about unit variance. "
    )


def units_of(data: TrainingData, loss: Loss, standardize: bool) -> Units:
    """Return the units without which a network works; only some losses take any from targets."""
    if not standardize:
        return Units()
    return Units(input_scaling(data), None if loss.power is None else target_scaling(data))


def input_scaling(data: TrainingData) -> Scaling:
    """Return the mean and the standard deviation of each feature over all valid timesteps.

    All timesteps of a sequence weigh as much as the heaviest of its targets.
    """
    return _scaling(_timesteps(data), "X", "feature")


def target_scaling(data: TrainingData) -> Scaling:
    """Return the mean and the standard deviation of each output over all targets."""
    return _scaling(_targets(data), "y", "output")


def _timesteps(data: TrainingData) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of timesteps, (n, n_features), with their weights."""
    weights = moderate(data.heaviest, data)
    block_of = np.cumsum(data.lengths) * data.storage.n_features // VALUES_AT_A_TIME
    for chosen in np.split(np.arange(len(data)), np.flatnonzero(np.diff(block_of)) + 1):
        rows = data.storage.rows(data.samples[chosen])
        yield rows, np.repeat(weights[chosen], data.lengths[chosen])


def _targets(data: TrainingData) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of targets that aren't of weight zero, (n, n_outputs), with their weights."""
    for rows in data.target_blocks(data.targets.shape[1]):
        rows = rows[data.weights[rows] > 0]
        if len(rows):
            yield data.targets[rows], moderate(data.weights[rows], data)


def moderate(weights: np.ndarray, data: TrainingData) -> np.ndarray:
    """Scale weights of data, if some are extreme, so that no sum overflows or underflows.

    The factor is a power of two.
    """
    exponent = int(np.frexp(data.heaviest.max())[1])
    return np.ldexp(weights, -exponent) if abs(exponent) > LARGE_EXPONENT else weights


def _scaling(blocks: Iterable[tuple[np.ndarray, np.ndarray]], name: str, column: str) -> Scaling:
    moments = Moments()
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, weights in blocks:
            moments.add(rows.astype(np.float64, copy=False), weights)
        scaling = Scaling(moments.mean, moments.scale)
    finite = np.isfinite(scaling.mean) & np.isfinite(scaling.scale)
    if not finite.all():
        raise ValueError(
            f"{name} has values so large that the variance of {column} {finite.argmin()} "
            f"overflows: scale {name}, or set standardize=False."
        )
    return scaling


class Moments:
    """The weighted mean and variance of columns, block after block (Chan, Golub, LeVeque 1983).

    The numbers are those of scikit-learn's StandardScaler, to the bit. That one looks for missing
    values in many passes over a block, and took three times as long as a small network's epoch.
    """

    def __init__(self):
        self.count, self.mean, self.variance = 0.0, np.zeros(1), np.zeros(1)

    def add(self, rows: np.ndarray, weights: np.ndarray) -> None:
        """Take in a block of finite rows, (n, columns), which is overwritten; weights (n,)."""
        total = weights @ rows
        # StandardScaler's sums over rows of several columns add one row after another.
        count = weights.sum() if rows.shape[1] == 1 else np.cumsum(weights)[-1]
        rows -= total / count
        rest = weights @ rows  # zero but for rounding
        rows **= 2
        squares = weights @ rows - rest**2 / count

        if self.count:
            ratio = self.count / count
            between = ratio / (self.count + count) * (self.mean * self.count / ratio - total) ** 2
            squares = self.variance * self.count + squares + between
        self.mean = (self.mean * self.count + total) / (self.count + count)
        self.count = self.count + count
        self.variance = squares / self.count

    @property
    def scale(self) -> np.ndarray:
        """The standard deviation; 1 where all values are the same but for rounding."""
        n, eps = self.count, np.finfo(np.float64).eps
        is_constant = self.variance <= n * eps * self.variance + (n * self.mean * eps) ** 2
        return np.where(is_constant, 1.0, np.sqrt(self.variance))
