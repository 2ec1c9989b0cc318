"""A batch of sequences, packed time-major and with next to no padding.

The sequences of a batch are sorted by decreasing length. So the sequences that are running at
timestep t are the first B_t of the batch.

Span
    A stretch of timesteps at which the same sequences are running. Within a span everything is an
    array (n_steps, rows, batch): each timestep is one contiguous block, and no cell is wasted.
Chunk
    Consecutive spans that are worked on together. A chunk is about as large as the cache.
Running on
    Very short spans cost more than they save. Sequences that end within a span may therefore run
    on to its end: their last input is repeated. All sequences of a span together run on for at most
    `RUN_ON` timesteps. Their outputs beyond their ends are not used and get no gradient.
Packed columns
    The timesteps of the whole batch, side by side in one matrix (rows, columns): span by span, step
    by step, sequence by sequence. Timesteps of sequences that run on have columns, too.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.caching import cached_property
from sklearn_rnn.core.scaling import Standardizer

# The most timesteps that all sequences of a span together may run on.
RUN_ON = 32

# The most timesteps of a chunk: each timestep has Python objects of its own, and they take memory.
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

    @property
    def steps(self) -> np.ndarray:
        """The timesteps as a column vector."""
        return np.arange(self.start, self.start + self.n_steps)[:, np.newaxis]

    def unpack(self, matrix: np.ndarray) -> np.ndarray:
        """View this span's columns of a matrix (rows, columns) as (n_steps, rows, batch)."""
        part = matrix[:, self.column : self.column + self.n_columns]
        return part.reshape(-1, *self.shape).transpose(1, 0, 2)


class Chunk(tuple[Span, ...]):
    """Consecutive spans that are worked on together."""

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The (n_steps, batch) of each span."""
        return tuple(span.shape for span in self)


class Plateau(NamedTuple):
    """Timesteps at which the same sequences are running, up to `end`."""

    end: int
    running: int
    last_steps: list[tuple[int, int, int]]  # (timestep, first, last), as in `Span.ends`


class Packing:
    """How sequences are packed, which follows from their lengths alone.

    lengths : (batch,), non-increasing
    """

    def __init__(self, lengths: np.ndarray):
        self.lengths = lengths

    @cached_property
    def plateaus(self) -> list[Plateau]:
        """The batch's plateaus in the order of time: at first all sequences run, then fewer."""
        bounds = np.flatnonzero(self.lengths[1:] < self.lengths[:-1]) + 1
        bounds = [0, *bounds.tolist(), len(self.lengths)]
        plateaus, ending, ran_on, end = [], [], 0, 0
        # From the shortest sequences to the longest: they join one plateau, in which they run on to
        # its end, as long as that costs little.
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
        """The timestep up to which each sequence runs, or runs on."""
        ends = np.empty_like(self.lengths)
        for plateau in self.plateaus:  # later plateaus overwrite the ends of longer sequences
            ends[: plateau.running] = plateau.end
        return ends

    @cached_property
    def equally_long(self) -> list[tuple[int, int]]:
        """The (first, last): sequences first to last - 1 have the same length."""
        return [who for plateau in self.plateaus for _, *who in plateau.last_steps]

    @property
    def n_columns(self) -> int:
        return int(self.ends.sum())

    def chunks(self, max_columns: int, max_steps: int = MAX_STEPS) -> Iterator[Chunk]:
        """Yield the batch's chunks, each of at most `max_columns` columns (but one step at least).

        The chunks are made one by one, so even an endless sequence takes no memory here.
        """
        spans: list[Span] = []
        time = column = steps = columns = 0  # steps and columns are the chunk's
        for end, running, last_steps in self.plateaus:
            while time < end:
                n_steps = min(end - time, (max_columns - columns) // running, max_steps - steps)
                if n_steps < 1:
                    if spans:
                        yield Chunk(spans)
                        spans, steps, columns = [], 0, 0
                        continue
                    n_steps = 1
                ends = tuple((t - time, *who) for t, *who in last_steps if 0 <= t - time < n_steps)
                spans.append(Span(time, n_steps, running, column, ends))
                time += n_steps
                steps += n_steps
                column += n_steps * running
                columns += n_steps * running
        yield Chunk(spans)

    def positions(
        self, starts: np.ndarray, chunk: Chunk | None = None, steps_at: np.ndarray | None = None
    ) -> np.ndarray:
        """Return where the packed columns of a chunk, or of the whole batch, stand in a flat array.

        starts : where each sequence of the batch starts in that array
        steps_at : where each timestep of a sequence stands behind its start; None if the timesteps
            stand one behind the other
        """
        parts = []
        for span in chunk or self._spans:
            running, steps = slice(span.batch_size), span.steps
            if self._runs_on(span):
                steps = np.minimum(steps, self.lengths[running] - 1)
            places = steps if steps_at is None else steps_at[steps]
            parts.append(places + starts[running])
        return np.concatenate(parts, axis=None)

    def places(self, starts: np.ndarray, chunk: Chunk) -> np.ndarray | slice:
        """Return what indexes the packed columns of a chunk in a flat array; see `positions`.

        It is a slice where they stand one behind the other, since one sequence alone is read.
        """
        if len(starts) > 1:
            return self.positions(starts, chunk)
        first = int(starts[0]) + chunk[0].start
        return slice(first, first + sum([span.n_steps for span in chunk]))

    def is_real(self, chunk: Chunk | None = None) -> np.ndarray:
        """Return which packed columns of a chunk, or of the whole batch, lie within their sequence.

        The other columns belong to sequences that run on.
        """
        spans = chunk or self._spans
        parts = [span.steps < self.lengths[: span.batch_size] for span in spans]
        return np.concatenate(parts, axis=None)

    def within(self, span: Span) -> np.ndarray | bool:
        """Return which timesteps of a span lie within their sequence, (n_steps, 1, batch).

        True stands for all. The other timesteps are those at which sequences run on.
        """
        if not self._runs_on(span):
            return True
        return (span.steps < self.lengths[: span.batch_size])[:, np.newaxis]

    def is_exact(self, chunk: Chunk) -> bool:
        """Whether no sequence runs on in a chunk."""
        return len(self.lengths) == 1 or not any(map(self._runs_on, chunk))

    def _runs_on(self, span: Span) -> bool:
        """Whether a sequence runs on in a span."""
        return self.lengths[span.batch_size - 1] < span.start + span.n_steps

    @property
    def _first_columns(self) -> np.ndarray:
        """The first packed column of each timestep."""
        return np.concatenate(
            [np.arange(s.column, s.column + s.n_columns, s.batch_size) for s in self._spans]
        )

    def columns_of(self, part: "Packing", numbers: np.ndarray) -> np.ndarray:
        """Return the packed column of this batch for each packed column of a part of it.

        Where a sequence runs on in the part, its last column stands.

        numbers : those of the part's sequences
        """
        return part.positions(numbers, steps_at=self._first_columns)

    @cached_property
    def mirror(self) -> np.ndarray:
        """The permutation of packed columns that reverses each sequence within its own length.

        Columns of sequences that run on stay in place. The permutation is its own inverse.
        """
        numbers, parts = np.arange(len(self.lengths)), []
        first_columns = self._first_columns
        for span in self._spans:
            running, steps = slice(span.batch_size), span.steps
            last_steps = self.lengths[running] - 1
            mirrored = np.where(steps <= last_steps, last_steps - steps, steps)
            parts.append(first_columns[mirrored] + numbers[running])
        return np.concatenate(parts, axis=None)

    @cached_property
    def _spans(self) -> Chunk:
        """The whole batch as one chunk.

        Index arrays are made span by span, and so have one item per packed column. An array of all
        timesteps and all sequences is much larger if one sequence is long and many are short.
        """
        return next(self.chunks(self.n_columns, int(self.lengths[0])))


class Batch(Packing, ABC):
    """Sequences sorted by decreasing length. The subclasses say where the timesteps are stored.

    dtype : in which inputs are gathered; None leaves them in that of the timesteps
    """

    dtype: np.dtype | type | None

    def timesteps(self, first: int, end: int) -> "Batch":
        """Return timesteps first to end - 1 of all sequences that are longer than `first`.

        These sequences are the first ones of the batch. Nothing is copied.
        """
        if first == 0 and end >= self.lengths[0]:
            return self
        running = int(np.count_nonzero(self.lengths > first))
        return self._cut(first, np.minimum(self.lengths[:running], end) - first)

    @abstractmethod
    def _cut(self, first: int, lengths: np.ndarray) -> "Batch":
        """Return the first `len(lengths)` sequences from timestep `first` on, cut to `lengths`."""

    @abstractmethod
    def take(self, numbers: np.ndarray) -> "Batch":
        """Return some of the sequences, whose numbers are in increasing order."""

    def rows_by_sequence(self) -> np.ndarray:
        """Return a copy of the timesteps, sequence after sequence, (total, n_features)."""
        return self._in_dtype(self._by_sequence())

    @abstractmethod
    def _by_sequence(self) -> np.ndarray: ...

    def _in_dtype(self, rows: np.ndarray) -> np.ndarray:
        return rows if self.dtype is None else rows.astype(self.dtype, copy=False)

    def inputs(self, chunk: Chunk, standardizer: Standardizer | None = None) -> list[np.ndarray]:
        """Gather x for each span of a chunk, (n_steps, n_features, batch), in transposed memory.

        standardizer : takes the units from the features; None leaves them as they are
        """
        rows = self._in_dtype(self._rows(chunk))
        if standardizer is not None:
            rows = standardizer.apply(rows)
        xs, start = [], 0
        for span in chunk:
            end = start + span.n_columns
            xs.append(rows[start:end].reshape(*span.shape, -1).transpose(0, 2, 1))
            start = end
        return xs

    @abstractmethod
    def _rows(self, chunk: Chunk) -> np.ndarray:
        """Gather x for each packed column of a chunk, (columns, n_features), into new memory."""


@dataclass(eq=False)  # a frozen one takes three times as long to make
class FlatBatch(Batch):
    """A batch whose sequences lie in one flat array of timesteps.

    values : (any, n_features), timesteps
    starts : (batch,), the row of `values` at which each sequence starts
    lengths : (batch,), non-increasing
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    dtype: np.dtype | type | None = None

    def _cut(self, first, lengths):
        return FlatBatch(self.values, self.starts[: len(lengths)] + first, lengths, self.dtype)

    def take(self, numbers):
        return FlatBatch(self.values, self.starts[numbers], self.lengths[numbers], self.dtype)

    def _by_sequence(self):
        return self.values.take(ranges(self.starts, self.lengths), axis=0)

    def _rows(self, chunk):
        places = self.places(self.starts, chunk)
        return self.values[places].copy() if type(places) is slice else self.values[places]


@dataclass(eq=False)
class ScatteredBatch(Batch):
    """A batch whose sequences are arrays of their own; only one chunk at a time is put together.

    arrays : (n_timesteps_i, n_features), one for each sequence, in the order of decreasing length
    """

    arrays: Sequence[np.ndarray]
    dtype: np.dtype | type | None = None

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array([len(array) for array in self.arrays])

    def _cut(self, first, lengths):
        cut = zip(self.arrays, lengths.tolist(), strict=False)
        parts = [array[first : first + length] for array, length in cut]
        return ScatteredBatch(parts, self.dtype)

    def take(self, numbers):
        return ScatteredBatch([self.arrays[number] for number in numbers], self.dtype)

    def _by_sequence(self):
        return np.concatenate(self.arrays)

    def _rows(self, chunk):
        first, end = chunk[0].start, chunk[-1].start + chunk[-1].n_steps
        firsts = np.minimum(first, self.lengths - 1)  # sequences that run on repeat their last step
        running = zip(self.arrays[: chunk[0].batch_size], firsts.tolist(), strict=False)
        parts = [array[k:end] for array, k in running]
        starts = -firsts
        starts[1 : len(parts)] += np.cumsum([len(part) for part in parts[:-1]], dtype=int)
        return np.concatenate(parts).take(self.positions(starts, chunk), axis=0)


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the integers from each start on, as many as each length says, one behind the other."""
    return np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())


def decreasing(lengths: np.ndarray) -> np.ndarray:
    """Return the stable order that sorts sequences by decreasing length."""
    return np.argsort(-lengths, kind="stable")
