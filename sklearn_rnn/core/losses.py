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

# The smallest share of a label for the initial bias: other labels may come.
SMALLEST_SHARE = 1e-3


class Loss(NamedTuple):
    """A loss, and what belongs to it.

    evaluate : returns the loss and its gradient
    link : maps raw outputs to predictions: the mean, a quantile, or probabilities
    intercept : maps targets (n, n_outputs) and weights (n,) to the constant raw outputs with the
        smallest loss, from which training starts; classes are indicators there
    parameters : the keywords of `evaluate` and `intercept` that the user may set
    power : if all targets are c times as large, the loss is c ** power times as large; None if
        targets can't have other units
    lengths : the parameters that are in the units of the targets
    """

    evaluate: Callable[..., tuple[float, np.ndarray]]
    link: Callable[[np.ndarray], np.ndarray]
    intercept: Callable[..., np.ndarray]
    parameters: tuple[str, ...] = ()
    power: int | None = None
    lengths: tuple[str, ...] = ()

    def of(self, hyper, scale: np.ndarray | None = None) -> "Loss":
        """Return the loss with the user's parameters bound to `evaluate` and `intercept`.

        scale : (n_outputs,), the divisors of the targets, if they were divided
        """
        chosen = {name: float(getattr(hyper, name)) for name in self.parameters}
        if scale is not None:
            chosen |= {name: chosen[name] / scale for name in self.lengths}
        return self._replace(
            evaluate=partial(self.evaluate, **chosen),
            intercept=partial(self.intercept, **chosen),
        )


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
    """½ (ŷ - y)² where |ŷ - y| ≤ δ, and δ (|ŷ - y| - ½ δ) elsewhere (Huber 1964).

    delta : a number, or (n_outputs,)
    """
    residual = raw - target
    delta = np.reshape(delta, (-1, 1)).astype(raw.dtype)
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


def mean(target, weight):
    return (weight / weight.sum()) @ target


def weighted_quantile(target, weight, quantile=0.5):
    return np.quantile(target, quantile, axis=0, weights=weight, method="inverted_cdf")


def huber_location(target, weight, delta=1.0):
    """Huber's estimate of location, by iteratively reweighted means."""
    location = weighted_quantile(target, weight)
    for _ in range(50):
        size = np.maximum(np.abs(target - location), SMALLEST_MEAN)
        pull = weight[:, np.newaxis] * np.minimum(size, delta) / size
        location = (pull * target).sum(axis=0) / pull.sum(axis=0)
    return location


def log_mean(target, weight):
    """The raw output at which the mean of a Poisson distribution is that of the targets."""
    return np.log(np.maximum(mean(target, weight), SMALLEST_MEAN))


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


def log_priors(target, weight, label_smoothing=0.0):
    """log Σ q; a class without weight counts as much as the rarest one that has some."""
    share = mean(target, weight)
    share[share == 0] = share[share > 0].min()
    return np.log((1 - label_smoothing) * share / share.sum() + label_smoothing / len(share))


def log_odds(target, weight, label_smoothing=0.0):
    share = np.clip(mean(target, weight), SMALLEST_SHARE, 1 - SMALLEST_SHARE)
    share = (1 - label_smoothing) * share + label_smoothing / 2
    return np.log(share / (1 - share))


def identity(raw: np.ndarray) -> np.ndarray:
    return raw


def softmax(raw: np.ndarray) -> np.ndarray:
    exponential = np.exp(raw - raw.max(axis=0))
    return exponential / exponential.sum(axis=0)


def logistic(raw: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * raw)  # = 1 / (1 + e^-ŷ), free of overflow


LOSSES = {
    "squared_error": Loss(squared_error, identity, mean, power=2),
    "absolute_error": Loss(absolute_error, identity, weighted_quantile, power=1),
    "huber": Loss(huber, identity, huber_location, ("delta",), power=2, lengths=("delta",)),
    "quantile": Loss(pinball, identity, weighted_quantile, ("quantile",), power=1),
    "poisson": Loss(poisson, np.exp, log_mean),
    "softmax_cross_entropy": Loss(softmax_cross_entropy, softmax, log_priors, ("label_smoothing",)),
    "sigmoid_cross_entropy": Loss(sigmoid_cross_entropy, logistic, log_odds, ("label_smoothing",)),
}
