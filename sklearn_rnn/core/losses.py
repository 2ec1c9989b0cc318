"""Losses: what training minimises, as a function of a network's raw outputs.

A loss takes raw outputs (n_outputs, columns), targets, and weights (columns,) that sum to one. It
returns the weighted mean over the columns, and its gradient on the raw outputs.

In a regression, and with several labels, targets are (n_outputs, columns). A loss of a regression
is the mean over the outputs. With classes that exclude each other, targets are the (columns,)
numbers of the classes.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

# The smallest mean to take the logarithm of. Its logarithm is a moderate number in float32, too.
SMALLEST_MEAN = float(np.finfo(np.float32).tiny)


class Loss(NamedTuple):
    """A loss, and what belongs to it.

    evaluate : returns the loss and its gradient
    link : maps raw outputs to predictions: the mean, a quantile, or probabilities
    parameters : the keywords of `evaluate` that the user may set
    intercept : maps targets (n, n_outputs) and weights (n,) to the initial values of the output
        layer's biases; None for zeros
    """

    evaluate: Callable[..., tuple[float, np.ndarray]]
    link: Callable[[np.ndarray], np.ndarray]
    parameters: tuple[str, ...] = ()
    intercept: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None

    def of(self, hyper) -> "Loss":
        """Return the loss with the user's parameters bound to `evaluate`."""
        chosen = {name: float(getattr(hyper, name)) for name in self.parameters}
        return self._replace(evaluate=partial(self.evaluate, **chosen))


def squared_error(raw, target, weight):
    """½ (ŷ - y)²."""
    residual = raw - target
    gradient = residual * (weight / len(raw))
    return 0.5 * float(np.vdot(residual, gradient)), gradient


def absolute_error(raw, target, weight):
    """|ŷ - y|."""
    residual = raw - target
    gradient = np.sign(residual) * (weight / len(raw))
    return float(np.vdot(residual, gradient)), gradient


def huber(raw, target, weight, delta=1.0):
    """½ (ŷ - y)² where |ŷ - y| ≤ δ, and δ (|ŷ - y| - ½ δ) elsewhere (Huber 1964)."""
    residual = raw - target
    clipped = np.clip(residual, -delta, delta)
    gradient = clipped * (weight / len(raw))
    return float(np.vdot(residual - 0.5 * clipped, gradient)), gradient


def pinball(raw, target, weight, quantile=0.5):
    """q (y - ŷ) where ŷ < y, and (1-q) (ŷ - y) elsewhere (Koenker, Bassett 1978)."""
    residual = raw - target
    slope = (residual > 0).astype(raw.dtype) - quantile
    gradient = slope * (weight / len(raw))
    return float(np.vdot(residual, gradient)), gradient


def poisson(raw, target, weight):
    """e^ŷ - y ŷ: half the deviance of a Poisson distribution, without the term in y alone."""
    weight = weight / len(raw)
    mean = np.exp(raw)
    loss = mean - target * raw
    return float(np.vdot(loss.sum(axis=0), weight)), (mean - target) * weight


def log_mean(target, weight):
    """The raw output at which the mean of a Poisson distribution is that of the targets."""
    mean = (weight / weight.sum()) @ target
    return np.log(np.maximum(mean, SMALLEST_MEAN))


def softmax_cross_entropy(raw, target, weight, label_smoothing=0.0):
    """-Σ_k q_k log softmax(ŷ)_k, where q = (1-s)·onehot(y) + s / n_classes.

    s : label_smoothing
    """
    shifted = raw - raw.max(axis=0)
    exponential = np.exp(shifted)
    total = exponential.sum(axis=0)
    columns = np.arange(raw.shape[1])
    expected = (1 - label_smoothing) * shifted[target, columns]  # Σ q_k ŷ_k
    gradient = exponential * (weight / total)  # p ∘ w
    gradient[target, columns] -= (1 - label_smoothing) * weight  # (p - q) ∘ w
    if label_smoothing:
        expected += label_smoothing * shifted.mean(axis=0)
        gradient -= label_smoothing / len(raw) * weight
    return float(np.vdot(np.log(total) - expected, weight)), gradient


def sigmoid_cross_entropy(raw, target, weight, label_smoothing=0.0):
    """-y log σ(ŷ) - (1-y) log(1-σ(ŷ)), summed over the labels."""
    target = (1 - label_smoothing) * target + label_smoothing / 2
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
    "absolute_error": Loss(absolute_error, identity),
    "huber": Loss(huber, identity, ("delta",)),
    "quantile": Loss(pinball, identity, ("quantile",)),
    "poisson": Loss(poisson, np.exp, intercept=log_mean),
    "softmax_cross_entropy": Loss(softmax_cross_entropy, softmax, ("label_smoothing",)),
    "sigmoid_cross_entropy": Loss(sigmoid_cross_entropy, logistic, ("label_smoothing",)),
}
