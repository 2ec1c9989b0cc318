"""The training data: sequences, targets and weights, and the segments that they are cut into."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sklearn_rnn._input.content import MAX_COPIED
from sklearn_rnn._input.storage import Storage
from sklearn_rnn._input.targets import Examples, TargetRows, target_rows
from sklearn_rnn.core.packing import Batch, FlatBatch, decreasing
from sklearn_rnn.core.scaling import Scaling


class Segment(NamedTuple):
    """Some timesteps of a batch, with the targets and weights of the network's columns.

    A segment is what one update learns from: whole sequences, or `bptt_steps` timesteps of them.
    """

    batch: Batch
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class TrainingData:
    """Sequences with targets and weights; these are in flat arrays.

    storage : where the timesteps of all sequences that `fit` was given are
    dtype : the precision of the network, in which batches gather timesteps
    samples : (n,), the place of each sequence in `storage`, and so in X
    lengths : (n,)
    targets : (any, n_outputs), or (any,) class numbers
    weights : (any,), of the targets
    target_starts : (n,), the row of each sequence's first target, or of its only one
    target_counts : (n,), the number of targets of each sequence
    heaviest, mean_weights : (n,), the largest and the mean weight of each sequence's targets
    groups : (n,), the number of each sequence's group; None without groups
    per_step : whether every timestep has a target, and not only every sequence
    """

    storage: Storage
    dtype: np.dtype
    samples: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    target_starts: np.ndarray
    target_counts: np.ndarray
    heaviest: np.ndarray
    mean_weights: np.ndarray
    groups: np.ndarray | None
    per_step: bool

    @classmethod
    def of(cls, examples: Examples, per_step: bool, dtype) -> "TrainingData":
        """Take over examples; samples of weight zero are left out, as if they weren't there.

        The targets keep their precision and their units; `in_units` changes both.
        """
        X, targets, weights = examples.X, examples.targets.values, examples.weights
        X.check_fits(dtype)
        timesteps = X.storage_for_epochs, np.dtype(dtype), np.arange(len(X)), X.lengths
        rows = target_rows(X, per_step)
        heaviest = np.maximum.reduceat(weights, rows.starts)
        means = means_of(weights, rows) if per_step else weights
        data = cls(*timesteps, targets, weights, *rows, heaviest, means, examples.groups, per_step)
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
            return float(np.cumsum(self.mean_weights)[-1])
        return float(self.mean_weights.sum())

    def take(self, chosen: np.ndarray) -> "TrainingData":
        """Return some of the sequences. No timesteps, targets or weights are copied."""
        return replace(
            self,
            samples=self.samples[chosen],
            lengths=self.lengths[chosen],
            target_starts=self.target_starts[chosen],
            target_counts=self.target_counts[chosen],
            heaviest=self.heaviest[chosen],
            mean_weights=self.mean_weights[chosen],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def in_units(self, scaling: Scaling | None, dtype) -> "TrainingData":
        """Return the data with targets as the network learns them, in its precision.

        scaling : takes the units from the targets; None leaves them as they are
        """
        targets = self.targets
        if targets.ndim == 1:  # class numbers
            return self
        limit = np.finfo(dtype).max
        if any(np.abs(targets[rows]).max() > limit for rows in self.target_blocks()):
            raise ValueError(f"y has values too large for {dtype.name}, the precision of X.")
        with np.errstate(over="ignore"):  # where the weight is zero, any target will do
            if scaling is None:
                return replace(self, targets=targets.astype(dtype, copy=False))
            without = np.empty(targets.shape, dtype)
            for block in blocks_of_rows(targets.shape):
                without[block] = scaling.apply(targets[block])
        return replace(self, targets=without)

    def in_double(self) -> "TrainingData":
        """Return the data in float64; class numbers stay integers."""
        targets = self.targets
        if targets.dtype.kind == "f":
            targets = targets.astype(np.float64, copy=False)
        return replace(self, dtype=np.dtype(np.float64), targets=targets)

    def inputs(self, chosen: np.ndarray) -> Batch:
        """Return some of the sequences; their lengths must be in decreasing order."""
        return self.storage.batch(self.samples[chosen], self.dtype)

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
            yield Segment(batch, self.targets_at(positions), weights)

    def n_updates(self, n_steps: int | None) -> int:
        """The number of segments with targets, if all these sequences were one batch."""
        if n_steps is None:
            return 1
        n_segments = -(-self.lengths // n_steps)
        return int(n_segments.max()) if self.per_step else len(np.unique(n_segments))

    def targets_at(self, positions: np.ndarray) -> np.ndarray:
        """Targets as a loss takes them, (n_outputs, columns) or (columns,)."""
        return np.ascontiguousarray(self.targets[positions].T)

    def weighted_targets(self, n_outputs: int) -> tuple[np.ndarray, np.ndarray]:
        """Return all targets, (n, n_outputs), and their weights; of classes one row each."""
        rows = self.target_positions()
        targets, weights = self.targets[rows], self.weights[rows]
        if targets.ndim == 1:
            return np.eye(n_outputs), np.bincount(targets, weights, n_outputs)
        return targets, weights

    def target_positions(self) -> np.ndarray:
        """The rows of these sequences' targets, in the order of a batch's columns."""
        return np.concatenate(list(self.target_blocks()))

    def target_blocks(self, n_outputs: int = 1) -> Iterator[np.ndarray]:
        """Yield the rows of `target_positions` block by block.

        n_outputs : the values that are computed for each target, for blocks of about MAX_COPIED
        """
        order = decreasing(self.lengths)
        starts, size = self.target_starts[order], max(1, MAX_COPIED // n_outputs)
        if not self.per_step:
            yield from (starts[first : first + size] for first in range(0, len(starts), size))
            return
        batch = FlatBatch(self.targets, starts, self.lengths[order])
        for chunk in batch.chunks(size, int(batch.lengths[0])):
            rows = batch.positions(starts, chunk)[batch.is_real(chunk)]
            yield from (rows[first : first + size] for first in range(0, len(rows), size))


def means_of(weights: np.ndarray, rows: TargetRows) -> np.ndarray:
    """Return the mean weight of each sequence's targets, to the bit what np.mean returns."""
    # reduceat adds the sum of all but the first number to the first; so the first is made zero.
    after_zeros = np.insert(weights, rows.starts, 0.0)
    return np.add.reduceat(after_zeros, rows.starts + np.arange(len(rows.starts))) / rows.counts


def blocks_of_rows(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut the rows of an array into blocks of at most MAX_COPIED values, or of one row."""
    size = max(1, MAX_COPIED // math.prod(shape[1:]))
    return (slice(first, first + size) for first in range(0, shape[0], size))
