"""Where the timesteps of sequences lie, and how batches of them are made."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_rnn._input.content import MAX_COPIED
from sklearn_rnn.core.packing import Batch, FlatBatch, ScatteredBatch, ranges


@dataclass(eq=False, slots=True)
class OneArray:
    """Sequences that lie in one array of timesteps.

    values : (any, n_features), in C order; rows are taken without a copy of the rest
    starts : (n,), the row of each sequence's first timestep
    lengths : (n,)
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    @property
    def n_features(self) -> int:
        return self.values.shape[1]

    def batch(self, chosen: np.ndarray, dtype=None) -> Batch:
        """Return a batch of the chosen sequences, which must be in order of decreasing length.

        dtype : see `Batch`
        """
        return FlatBatch(self.values, self.starts[chosen], self.lengths[chosen], dtype)

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """Copy the timesteps of the chosen sequences, (total, n_features), in their order."""
        return self.values.take(ranges(self.starts[chosen], self.lengths[chosen]), axis=0)


@dataclass(eq=False, slots=True)
class ManyArrays:
    """Sequences that are arrays of their own, or parts of an array that isn't in C order.

    A batch copies its sequences side by side: at most MAX_COPIED values at a time.

    arrays : (n_timesteps_i, n_features), each at least as long as its sequence
    lengths : (n,)
    """

    arrays: Sequence[np.ndarray]
    lengths: np.ndarray

    @property
    def n_features(self) -> int:
        return self.arrays[0].shape[1]

    def batch(self, chosen: np.ndarray, dtype=None) -> Batch:
        """Return a batch of the chosen sequences; see `OneArray.batch`."""
        arrays, lengths = self._chosen(chosen), self.lengths[chosen]
        if lengths.sum() * self.n_features > MAX_COPIED:
            return ScatteredBatch(arrays, dtype)
        starts = np.cumsum(lengths) - lengths
        return FlatBatch(np.concatenate(arrays), starts, lengths, dtype)

    def rows(self, chosen: np.ndarray) -> np.ndarray:
        """Copy the timesteps of the chosen sequences, (total, n_features), in their order."""
        return np.concatenate(self._chosen(chosen))

    def _chosen(self, chosen: np.ndarray) -> list[np.ndarray]:
        lengths = self.lengths[chosen].tolist()
        arrays = [self.arrays[i] for i in chosen.tolist()]
        if isinstance(self.arrays, np.ndarray):
            return [array[:length] for array, length in zip(arrays, lengths, strict=True)]
        return arrays


Storage = OneArray | ManyArrays
