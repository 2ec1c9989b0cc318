"""Validation data: those that were given, or a part of the training data that is held out."""

import math

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from sklearn_rnn._input.errors import about_validation_data
from sklearn_rnn._input.targets import Examples
from sklearn_rnn._training.data import TrainingData

# early_stopping="auto" holds samples out if there are at least this many. (scikit-learn's checks
# of sample weights have fewer. Held-out samples can't be both one of weight 2 and two.)
MIN_TO_HOLD_OUT = 40

# How many random orders of the groups are tried to hold out some of them.
N_ORDERS = 100


def given_validation(validation: Examples, per_step: bool, dtype) -> TrainingData:
    """Convert the validation data that `fit` was given, or raise if they are too few."""
    with about_validation_data():
        data = TrainingData.of(validation, per_step, dtype)
    if data.n_targets < 2:
        raise ValueError(
            f"X_val has {data.n_targets} targets of positive weight: too few to validate on."
        )
    return data


def hold_out(
    data: TrainingData, fraction: float, seed: int | None, labels: np.ndarray | None
) -> tuple[TrainingData, TrainingData]:
    """Split into training data and validation data; no group is in both.

    seed : of the random choice; None holds out the last samples, which suits samples in the order
        of time
    labels : (n_samples,), by which to stratify the random choice, if every label can be in both
        parts; None for no stratification
    """
    split = split_samples if data.groups is None else split_groups
    training, held_out = (data.take(part) for part in split(data, fraction, seed, labels))
    if len(training) < 1 or held_out.n_targets < 2:
        raise ValueError(
            f"early_stopping=True with validation_fraction={fraction} leaves {len(training)} "
            f"samples to train on and {len(held_out)} with {held_out.n_targets} targets to "
            "validate on: too few. Give more samples, or X_val and y_val, or set "
            "early_stopping=False."
        )
    return training, held_out


def split_samples(
    data: TrainingData, fraction: float, seed: int | None, labels: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on, and those to hold out; see `hold_out`."""
    n_held_out = math.ceil(fraction * len(data))
    n_left = len(data) - n_held_out
    if seed is None or n_left < 1:
        return np.arange(n_left), np.arange(n_left, len(data))
    can_stratify = labels is not None and may_stratify(labels, n_held_out)
    splitter = StratifiedShuffleSplit if can_stratify else ShuffleSplit
    split = splitter(1, test_size=n_held_out, random_state=seed).split(np.zeros(len(data)), labels)
    return next(split)


def split_groups(
    data: TrainingData, fraction: float, seed: int | None, labels: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the groups to train on, and of those to hold out; see `hold_out`.

    The groups are put in an order, and the first of them are held out: as many as come nearest to
    `fraction` of the samples of every label. Of many random orders the best one is taken.
    """
    _, last, groups = np.unique(data.groups[::-1], return_index=True, return_inverse=True)
    groups = groups[::-1]
    if len(last) < 2:
        raise ValueError(
            f"groups has {len(last)} group (of samples with positive weight). early_stopping=True "
            "holds out whole groups, so it needs at least 2: give X_val and y_val, or set "
            "early_stopping=False."
        )
    if seed is None:
        orders, labels = [np.argsort(last)], None  # those that end last come first
    else:
        rng = np.random.default_rng(seed)
        orders = (rng.permutation(len(last)) for _ in range(N_ORDERS))
    numbers = np.zeros_like(groups) if labels is None else np.unique(labels, return_inverse=True)[1]
    counts = np.zeros((len(last), numbers.max() + 1))
    np.add.at(counts, (groups, numbers), 1)
    shares = counts / counts.sum(axis=0)

    def errors(order: np.ndarray) -> np.ndarray:
        """The squared distances from `fraction` if the first 1, 2, ... groups are held out."""
        return ((shares[order[:-1]].cumsum(axis=0) - fraction) ** 2).sum(axis=1)

    best = min(orders, key=lambda order: errors(order).min())
    is_held_out = np.isin(groups, best[: errors(best).argmin() + 1])
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)


def may_stratify(labels: np.ndarray, n_held_out: int) -> bool:
    """Whether each label can be in both parts."""
    counts = np.unique_counts(labels).counts
    return counts.min() >= 2 and len(counts) <= min(n_held_out, len(labels) - n_held_out)
