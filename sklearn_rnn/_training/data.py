"""The training data: sequences, targets and weights, and the segments that they are cut into."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_rnn._input.targets import Examples, target_rows
from sklearn_rnn.core.packing import Batch, FlatBatch, decreasing
from sklearn_rnn.core.scaling import Scaling

# How many random orders of the groups are tried to hold out some of them.
N_ORDERS = 100


class Segment(NamedTuple):
    """Some timesteps of a batch, with the targets and weights of the network's columns.

    A segment is what one update learns from: whole sequences, or `bptt_steps` timesteps of them.
    """

    batch: Batch
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class TrainingData:
    """Sequences with targets and weights, in flat arrays.

    values : (any, n_inputs), timesteps; sequence i takes lengths[i] rows from starts[i] on
    targets : (any, n_outputs), or (any,) class numbers
    weights : (any,), of the targets
    target_starts : (n,), the row of each sequence's first target, or of its only one
    target_counts : (n,), the number of targets of each sequence
    heaviest : (n,), the largest weight of each sequence's targets
    samples : (n,), the place of each sequence in the X that `fit` was given
    groups : (n,), the number of each sequence's group; None without groups
    per_step : whether every timestep has a target, and not only every sequence
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    target_starts: np.ndarray
    target_counts: np.ndarray
    heaviest: np.ndarray
    samples: np.ndarray
    groups: np.ndarray | None
    per_step: bool

    @classmethod
    def of(cls, examples: Examples, per_step: bool, dtype) -> "TrainingData":
        """Convert examples once; samples of weight zero are left out, as if they weren't there.

        The targets keep their precision and their units; `in_units` changes both.
        """
        X, targets, weights = examples.X, examples.targets.values, examples.weights
        X.check_fits(dtype)
        values, starts = X.flat(dtype)
        rows = target_rows(X, per_step)
        heaviest = np.maximum.reduceat(weights, rows.starts)
        of_sequences = (*rows, heaviest, np.arange(len(X)), examples.groups)
        data = cls(values, starts, X.lengths, targets, weights, *of_sequences, per_step)
        return data.take(np.flatnonzero(heaviest > 0))

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_targets(self) -> int:
        return int(self.target_counts.sum())

    @property
    def weighted_size(self) -> float:
        """The number of sequences, each counted by the mean weight of its targets."""
        if self.per_step:
            rows = zip(self.target_starts, self.target_counts, strict=True)
            return float(sum(self.weights[start : start + n].mean() for start, n in rows))
        return float(self.weights[self.target_starts].sum())

    def take(self, chosen: np.ndarray) -> "TrainingData":
        """Return some of the sequences. No values, targets or weights are copied."""
        return replace(
            self,
            starts=self.starts[chosen],
            lengths=self.lengths[chosen],
            target_starts=self.target_starts[chosen],
            target_counts=self.target_counts[chosen],
            heaviest=self.heaviest[chosen],
            samples=self.samples[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def in_units(self, scaling: Scaling | None, dtype) -> "TrainingData":
        """Return the data with targets as the network learns them, in its precision.

        scaling : takes the units from the targets; None leaves them as they are
        """
        targets = self.targets
        if targets.ndim == 1:  # class numbers
            return self
        if np.abs(targets[self.target_positions()]).max() > np.finfo(dtype).max:
            raise ValueError(f"y has values too large for {dtype.name}, the precision of X.")
        if scaling is not None:
            targets = scaling.apply(targets)
        with np.errstate(over="ignore"):  # where the weight is zero, any target will do
            targets = targets.astype(dtype, copy=False)
        return replace(self, targets=targets)

    def in_double(self) -> "TrainingData":
        """Return the data in float64; class numbers stay integers."""
        targets = self.targets
        if targets.dtype.kind == "f":
            targets = targets.astype(np.float64, copy=False)
        return replace(self, values=self.values.astype(np.float64, copy=False), targets=targets)

    def inputs(self, chosen: np.ndarray) -> Batch:
        """Return some of the sequences; their lengths must be in decreasing order."""
        return FlatBatch(self.values, self.starts[chosen], self.lengths[chosen])

    def one_segment(self, chosen: np.ndarray) -> Segment:
        """Return some of the sequences, whole."""
        return next(self.segments(chosen, None))

    def segments(self, chosen: np.ndarray, n_steps: int | None) -> Iterator[Segment]:
        """Cut some of the sequences into segments of `n_steps` timesteps, or into one (None).

        With one target per sequence, its weight is zero in all segments but the one in which the
        sequence ends.
        """
        chosen = chosen[decreasing(self.lengths[chosen])]
        whole, target_starts = self.inputs(chosen), self.target_starts[chosen]
        longest = int(whole.lengths[0])
        n_steps = longest if n_steps is None else n_steps
        for first in range(0, longest, n_steps):
            batch = whole.timesteps(first, first + n_steps)
            running = len(batch.lengths)
            if self.per_step:
                positions = batch.positions(target_starts[:running] + first)
                weights = self.weights[positions] * batch.is_real()
            else:
                positions = target_starts[:running]
                weights = self.weights[positions]
                if first + n_steps < longest:
                    weights *= whole.lengths[:running] <= first + n_steps
            yield Segment(batch, self._targets_at(positions), weights)

    def n_updates(self, n_steps: int | None) -> int:
        """The number of segments with targets, if all these sequences were one batch."""
        if n_steps is None:
            return 1
        n_segments = -(-self.lengths // n_steps)
        return int(n_segments.max()) if self.per_step else len(np.unique(n_segments))

    def _targets_at(self, positions: np.ndarray) -> np.ndarray:
        """Targets as a loss takes them, (n_outputs, columns) or (columns,)."""
        return np.ascontiguousarray(self.targets[positions].T)

    def targets_and_weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all targets as a loss takes them, and their weights."""
        positions = self.target_positions()
        return self._targets_at(positions), self.weights[positions]

    def weighted_targets(self, n_outputs: int) -> tuple[np.ndarray, np.ndarray]:
        """Return all targets, (n, n_outputs), and their weights; of classes one row each."""
        rows = self.target_positions()
        targets, weights = self.targets[rows], self.weights[rows]
        if targets.ndim == 1:
            return np.eye(n_outputs), np.bincount(targets, weights, n_outputs)
        return targets, weights

    def target_positions(self) -> np.ndarray:
        """The rows of these sequences' targets, in the order of a batch's columns."""
        order = decreasing(self.lengths)
        starts, batch = self.target_starts[order], self.inputs(order)
        return batch.positions(starts)[batch.is_real()] if self.per_step else starts


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
    return train_test_split(
        np.arange(len(data)),
        test_size=n_held_out,
        random_state=seed,
        stratify=labels if can_stratify else None,
    )


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
        orders = [rng.permutation(len(last)) for _ in range(N_ORDERS)]
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
