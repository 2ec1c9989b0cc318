"""A batch of sequences as time-major blocks, with next to no padding.

The sequences of a batch are sorted by decreasing length, so that timestep t concerns the first B_t
of them. A span is a stretch of timesteps over which B_t stays the same. Within a span everything is
an array (n_steps, rows, batch): each timestep one contiguous block, no cell of it wasted. A chunk
is as many spans, one after another, as are worked on at a time.

Very short spans cost more than they save. So the sequences that end in a span run on to its end,
on their last inputs, if that is no more than `RUN_ON` timesteps of all of them together. Nothing
that they yield after their ends is used, and no gradient comes from there.

Where the timesteps of the whole batch stand side by side in one matrix (rows, columns), span by
span, step by step, sequence by sequence, they are "packed columns"; those of sequences that run on
are among them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

# How many timesteps the sequences of a span may run on, all together.
RUN_ON = 32

# A chunk's timesteps at most: there are Python objects for each, which take memory too.
MAX_STEPS = 128


class Span(NamedTuple):
    """Consecutive timesteps at which the same sequences are running."""

    start: int  # the first timestep
    n_steps: int
    batch_size: int
    column: int  # the first packed column
    ends: tuple[tuple[int, int, int], ...]  # (step, first, last): sequences first to last - 1 end

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


class Plateau(NamedTuple):
    """Timesteps at which the same sequences are running, up to `end`."""

    end: int
    running: int
    last_steps: list[tuple[int, int, int]]  # (timestep, first, last), as in `Span.ends`


@dataclass(frozen=True)
class Batch:
    """Some sequences of a flat array of timesteps, sorted by decreasing length.

    values : (total_steps, n_features), the timesteps of all sequences, one after another
    starts : (batch,), the row of `values` at which each sequence of the batch starts
    lengths : (batch,), non-increasing
    """

    values: np.ndarray | Sequence[np.ndarray]
    starts: np.ndarray
    lengths: np.ndarray

    @cached_property
    def plateaus(self) -> list[Plateau]:
        """How many sequences run up to which timestep, from all to the longest ones."""
        bounds = np.flatnonzero(self.lengths[1:] < self.lengths[:-1]) + 1
        bounds = [0, *bounds.tolist(), len(self.lengths)]
        plateaus, ending, ran_on, end = [], [], 0, 0
        for first, last in reversed(list(pairwise(bounds))):
            length = int(self.lengths[first])
            ran_on += sum(b - a for _, a, b in ending) * (length - end)
            if ran_on > RUN_ON:
                plateaus.append(Plateau(end, ending[0][2], ending))
                ending, ran_on = [], 0
            ending.append((length - 1, first, last))
            end = length
        return [*plateaus, Plateau(end, ending[0][2], ending)]

    @cached_property
    def ends(self) -> np.ndarray:
        """Up to which timestep each sequence runs, or runs on."""
        ends = np.empty_like(self.lengths)
        for plateau in self.plateaus:
            ends[: plateau.running] = plateau.end  # those that run longer get theirs after this
        return ends

    @property
    def n_columns(self) -> int:
        return int(self.ends.sum())

    def segment(self, first: int, end: int) -> "Batch":
        """Return timesteps first to end - 1 of the sequences that have any: the batch's first ones.

        Nothing is copied.
        """
        if first == 0 and end >= self.lengths[0]:
            return self
        running = int(np.count_nonzero(self.lengths > first))
        lengths = np.minimum(self.lengths[:running], end) - first
        return Batch(self.values, self.starts[:running] + first, lengths)

    def chunks(self, max_columns: int, max_steps: int = MAX_STEPS) -> Iterator[Chunk]:
        """Yield the batch's chunks, each of at most `max_columns` columns (but one step at least).

        A generator, and derived from the lengths alone: an endless sequence costs no memory here.
        """
        spans: list[Span] = []
        time = column = steps = columns = 0  # the last two are the chunk's
        for end, running, last_steps in self.plateaus:
            while time < end:
                n_steps = min(end - time, (max_columns - columns) // running, max_steps - steps)
                if n_steps < 1:
                    if spans:
                        yield tuple(spans)
                        spans, steps, columns = [], 0, 0
                        continue
                    n_steps = 1
                ends = tuple((t - time, *who) for t, *who in last_steps if 0 <= t - time < n_steps)
                spans.append(Span(time, n_steps, running, column, ends))
                time += n_steps
                steps += n_steps
                column += n_steps * running
                columns += n_steps * running
        yield tuple(spans)

    def positions(self, starts: np.ndarray, chunk: Chunk | None = None) -> np.ndarray:
        """Where packed columns, a chunk's or all, stand in a flat array.

        starts : where each sequence of the batch starts in that array
        """
        steps = self._steps(chunk)
        if self.lengths[-1] > steps[-1, 0]:
            return (steps + starts).ravel()
        return (np.minimum(steps, self.lengths - 1) + starts)[steps < self.ends]

    def is_real(self, chunk: Chunk | None = None) -> np.ndarray:
        """Which packed columns, a chunk's or all, are not those of sequences that run on."""
        steps = self._steps(chunk)
        return (steps < self.lengths)[steps < self.ends]

    @cached_property
    def mirror(self) -> np.ndarray:
        """The packed columns in the order that reverses each sequence within its own length.

        Those of sequences that run on stay where they are: doing it twice undoes it.
        """
        steps = self._steps(None)
        running = steps < self.ends
        first_columns = np.cumsum(running.sum(axis=1)) - running.sum(axis=1)
        mirrored = np.where(steps < self.lengths, self.lengths - 1 - steps, steps)
        return (first_columns[mirrored] + np.arange(len(self.lengths)))[running]

    def _steps(self, chunk: Chunk | None) -> np.ndarray:
        first, end = 0, int(self.lengths[0])
        if chunk is not None:
            first, end = chunk[0].start, chunk[-1].start + chunk[-1].n_steps
        return np.arange(first, end)[:, np.newaxis]

    def inputs(self, chunk: Chunk) -> list[np.ndarray]:
        """Gather the inputs of a chunk's spans, each (n_steps, n_features, batch), transposed."""
        rows = self._rows(chunk)
        ends = [span.column + span.n_columns - chunk[0].column for span in chunk]
        return [
            rows[end - span.n_columns : end].reshape(*span.shape, -1).transpose(0, 2, 1)
            for span, end in zip(chunk, ends, strict=True)
        ]

    def _rows(self, chunk: Chunk) -> np.ndarray:
        """The inputs of a chunk's columns, (columns, n_features)."""
        return self.values.take(self.positions(self.starts, chunk), axis=0)


class ScatteredBatch(Batch):
    """Sequences that don't lie in one array of timesteps; only a chunk of them is put together.

    values : (n_timesteps_i, n_features) arrays, one for each sequence of the batch
    """

    def __init__(self, values: Sequence[np.ndarray]):
        lengths = np.array([len(array) for array in values])
        super().__init__(values, np.zeros_like(lengths), lengths)

    def _rows(self, chunk: Chunk) -> np.ndarray:
        first, end = chunk[0].start, chunk[-1].start + chunk[-1].n_steps
        firsts = np.minimum(first, self.lengths - 1)  # of those that run on, the last timestep
        running = zip(self.values[: chunk[0].batch_size], firsts.tolist(), strict=False)
        parts = [array[k:end] for array, k in running]
        starts = -firsts
        starts[1 : len(parts)] += np.cumsum([len(part) for part in parts[:-1]], dtype=int)
        return np.concatenate(parts).take(self.positions(starts, chunk), axis=0)


def decreasing(lengths: np.ndarray) -> np.ndarray:
    """Return the stable order that sorts sequences by decreasing length."""
    return np.argsort(-lengths, kind="stable")
