"""Losses on raw outputs.

A loss takes raw outputs (n_outputs, columns), targets, and weights (columns,) that sum to one. It
returns the weighted mean and its gradient on the raw outputs. `link` maps raw outputs to
predictions: the mean, or probabilities.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Loss(NamedTuple):
    evaluate: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, np.ndarray]]
    link: Callable[[np.ndarray], np.ndarray]


def squared_error(raw, target, weight):
    """½ (ŷ - y)², averaged over the outputs; target (n_outputs, columns)."""
    residual = raw - target
    gradient = residual * (weight / len(raw))
    return 0.5 * float(np.vdot(residual, gradient)), gradient


def softmax_cross_entropy(raw, target, weight):
    """-log softmax(ŷ)[y]; target (columns,), the number of the class."""
    shifted = raw - raw.max(axis=0)
    exponential = np.exp(shifted)
    total = exponential.sum(axis=0)
    columns = np.arange(raw.shape[1])
    log_probability = shifted[target, columns] - np.log(total)
    gradient = exponential * (weight / total)  # p ∘ w
    gradient[target, columns] -= weight  # (p - onehot(y)) ∘ w
    return -float(np.vdot(log_probability, weight)), gradient


def sigmoid_cross_entropy(raw, target, weight):
    """-y log σ(ŷ) - (1-y) log(1-σ(ŷ)), summed over the labels; target (n_outputs, columns)."""
    loss = np.logaddexp(0, raw) - target * raw  # = log(1 + e^ŷ) - yŷ, free of overflow
    return float(np.vdot(loss.sum(axis=0), weight)), (logistic(raw) - target) * weight


def identity(raw: np.ndarray) -> np.ndarray:
    return raw


def softmax(raw: np.ndarray) -> np.ndarray:
    exponential = np.exp(raw - raw.max(axis=0))
    return exponential / exponential.sum(axis=0)


def logistic(raw: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * raw)  # = 1 / (1 + e^-ŷ), free of overflow


LOSSES = {
    "squared_error": Loss(squared_error, identity),
    "softmax_cross_entropy": Loss(softmax_cross_entropy, softmax),
    "sigmoid_cross_entropy": Loss(sigmoid_cross_entropy, logistic),
}
