"""The training data, and what of them the network is given at a time. Knows no estimator."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.packing import Batch, FlatBatch, decreasing


class Segment(NamedTuple):
    """Some timesteps of a batch, with the targets and weights of the network's columns."""

    batch: Batch
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class TrainingData:
    """Sequences with targets and weights, in flat arrays.

    values : (any, n_inputs), timesteps; sequence i takes lengths[i] rows from starts[i] on
    targets : (any, n_outputs), or (any,) class numbers
    weights : (any,), of the targets
    target_starts : where sequence i's targets start: its only one, or its first timestep's
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    target_starts: np.ndarray
    per_step: bool

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_targets(self) -> int:
        return int(self.lengths.sum()) if self.per_step else len(self)

    @property
    def n_samples(self) -> float:
        """The number of sequences, weighted; of weights per timestep it is the mean that counts."""
        if self.per_step:
            columns = zip(self.target_starts, self.lengths, strict=True)
            return float(sum(self.weights[start : start + n].mean() for start, n in columns))
        return float(self.weights[self.target_starts].sum())

    def take(self, chosen: np.ndarray) -> "TrainingData":
        """Return some of the sequences; nothing is copied."""
        return replace(
            self,
            starts=self.starts[chosen],
            lengths=self.lengths[chosen],
            target_starts=self.target_starts[chosen],
        )

    def inputs(self, chosen: np.ndarray) -> Batch:
        """Return some of the sequences, which must be in the order of decreasing length."""
        return FlatBatch(self.values, self.starts[chosen], self.lengths[chosen])

    def batch(self, chosen: np.ndarray) -> Segment:
        """Return some of the sequences, as they are."""
        return next(self.segments(chosen, None))

    def segments(self, chosen: np.ndarray, n_steps: int | None) -> Iterator[Segment]:
        """Cut some of the sequences into segments of so many timesteps; None: into one.

        With one target per sequence, those of sequences that go on weigh nothing.
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
        """Of a batch of all these sequences, the segments that have targets."""
        if n_steps is None:
            return 1
        n_segments = -(-self.lengths // n_steps)
        return int(n_segments.max()) if self.per_step else len(np.unique(n_segments))

    def _targets_at(self, positions: np.ndarray) -> np.ndarray:
        """Targets as a loss takes them, (n_outputs, columns) or (columns,)."""
        return np.ascontiguousarray(self.targets[positions].T)

    def target_positions(self) -> np.ndarray:
        """Where the targets of these sequences stand."""
        order = decreasing(self.lengths)
        starts, batch = self.target_starts[order], self.inputs(order)
        return batch.positions(starts)[batch.is_real()] if self.per_step else starts
