"""The loop over time, written once for every cell: backpropagation through time over a batch.

A batch is worked on chunk by chunk and, in a chunk, span by span (see `packing`): a span's states
start where those of the span before ended. Training gives every chunk of a batch memory of its own,
which the backward pass reads; prediction lets all chunks use the same.

A layer is a stage in a line of generators: it takes chunks from the layer below as they are needed,
and hands its own on at once. So what one layer has just written the next one reads while it is in
the cache, and nobody keeps more than a chunk. What goes up the line, and down again, is a chunk and
an array (n_steps, rows, batch) for each of its spans. `directions` has a stage that needs whole
sequences.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy import add, multiply

from sklearn_rnn.core.cells.base import Cell, by_step
from sklearn_rnn.core.memory import Arena, Workspace, carve
from sklearn_rnn.core.packing import Batch, Chunk

# What goes from stage to stage: a chunk, and something for each of its spans.
Stream = Iterator[tuple[Chunk, Sequence]]

# How many layouts of memory are kept. Sequences of one length need two, for full batches and for
# the last of an epoch, and four more to be predicted, where the last chunk of a batch is shorter.
MAX_LAYOUTS = 8


class Record(NamedTuple):
    """What one layer remembers of one span. For the arrays see `cells.base`."""

    span: NamedTuple  # the cell's views
    steps: Sequence[NamedTuple]  # those of each timestep
    scratch: np.ndarray


class RecurrentLayer:
    """One layer in one direction."""

    def __init__(self, cell: Cell, n_inputs: int, dtype, workspace: Workspace):
        self.cell = cell
        self.n_inputs = n_inputs
        self.weights: NamedTuple | None = None
        self.dtype = dtype
        self._workspace = workspace
        self._memory = Arena(dtype)
        self._d_inputs = Arena(dtype)
        self._layouts: dict[tuple, list[list[Record]]] = {}  # by their shapes
        self.states: list[np.ndarray] | None = None  # at the end of what `forward` has run over

    @property
    def n_outputs(self) -> int:
        return self.cell.hidden_size

    @property
    def rows_per_step(self) -> int:
        """The rows that the backward pass of a timestep goes through."""
        cell = self.cell
        block_rows = cell.hidden_size + 1 + self.n_inputs
        return block_rows + (cell.n_memory + cell.n_scratch) * cell.hidden_size

    def initialize(self, parameters, rng: np.random.Generator) -> None:
        """Draw starting values."""
        self.cell.initialize(parameters, rng)

    def refresh(self, parameters) -> None:
        """Take over changed parameters."""
        self.weights = self.cell.working_copy(parameters)

    def records(self, chunks: Sequence[Chunk], h_apart: bool = False) -> list[list[Record]]:
        """Memory for these chunks, over that of earlier ones; what was laid out is kept a while.

        h_apart : whether h is to have memory of its own, since the block will hold masked h
        """
        layout = tuple(tuple(span.shape for span in chunk) for chunk in chunks)
        if (layout, h_apart) not in self._layouts:
            if len(self._layouts) >= MAX_LAYOUTS:
                self._layouts.clear()
            self._layouts[layout, h_apart] = self._lay_out(layout, h_apart)
        return self._layouts[layout, h_apart]

    def _lay_out(self, layout, h_apart: bool) -> list[list[Record]]:
        H, cell = self.cell.hidden_size, self.cell
        shapes = [
            (n_steps + 1, rows, batch)
            for chunk in layout
            for n_steps, batch in chunk
            for rows in (H + 1 + self.n_inputs, H if h_apart else 0, cell.n_memory * H)
        ]
        scratch_shapes = [
            [(n_steps, cell.n_scratch * H, batch) for n_steps, batch in chunk] for chunk in layout
        ]
        scratch = self._workspace.scratch
        new = [self._memory.reserve(shapes), *map(scratch.reserve, scratch_shapes)]
        if any(new):
            self._layouts.clear()  # they would keep the old memory alive
        arrays = carve(self._memory.flat, shapes)
        return [
            [self._record(*islice(arrays, 3), part) for part in carve(scratch.flat, shapes)]
            for shapes in scratch_shapes
        ]

    def _record(self, blocks: np.ndarray, h: np.ndarray, memory: np.ndarray, scratch) -> Record:
        if not h.size:
            h = blocks[:, : self.cell.hidden_size]
        span = self.cell.views(blocks, h, memory, scratch)
        return Record(span, by_step(span), scratch)

    def forward(
        self,
        batch: Batch,
        records_of_chunks: Iterable[Sequence[Record]],
        inputs: Stream,
        states: Sequence[np.ndarray] | None = None,
        mask: np.ndarray | None = None,
    ) -> Stream:
        """Run over chunks; yield h of each, which is to be used before the next one is asked for.

        batch : whose chunks these are; not needed here, where time has one direction
        inputs : with each chunk the x of its spans, (n_steps, n_inputs, batch)
        states : to start from, each (H, batch or more); None for zeros
        mask : of recurrent dropout, (H, batch or more): what h is multiplied by wherever the next
            timestep's product takes it in, the same at all timesteps of a sequence
        Yields with each the h of its spans, (n_steps, H, batch), as views.
        """
        for records, (chunk, xs) in zip(records_of_chunks, inputs, strict=True):
            for record, x in zip(records, xs, strict=True):
                states = self._forward(record, x, states, mask)
            states = [state.copy() for state in states]  # the next chunk may use the memory
            self.states = states
            yield chunk, [record.span.h for record in records]

    def _forward(self, record: Record, x: np.ndarray, states, mask):
        """Run over a span, from the states at the end of the last one (None: zeros) to its own."""
        cell, weights, (span, steps, _) = self.cell, self.weights, record
        H, batch = cell.hidden_size, span.block.shape[2]
        span.block[:, H] = 1
        span.block[:, H + 1 :] = x
        for k, state in enumerate(cell.first_states(span)):
            state[...] = 0 if states is None else states[k][:, :batch]
        cell.begin(weights, span)
        mask = None if mask is None else mask[:, :batch]
        for step in steps:
            if mask is not None:
                multiply(step.h_before, mask, step.block[:H])
            cell.forward(weights, step)
        return cell.last_states(span)

    def backward(
        self,
        batch: Batch,
        records_of_chunks: Sequence[Sequence[Record]],
        d_outputs: Stream,
        gradients,
        input_gradient: bool,
        mask: np.ndarray | None = None,
    ) -> Stream:
        """Go back over chunks, from the last to the first, adding to the gradients on parameters.

        d_outputs : with each chunk, last one first, for each of its spans, for each timestep the
            gradient on h, (H, batch), or None for zeros
        mask : as it was on the way there
        Yields with each the gradients on the x of its spans, (n_steps, n_inputs, batch); None if
        not asked.
        """
        d_states = np.empty((self.cell.n_states, self.cell.hidden_size, 0), self.dtype)
        for records, (chunk, d_hs) in zip(reversed(records_of_chunks), d_outputs, strict=True):
            for record, d_h in zip(reversed(records), reversed(d_hs), strict=True):
                d_states = widened(d_states, record.span.block.shape[2])
                self._backward(record, d_h, list(d_states), mask)
            deltas, blocks = self._side_by_side(records)
            self.cell.add_gradients(deltas, blocks, gradients)
            yield chunk, self._input_gradients(records) if input_gradient else [None] * len(records)

    def _backward(self, record: Record, d_h: Sequence[np.ndarray | None], d_states, mask) -> None:
        """Go back over a span; the gradients on the states at its end become those at its start."""
        cell, weights, (span, steps, scratch) = self.cell, self.weights, record
        dh = d_states[0]
        mask = None if mask is None else mask[:, : dh.shape[1]]
        cell.compute_factors(weights, span, scratch)
        for step, d_h_of_step in zip(reversed(steps), reversed(d_h), strict=True):
            if d_h_of_step is not None:
                add(dh, d_h_of_step, dh)
            past_product = cell.backward(weights, step, d_states)
            if mask is not None:
                multiply(dh, mask, dh)
            if past_product is not None:
                add(dh, past_product, dh)

    def _side_by_side(self, records: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
        """A chunk's deltas, (rows, columns), and blocks, (columns, rows): one product does for all.

        BLAS is fastest where neither factor of a product is transposed.
        """
        spans = [(record.span.deltas, record.span.block) for record in records]
        n_columns = sum(len(block) * block.shape[2] for _, block in spans)
        shapes = [(spans[0][0].shape[1], n_columns), (n_columns, spans[0][1].shape[1])]
        columns = self._workspace.columns
        columns.reserve(shapes)
        all_deltas, all_blocks = carve(columns.flat, shapes)
        start = 0
        for deltas, block in spans:
            n_steps, rows, batch = deltas.shape
            end = start + n_steps * batch
            all_deltas[:, start:end].reshape(rows, n_steps, batch)[...] = deltas.transpose(1, 0, 2)
            all_blocks[start:end].reshape(n_steps, batch, -1)[...] = block.transpose(0, 2, 1)
            start = end
        return all_deltas, all_blocks

    def _input_gradients(self, records: Sequence[Record]) -> list[np.ndarray]:
        deltas = [record.span.deltas for record in records]
        shapes = [(len(part), self.n_inputs, part.shape[2]) for part in deltas]
        self._d_inputs.reserve(shapes)
        d_inputs = list(carve(self._d_inputs.flat, shapes))
        for part, d_x in zip(deltas, d_inputs, strict=True):
            self.cell.input_gradient(self.weights, part, d_x)
        return d_inputs


def widened(d_states: np.ndarray, batch: int) -> np.ndarray:
    """Going back in time, take in the sequences that end here, with zeros.

    d_states : (n_states, H, as many as run on)
    """
    n_states, H, running = d_states.shape
    if running == batch:
        return d_states
    wide = np.empty((n_states, H, batch), d_states.dtype)
    wide[:, :, :running] = d_states
    wide[:, :, running:] = 0
    return wide
