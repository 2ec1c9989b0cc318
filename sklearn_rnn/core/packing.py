"""A batch of sequences as time-major blocks, without padding.

The sequences of a batch are sorted by decreasing length, so that timestep t concerns the first B_t
of them. A span is a stretch of timesteps over which B_t stays the same. Within a span everything is
an array (n_steps, rows, batch): each timestep one contiguous block, no cell of it wasted. A chunk
is as many spans, one after another, as are worked on at a time.

Where the timesteps of the whole batch stand side by side in one matrix (rows, columns), span by
span, step by step, sequence by sequence, they are "packed columns".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# A chunk's timesteps at most: there are Python objects for each, which take memory too.
MAX_STEPS = 128


class Span(NamedTuple):
    """Consecutive timesteps at which the same sequences are running."""

    start: int  # the first timestep
    n_steps: int
    batch_size: int
    column: int  # the first packed column

    @property
    def n_columns(self) -> int:
        return self.n_steps * self.batch_size

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_steps, self.batch_size

    def unpack(self, matrix: np.ndarray) -> np.ndarray:
        """View this span's columns of a matrix (rows, columns) as (n_steps, rows, batch)."""
        part = matrix[:, self.column : self.column + self.n_columns]
        return part.reshape(-1, *self.shape).transpose(1, 0, 2)


Chunk = tuple[Span, ...]


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

    def chunks(self, max_columns: int, max_steps: int = MAX_STEPS) -> Iterator[Chunk]:
        """Yield the batch's chunks, each of at most `max_columns` columns (but one step at least).

        A generator, and derived from the lengths alone: an endless sequence costs no memory here.
        """
        spans: list[Span] = []
        time = column = steps = columns = 0  # the last two are the chunk's
        for running, end in self._plateaus():
            while time < end:
                n_steps = min(end - time, (max_columns - columns) // running, max_steps - steps)
                if n_steps < 1:
                    if spans:
                        yield tuple(spans)
                        spans, steps, columns = [], 0, 0
                        continue
                    n_steps = 1
                spans.append(Span(time, n_steps, running, column))
                time += n_steps
                steps += n_steps
                column += n_steps * running
                columns += n_steps * running
        yield tuple(spans)

    def _plateaus(self) -> Iterator[tuple[int, int]]:
        """Yield how many sequences run, and up to which timestep: from all to the longest ones."""
        shorter = np.flatnonzero(self.lengths[1:] < self.lengths[:-1]) + 1
        for running in (len(self.lengths), *shorter[::-1].tolist()):
            yield running, int(self.lengths[running - 1])

    def positions(self, starts: np.ndarray, chunk: Chunk | None = None) -> np.ndarray:
        """Where packed columns, a chunk's or all, stand in a flat array.

        starts : where each sequence of the batch starts in that array
        """
        first, end = (chunk[0].start, chunk_end(chunk)) if chunk else (0, int(self.lengths[0]))
        steps = np.arange(first, end)[:, np.newaxis]
        if self.lengths[-1] >= end:
            return (steps + starts).ravel()
        return (steps + starts)[steps < self.lengths]

    def inputs(self, chunk: Chunk) -> list[np.ndarray]:
        """Gather the inputs of a chunk's spans, each (n_steps, n_features, batch), transposed."""
        rows = self.values.take(self.positions(self.starts, chunk), axis=0)
        ends = [span.column + span.n_columns - chunk[0].column for span in chunk]
        return [
            rows[end - span.n_columns : end].reshape(*span.shape, -1).transpose(0, 2, 1)
            for span, end in zip(chunk, ends, strict=True)
        ]


def chunk_end(chunk: Chunk) -> int:
    """The timestep after a chunk's last."""
    return chunk[-1].start + chunk[-1].n_steps


def decreasing(lengths: np.ndarray) -> np.ndarray:
    """Return the stable order that sorts sequences by decreasing length."""
    return np.argsort(-lengths, kind="stable")
