"""Functions between the numbers that a network computes and the values that they stand for."""

import numpy as np


def identity(raw: np.ndarray) -> np.ndarray:
    return raw


def softmax(raw: np.ndarray) -> np.ndarray:
    exponential = np.exp(raw - raw.max(axis=0))
    return exponential / exponential.sum(axis=0)


def logistic(raw: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * raw)  # = 1 / (1 + e^-ŷ), free of overflow


def softplus(raw: np.ndarray) -> np.ndarray:
    """log(1 + e^ŷ), which is positive; its derivative is `logistic`."""
    return np.logaddexp(0, raw)


def inverse_softplus(value: np.ndarray) -> np.ndarray:
    """log(e^v - 1), for positive values."""
    return value + np.log(-np.expm1(-value))  # free of overflow
