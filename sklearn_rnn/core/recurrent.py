"""A layer in one direction: the loop over time, written once for every cell.

This is backpropagation through time over a batch. The layer works chunk by chunk and, within a
chunk, span by span (see `packing`): the states at the end of a span are the initial states of the
next one. What the cell does at one timestep is in `cells`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy import add, multiply

from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.layer import Layer, LayerCarry
from sklearn_rnn.core.memory import Arena, Workspace, carve
from sklearn_rnn.core.records import Record, RecordMemory


class RecurrentLayer(Layer):
    """A layer that reads its inputs from the first timestep to the last."""

    def __init__(self, cell: Cell, n_inputs: int, workspace: Workspace):
        self.cell = cell
        self.n_inputs = n_inputs
        self.dtype = workspace.dtype
        self.weights: Any = None  # the cell's working copy
        self._memory = RecordMemory(cell, n_inputs, workspace)
        self._columns = workspace.columns
        self._d_inputs = Arena(workspace.dtype)

    @property
    def n_outputs(self):
        return self.cell.hidden_size

    @property
    def rows_per_step(self):
        cell = self.cell
        return self._memory.block_rows + (cell.n_memory + cell.n_scratch) * cell.hidden_size

    def initialize(self, parameters, rng):
        self.cell.initialize(parameters, rng)

    def refresh(self, parameters):
        self.weights = self.cell.working_copy(parameters)

    def records(self, chunks, h_apart):
        return self._memory.records(chunks, h_apart)

    def forward(self, tape, inputs):
        states, mask = tape.carry
        for k, (chunk, xs) in enumerate(inputs):
            if tape.records is None:
                (records,) = self.records([chunk], h_apart=mask is not None)
            else:
                records = tape.records[k]
            for record, x in zip(records, xs, strict=True):
                states = self._forward(record, x, states, mask)
            states = [state.copy() for state in states]  # the next chunk may use the memory
            tape.carry = LayerCarry(states, mask)
            yield chunk, [record.span.h for record in records]

    def _forward(self, record: Record, x: np.ndarray, states, mask) -> Sequence[np.ndarray]:
        """Run over a span, from its initial states (None: zeros); return its last ones."""
        cell, weights, (span, steps, _) = self.cell, self.weights, record
        H, batch = cell.hidden_size, span.block.shape[2]
        span.block[:, H] = 1
        span.block[:, H + 1 :] = x
        for k, state in enumerate(cell.first_states(span)):
            state[...] = 0 if states is None else states[k][:, :batch]
        cell.begin(weights, span)
        forward = cell.forward
        if mask is None:
            for step in steps:
                forward(weights, step)
        else:
            mask = mask[:, :batch]
            for step in steps:
                multiply(step.h_before, mask, step.block[:H])
                forward(weights, step)
        return cell.last_states(span)

    def backward(self, tape, d_outputs, gradients, input_gradient):
        mask = tape.carry.recurrent_mask
        d_states = np.empty((self.cell.n_states, self.cell.hidden_size, 0), self.dtype)
        for records, (chunk, d_hs) in zip(reversed(tape.records), d_outputs, strict=True):
            for record, d_h in zip(reversed(records), reversed(d_hs), strict=True):
                d_states = widened(d_states, record.span.block.shape[2])
                self._backward(record, d_h, list(d_states), mask)
            for deltas, blocks in self._columns_of(records):
                self.cell.add_gradients(deltas, blocks, gradients)
            yield chunk, self._input_gradients(records) if input_gradient else [None] * len(records)

    def _backward(self, record: Record, d_h: Sequence[np.ndarray | None], d_states, mask) -> None:
        """Run back over a span.

        d_states : the gradients on the span's last states; they become, in place, the gradients on
            its initial states
        """
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

    def _columns_of(self, records: Sequence[Record]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield deltas (rows, columns) and blocks (columns, rows) of all timesteps of a chunk.

        Many sequences make a fast product of a single timestep, and nothing needs to be copied.
        """
        fewest = records[-1].span.block.shape[2]
        if fewest < self.cell.many_sequences:
            yield self._side_by_side(records)
            return
        for record in records:
            for step in record.steps:
                yield step.deltas, step.block.T

    def _side_by_side(self, records: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
        """Copy a chunk's deltas to (rows, columns) and its blocks to (columns, rows).

        Then one product gives the chunk's part of dW. BLAS is fastest where neither factor of a
        product is transposed.
        """
        spans = [(record.span.deltas, record.span.block) for record in records]
        n_columns = sum(len(block) * block.shape[2] for _, block in spans)
        shapes = [(spans[0][0].shape[1], n_columns), (n_columns, spans[0][1].shape[1])]
        self._columns.reserve(shapes)
        all_deltas, all_blocks = carve(self._columns.flat, shapes)
        start = 0
        for deltas, block in spans:
            n_steps, rows, batch = deltas.shape
            end = start + n_steps * batch
            all_deltas[:, start:end].reshape(rows, n_steps, batch)[...] = deltas.transpose(1, 0, 2)
            all_blocks[start:end].reshape(n_steps, batch, -1)[...] = block.transpose(0, 2, 1)
            start = end
        return all_deltas, all_blocks

    def _input_gradients(self, records: Sequence[Record]) -> list[np.ndarray]:
        """Compute the gradient on x for each span of a chunk."""
        deltas = [record.span.deltas for record in records]
        shapes = [(len(part), self.n_inputs, part.shape[2]) for part in deltas]
        self._d_inputs.reserve(shapes)
        d_inputs = list(carve(self._d_inputs.flat, shapes))
        for part, d_x in zip(deltas, d_inputs, strict=True):
            self.cell.input_gradient(self.weights, part, d_x)
        return d_inputs


def widened(d_states: np.ndarray, batch: int) -> np.ndarray:
    """Add columns of zeros, for sequences that end in this span.

    d_states : (n_states, H, running), the gradients on the initial states of the next span, in
        which fewer sequences are running
    """
    n_states, H, running = d_states.shape
    if running == batch:
        return d_states
    wide = np.empty((n_states, H, batch), d_states.dtype)
    wide[:, :, :running] = d_states
    wide[:, :, running:] = 0
    return wide
