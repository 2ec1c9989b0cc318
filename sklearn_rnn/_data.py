"""Checked input as training data and as validation data, given to `fit` or held out."""

import math
from contextlib import AbstractContextManager
from copy import copy

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_rnn._input.errors import renamed
from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._input.targets import read_weights
from sklearn_rnn._training.data import TrainingData


def training_data(
    X: Sequences, targets: np.ndarray, weights: np.ndarray, per_step: bool, dtype
) -> TrainingData:
    """Convert everything once, and leave out samples of weight zero, as if they weren't there."""
    X.check_fits(dtype)
    values, starts = X.flat(dtype)
    if targets.dtype.kind == "f" or targets.ndim == 2:
        with np.errstate(over="ignore"):
            targets = targets.astype(dtype, copy=False)
        if not np.isfinite(targets).all():
            raise ValueError(f"y has values too large for {dtype.name}, the precision of X.")
    target_starts = X.starts if per_step else np.arange(len(X))
    data = TrainingData(values, starts, X.lengths, targets, weights, target_starts, per_step)
    heaviest = np.maximum.reduceat(weights, target_starts)
    return data.take(np.flatnonzero(heaviest > 0))


def about_validation_data() -> AbstractContextManager[None]:
    """Let errors of the doors name the arguments of the validation data."""
    return renamed({"X": "X_val", "y": "y_val", "sample_weight": "sample_weight_val"})


def read_validation_data(
    estimator, X_val=None, y_val=None, sample_weight_val=None
) -> tuple[Sequences, np.ndarray, np.ndarray] | None:
    """Check the validation data against what the estimator has just read for training.

    Returns the sequences, targets and weights, or None if there are none.
    """
    given = {"X_val": X_val, "y_val": y_val}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == 2 and sample_weight_val is None:
        return None
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} must be given too: validation data are X_val and y_val, with "
            "or without sample_weight_val."
        )
    with about_validation_data():
        X = read_sequences(X_val, estimator, reset=False)
        reader = copy(estimator)  # since it remembers what it reads
        targets = reader._read_targets(y_val, X, getattr(estimator, "classes_", None))
        if reader.n_outputs_ != estimator.n_outputs_:
            raise ValueError(
                f"y has {reader.n_outputs_} outputs, but that of the training data has "
                f"{estimator.n_outputs_}."
            )
        weights = read_weights(sample_weight_val, X, estimator.return_sequences)
        estimator._check_targets(targets, weights, X, go_on=True)
        return X, targets, weights


def validation_data(X: Sequences, targets, weights, per_step: bool, dtype) -> TrainingData:
    """Convert validation data that were given, like training data."""
    with about_validation_data():
        data = training_data(X, targets, weights, per_step, dtype)
    if data.n_targets < 2:
        raise ValueError(
            f"X_val has {data.n_targets} targets of positive weight: too few to validate on."
        )
    return data


def hold_out(estimator, data: TrainingData, seed: int) -> tuple[TrainingData, TrainingData]:
    """Split into training and validation data."""
    n_held_out = math.ceil(estimator.validation_fraction * len(data))
    n_left = len(data) - n_held_out
    chosen = np.arange(n_left), np.arange(n_left, len(data))
    if estimator.shuffle and n_left > 0:  # otherwise the last ones, for data in the order of time
        chosen = train_test_split(
            np.arange(len(data)),
            test_size=n_held_out,
            random_state=seed,
            stratify=estimator._strata(data, n_held_out),
        )
    training, held_out = (data.take(part) for part in chosen)
    if n_left < 1 or held_out.n_targets < 2:
        raise ValueError(
            f"early_stopping=True with validation_fraction={estimator.validation_fraction} leaves "
            f"{n_left} samples to train on and {n_held_out} with {held_out.n_targets} targets to "
            "validate on: too few. Give more samples, or X_val and y_val, or set "
            "early_stopping=False."
        )
    return training, held_out
