"""Accuracy, R², and D² of quantiles, of targets and predictions that have been checked.

scikit-learn's metrics compute the same numbers. But validation data are scored after every epoch,
and the checks inside these metrics take longer than a small network takes to predict.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from sklearn_rnn.core.losses import weighted_quantile


def accuracy(y: np.ndarray, predicted: np.ndarray, sample_weight: np.ndarray) -> float:
    """Return the fraction of correct labels; with several labels, of targets with no wrong one.

    y, predicted : (n_targets,) class numbers, or (n_targets, n_labels) indicators
    """
    is_right = y == predicted
    if is_right.ndim == 2:
        is_right = is_right.all(axis=1)
    return float(np.average(is_right, weights=sample_weight))


def regression_score(
    y: np.ndarray,
    predicted: np.ndarray,
    quantiles: Sequence[float] | None = None,
    sample_weight: np.ndarray | None = None,
) -> float:
    """Return R²; of quantiles, D² of the pinball loss. Both are averaged over outputs.

    y : (n_targets,) or (n_targets, n_outputs)
    predicted : the same, but with quantiles as one more axis at the end
    """
    if len(y) < 2:
        name = "R^2" if quantiles is None else "D^2"
        message = f"{name} score is not well-defined with less than two samples."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
        return float("nan")
    weights = np.ones(len(y), y.dtype) if sample_weight is None else sample_weight
    dtype = np.result_type(y, predicted, weights)
    y, weights = y.reshape(len(y), -1).astype(dtype, copy=False), weights.astype(dtype, copy=False)
    predicted = predicted.astype(dtype, copy=False)
    if quantiles is None:
        return r_squared(y, predicted.reshape(y.shape), weights)
    constants = weighted_quantile(y, weights, quantiles).reshape(len(quantiles), -1)
    predicted = np.moveaxis(predicted.reshape(*y.shape, -1), -1, 0)
    triples = zip(quantiles, predicted, constants, strict=True)
    return float(np.mean([d_squared(y, *triple, weights) for triple in triples]))


def r_squared(y: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> float:
    """1 - Σ w (y - ŷ)² / Σ w (y - ȳ)², averaged over the outputs."""
    weight, mean = weights[:, np.newaxis], np.average(y, axis=0, weights=weights)
    errors, spread = ((weight * (y - of) ** 2).sum(axis=0) for of in (predicted, mean))
    return explained(errors, spread)


def d_squared(
    y: np.ndarray,
    quantile: float,
    predicted: np.ndarray,
    constant: np.ndarray,
    weights: np.ndarray,
) -> float:
    """The same of the pinball loss; the constant is the quantile of each output of y."""

    def loss_of(predicted: np.ndarray) -> np.ndarray:
        residual = y - predicted
        loss = np.where(residual >= 0, quantile * residual, (quantile - 1) * residual)
        return np.average(loss, axis=0, weights=weights)

    return explained(loss_of(predicted), loss_of(constant))


def explained(loss: np.ndarray, of_constant: np.ndarray) -> float:
    """Return the mean of 1 - loss / of_constant over the outputs.

    An output whose targets are all the same has 1 if they are met exactly, and 0 otherwise.
    """
    varies = of_constant != 0
    shares = np.where(loss == 0, 1.0, 0.0).astype(loss.dtype)
    np.subtract(1, loss / np.where(varies, of_constant, 1), out=shares, where=varies & (loss != 0))
    return float(np.average(shares))
