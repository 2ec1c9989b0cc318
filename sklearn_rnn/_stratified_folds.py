"""The folds of scikit-learn's StratifiedGroupKFold, found in a fraction of its time."""

import math
import warnings

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

# Two spreads are the same if they are as close as `np.isclose` wants them.
ABSOLUTE, RELATIVE = 1e-8, 1e-5


def count_labels(labels: np.ndarray, groups: np.ndarray, n_folds: int) -> np.ndarray:
    """Return how often each label is in each group, (n_groups, n_labels).

    labels, groups : (n_samples,) each; the groups are numbers from 0 on
    """
    kind = type_of_target(labels)
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"y must have one label per timestep to stratify by, but is of type {kind!r}. For "
            "numbers use KFold."
        )
    found, numbers, totals = np.unique(
        column_or_1d(labels), return_inverse=True, return_counts=True
    )
    if (totals < n_folds).all():
        raise ValueError(f"n_splits={n_folds} is more than the timesteps of every label in y.")
    if totals.min() < n_folds:
        warnings.warn(
            f"y has the label {found[totals.argmin()]} at only {totals.min()} timesteps, which "
            f"is less than n_splits={n_folds}: not every fold can have it.",
            stacklevel=3,
        )
    counts = np.zeros((groups.max() + 1, len(found)))
    np.add.at(counts, (groups, numbers), 1)
    return counts


def stratified_folds(counts: np.ndarray, n_folds: int, order: np.ndarray) -> np.ndarray:
    """Return the fold of each group, (n_groups,).

    One group after another goes to the fold where it leaves the labels spread most evenly over the
    folds. Groups that have much more of one label than of others come first. Operations are those
    of scikit-learn 1.9 in the same order, because ties are decided by the last bit.

    counts : (n_groups, n_labels), how often each label is in each group
    order : (n_groups,), the order of groups whose counts are equally uneven
    """
    order = order[np.argsort(-np.std(counts[order], axis=1), kind="stable")]
    totals, n_labels = counts.sum(axis=0), counts.shape[1]
    in_folds, sizes = np.zeros((n_folds, n_labels)), [0.0] * n_folds
    own = np.arange(n_folds)
    fold_of = np.empty(len(counts), dtype=int)
    for group in order:
        tried = np.repeat(in_folds[np.newaxis], n_folds, axis=0)  # one trial for each fold
        tried[own, own] += counts[group]
        tried /= totals
        tried -= np.add.reduce(tried, axis=1, keepdims=True) / n_folds
        tried *= tried
        spreads = np.sqrt(np.add.reduce(tried, axis=1) / n_folds)  # std over the folds, by label
        best = _best(np.add.reduce(spreads, axis=1) / n_labels, sizes)
        in_folds[best] += counts[group]
        sizes[best] += counts[group].sum()
        fold_of[group] = best
    return fold_of


def _best(spreads: np.ndarray, sizes: list[float]) -> int:
    """Return the fold with the least spread; of those with the same, one of the smallest."""
    best, least = 0, math.inf
    for fold, spread in enumerate(spreads.tolist()):
        is_same = abs(spread - least) <= ABSOLUTE + RELATIVE * least
        if spread < least or (is_same and sizes[fold] < sizes[best]):
            best, least = fold, spread
    return best
