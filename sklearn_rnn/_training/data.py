"""The training data: sequences, targets and weights, and the segments that they are cut into."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sklearn_rnn._input.targets import Examples, target_rows
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
