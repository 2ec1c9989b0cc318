"""A batch of sequences as time-major blocks, without padding.

The sequences of a batch are sorted by decreasing length, so that timestep t concerns the first B_t
of them. A span is a stretch of timesteps over which B_t stays the same. Within a span everything is
an array (n_steps, rows, batch): each timestep one contiguous block, no cell of it wasted.

Where the timesteps of the whole batch stand side by side in one matrix (rows, columns), span by
span, step by step, sequence by sequence, they are "packed columns".
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# A span's timesteps at most: there are Python objects for each, which take memory too.
MAX_STEPS = 128


class Span(NamedTuple):
    """Consecutive timesteps at which the same sequences are running."""

    start: int  # the first timestep
    n_steps: int
    batch_size: int
    column: int  # the first packed column

    @property
    def columns(self) -> slice:
        return slice(self.column, self.column + self.n_steps * self.batch_size)

    def unpack(self, matrix: np.ndarray) -> np.ndarray:
        """View this span's columns of a matrix (rows, columns) as (n_steps, rows, batch)."""
        part = matrix[:, self.columns]
        return part.reshape(-1, self.n_steps, self.batch_size).transpose(1, 0, 2)

    def positions(self, starts: np.ndarray) -> np.ndarray:
        """Where this span's columns stand in a flat array, given where each sequence starts."""
        steps = np.arange(self.start, self.start + self.n_steps)
        return (steps[:, np.newaxis] + starts[: self.batch_size]).ravel()


@dataclass(frozen=True)
class Batch:
    """Some sequences of a flat array of timesteps, sorted by decreasing length.

    values : (total_steps, n_features), the timesteps of all sequences, one after another
    starts : (batch,), the row of `values` at which each sequence of the batch starts
    lengths : (batch,), non-increasing
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    @property
    def n_columns(self) -> int:
        return int(self.lengths.sum())

    def spans(self, max_columns: int) -> Iterator[Span]:
        """Yield the batch's spans, each of at most `max_columns` columns (but one step at least).

        A generator, and derived from the lengths alone: an endless sequence costs no memory here.
        """
        time = column = 0
        ends, counts = np.unique(self.lengths, return_counts=True)
        running = len(self.lengths)
        for end, ended in zip(ends.tolist(), counts.tolist(), strict=True):
            longest = min(MAX_STEPS, max(1, max_columns // running))
            while time < end:
                n_steps = min(longest, end - time)
                yield Span(time, n_steps, running, column)
                time += n_steps
                column += n_steps * running
            running -= ended

    def columns_of(self, starts: np.ndarray) -> np.ndarray:
        """Where all packed columns stand in a flat array, given where each sequence starts."""
        return np.concatenate([span.positions(starts) for span in self.spans(sys.maxsize)])

    def inputs(self, span: Span) -> np.ndarray:
        """Gather the input of a span as (n_steps, n_features, batch), a transposed view."""
        rows = self.values.take(span.positions(self.starts), axis=0)
        return rows.reshape(span.n_steps, span.batch_size, -1).transpose(0, 2, 1)


def decreasing(lengths: np.ndarray) -> np.ndarray:
    """Return the stable order that sorts sequences by decreasing length."""
    return np.argsort(-lengths, kind="stable")
