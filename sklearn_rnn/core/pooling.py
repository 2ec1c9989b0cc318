"""Pooling over time: how the hidden states of a sequence become the features of its one target.

An output layer with one output per sequence reads, for each unit of the top layer and with T for
the length of the sequence,

last  h_T
mean  (h_1 + … + h_T) / T
max   max(h_1, …, h_T)

or several of these, one below the other. Timesteps at which a sequence runs on don't count. In a
bidirectional layer the order of time is that of each direction, so "last" is the state at the end
of the direction. The mean and the maximum don't depend on the order.

A pool reads span after span and keeps a summary of constant size, so nobody stores h for pooling.
The summary goes on from segment to segment of a batch, and so do the pool's values. Gradients stay
within a segment, like those of the layers.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from sklearn_rnn.core.layer import Flow
from sklearn_rnn.core.packing import Chunk, Packing, Span

# As an array: to make one of a number takes longer than to add it.
ONE = np.array(1)


class Pool(ABC):
    """A summary of the h that it has read: one value for each unit and each sequence."""

    @classmethod
    @abstractmethod
    def start(cls, width: int, n_sequences: int, dtype) -> "Pool":
        """Return a pool that has read nothing."""

    @abstractmethod
    def go_on(self, packing: Packing) -> "Pool":
        """Return a copy for a batch whose sequences are the first ones of this pool's."""

    @abstractmethod
    def read(self, packing: Packing, span: Span, h: np.ndarray) -> None:
        """Take in h of the batch's next span, (n_steps, width, batch)."""

    @abstractmethod
    def step(self, h: np.ndarray, after: "Pool") -> None:
        """Write into `after` what this pool is after one more timestep, h (width, n_sequences)."""

    @property
    @abstractmethod
    def values(self) -> np.ndarray:
        """The values of what has been read, (width, n_sequences)."""

    @property
    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """What the values after later timesteps depend on, each (..., n_sequences), by name."""

    def take(self, chosen: np.ndarray) -> "Pool":
        """Return a copy for some of the sequences."""
        return type(self)(*(array[..., chosen] for array in vars(self).values()))

    @abstractmethod
    def gradient(
        self, packing: Packing, span: Span, d_values: np.ndarray
    ) -> Sequence[np.ndarray | None]:
        """Return the gradient on h for each timestep of a span, once the whole batch has been read.

        d_values : (width, n_sequences), the gradient on the values
        returns : (width, batch) for each timestep, or None for zeros
        """


@dataclass(eq=False)
class Last(Pool):
    """h_T.

    h : (width, n_sequences), h_T; with `bptt_steps`, that at the end of the present segment
    """

    h: np.ndarray

    @classmethod
    def start(cls, width, n_sequences, dtype):
        return cls(np.empty((width, n_sequences), dtype))

    def go_on(self, packing):
        return Last(np.empty_like(self.h[:, : len(packing.lengths)]))

    def read(self, packing, span, h):
        for step, first, last in span.ends:
            self.h[:, first:last] = h[step, :, first:last]  # h_T

    def step(self, h, after):
        after.h[...] = h  # h_T

    @property
    def values(self):
        return self.h

    @property
    def arrays(self):
        return {}

    def gradient(self, packing, span, d_values):
        d_h: list[np.ndarray | None] = [None] * span.n_steps
        for step, first, last in span.ends:
            d_h[step] = np.zeros((len(d_values), span.batch_size), d_values.dtype)
            d_h[step][:, first:last] = d_values[:, first:last]  # h_T
        return d_h


@dataclass(eq=False)
class Mean(Pool):
    """Σ_t h_t / T.

    total : (width, n_sequences), in float64, since it grows with the length
    n_steps : (n_sequences,), T; with `bptt_steps`, up to the end of the present segment
    """

    total: np.ndarray
    n_steps: np.ndarray

    @classmethod
    def start(cls, width, n_sequences, dtype):
        return cls(np.zeros((width, n_sequences)), np.zeros(n_sequences, int))

    def go_on(self, packing):
        n_sequences = len(packing.lengths)
        n_steps = self.n_steps[:n_sequences] + packing.lengths
        return Mean(self.total[:, :n_sequences].copy(), n_steps)

    def read(self, packing, span, h):
        self.total[:, : span.batch_size] += h.sum(axis=0, where=packing.within(span))  # Σ_t h_t

    def step(self, h, after):
        np.add(self.total, h, out=after.total)  # Σ_t h_t
        np.add(self.n_steps, ONE, out=after.n_steps)

    @property
    def values(self):
        return self.total / self.n_steps  # Σ_t h_t / T

    @property
    def arrays(self):
        return {"total": self.total, "n_steps": self.n_steps}

    def gradient(self, packing, span, d_values):
        running = slice(span.batch_size)
        n_steps = self.n_steps[running].astype(d_values.dtype)
        d_each = d_values[:, running] / n_steps  # Σ_t h_t / T
        within = packing.within(span)
        return [d_each] * span.n_steps if within is True else within * d_each


@dataclass(eq=False)
class Max(Pool):
    """max_t h_t. If several timesteps have the maximum, the first one gets the gradient.

    highest : (width, n_sequences), max_t h_t
    first : (width, n_sequences), the first timestep of the batch that has it; -1 if an earlier
        segment has it
    """

    highest: np.ndarray
    first: np.ndarray

    @classmethod
    def start(cls, width, n_sequences, dtype):
        shape = width, n_sequences
        return cls(np.full(shape, -np.inf, dtype), np.full(shape, -1))

    def go_on(self, packing):
        highest = self.highest[:, : len(packing.lengths)].copy()
        return Max(highest, np.full(highest.shape, -1))

    def read(self, packing, span, h):
        running = slice(span.batch_size)
        highest, first = self.highest[:, running], self.first[:, running]
        top = h.max(axis=0, initial=-np.inf, where=packing.within(span))
        # h.argmax(axis=0) would take ten times as long.
        steps_left = np.arange(span.n_steps, 0, -1, dtype=np.int16)[:, np.newaxis, np.newaxis]
        step = span.n_steps - np.multiply(h == top, steps_left).max(axis=0)
        np.copyto(first, span.start + step, where=top > highest)
        np.maximum(highest, top, out=highest)  # max_t h_t

    def step(self, h, after):
        np.maximum(self.highest, h, out=after.highest)  # max_t h_t

    @property
    def values(self):
        return self.highest

    @property
    def arrays(self):
        return {"highest": self.highest}

    def gradient(self, packing, span, d_values):
        running = slice(span.batch_size)
        steps = span.steps[:, np.newaxis]
        return (steps == self.first[:, running]) * d_values[:, running]  # max_t h_t


POOLS: dict[str, type[Pool]] = {"last": Last, "mean": Mean, "max": Max}


class Pooling:
    """Pools over one batch, whose values one below the other are the features.

    pools : what they have read of the batch's earlier segments; they don't change
    """

    def __init__(self, packing: Packing, pools: Sequence[Pool]):
        self.packing = packing
        self.pools = [pool.go_on(packing) for pool in pools]

    def forward(self, flow: Flow) -> np.ndarray:
        """Read h of all chunks; return the features, (n_features, n_sequences)."""
        for chunk, arrays in flow:
            for span, h in zip(chunk, arrays, strict=True):
                for pool in self.pools:
                    pool.read(self.packing, span, h)
        values = [pool.values for pool in self.pools]
        return values[0] if len(values) == 1 else np.concatenate(values)

    def backward(self, chunks: Sequence[Chunk], d_features: np.ndarray) -> Flow:
        """Yield the chunks, last one first, with the gradient on h."""
        for chunk in reversed(chunks):
            yield chunk, [self._gradient(span, d_features) for span in chunk]

    def _gradient(self, span: Span, d_features: np.ndarray) -> Sequence[np.ndarray | None]:
        pairs = zip(self.pools, self._by_pool(d_features), strict=True)
        parts = [pool.gradient(self.packing, span, d_values) for pool, d_values in pairs]
        return parts[0] if len(parts) == 1 else summed(parts)

    def _by_pool(self, features: np.ndarray) -> np.ndarray:
        """View features as (n_pools, width, n_sequences)."""
        return features.reshape(len(self.pools), -1, features.shape[1])


def summed(parts: Sequence[Sequence[np.ndarray | None]]) -> list[np.ndarray]:
    """Add gradients timestep by timestep; None stands for zeros, but not in all parts."""
    return [
        reduce(np.add, [part for part in of_step if part is not None])
        for of_step in zip(*parts, strict=True)
    ]
