"""Functions between the numbers that a network computes and the values that they stand for."""

from collections.abc import Callable

import numpy as np


def identity(raw: np.ndarray) -> np.ndarray:
    return raw


def softmax(raw: np.ndarray) -> np.ndarray:
    exponential = np.exp(raw - raw.max(axis=0))
    return exponential / exponential.sum(axis=0)


def softmax_gradient(raw: np.ndarray, d_linked: np.ndarray) -> np.ndarray:
    p = softmax(raw)
    return p * (d_linked - (p * d_linked).sum(axis=0))  # ∂p_j/∂ŷ_k = p_k (δ_jk - p_j)


def logistic(raw: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * raw)  # = 1 / (1 + e^-ŷ), free of overflow


def logistic_gradient(raw: np.ndarray, d_linked: np.ndarray) -> np.ndarray:
    p = logistic(raw)
    return p * (1 - p) * d_linked


# The gradient on raw outputs, from that on the predictions which a link makes of them.
LINK_GRADIENTS: dict[Callable, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    identity: lambda raw, d_linked: d_linked,
    np.exp: lambda raw, d_linked: np.exp(raw) * d_linked,
    softmax: softmax_gradient,
    logistic: logistic_gradient,
}


def softplus(raw: np.ndarray) -> np.ndarray:
    """log(1 + e^ŷ), which is positive; its derivative is `logistic`."""
    return np.logaddexp(0, raw)


def inverse_softplus(value: np.ndarray) -> np.ndarray:
    """log(e^v - 1), for positive values."""
    return value + np.log(-np.expm1(-value))  # free of overflow
