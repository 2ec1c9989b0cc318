"""The units of the training data, which `standardize=True` takes away and gives back."""

from collections.abc import Iterable, Iterator

import numpy as np
from sklearn.preprocessing import StandardScaler

from sklearn_rnn._training.data import TrainingData
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.scaling import Scaling, Units

# How many values are copied at a time.
MAX_COPIED = 2**16

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
    rows = data.target_positions()
    rows = rows[data.weights[rows] > 0]
    return _scaling([(data.targets[rows], moderate(data.weights[rows]))], "y", "output")


def _timesteps(data: TrainingData) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of timesteps, (n, n_features), with their weights."""
    weights = moderate(data.heaviest)
    block_of = np.cumsum(data.lengths) * data.values.shape[1] // MAX_COPIED
    for chosen in np.split(np.arange(len(data)), np.flatnonzero(np.diff(block_of)) + 1):
        starts, lengths = data.starts[chosen], data.lengths[chosen]
        steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = data.values[np.repeat(starts, lengths) + steps]
        yield rows, np.repeat(weights[chosen], lengths)


def moderate(weights: np.ndarray) -> np.ndarray:
    """Scale extreme weights, by a power of two, so that no sum overflows or underflows."""
    exponent = int(np.frexp(weights.max())[1])
    return np.ldexp(weights, -exponent) if abs(exponent) > LARGE_EXPONENT else weights


def _scaling(blocks: Iterable[tuple[np.ndarray, np.ndarray]], name: str, column: str) -> Scaling:
    scaler = StandardScaler()
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, weights in blocks:
            scaler.partial_fit(rows.astype(np.float64, copy=False), sample_weight=weights)
    scaling = Scaling(scaler.mean_, scaler.scale_)  # the scale of a constant is 1
    finite = np.isfinite(scaling.mean) & np.isfinite(scaling.scale)
    if not finite.all():
        raise ValueError(
            f"{name} has values so large that the variance of {column} {finite.argmin()} "
            f"overflows: scale {name}, or set standardize=False."
        )
    return scaling
