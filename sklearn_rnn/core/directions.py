"""A layer in both directions of time (Schuster, Paliwal 1997).

The reverse direction reads each sequence from its last timestep to its first. It is an ordinary
layer over the same chunks; only its inputs are mirrored, and its outputs are mirrored back. To
mirror takes whole sequences, so here the pipeline of generators is interrupted: matrices hold all
packed columns of the batch.
"""

from collections.abc import Sequence
from itertools import tee

import numpy as np

from sklearn_rnn.core.architecture import REVERSE
from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.layer import Flow, Layer, LayerCarry, LayerTape
from sklearn_rnn.core.memory import Workspace
from sklearn_rnn.core.packing import Chunk, Packing
from sklearn_rnn.core.parameters import within
from sklearn_rnn.core.recurrent import RecurrentLayer


class BidirectionalLayer(Layer):
    """Two layers over the same inputs, one ahead in time and one in reverse; their h are stacked.

    It hands on no states: in the next segment the reverse direction would start in the future.

    aligned : whether the rows of both directions stand at the same timestep of the inputs.
        Otherwise the rows of the reverse direction stand in its own time. Then both directions have
        read the whole sequence at its last timestep. An output layer with one output per sequence
        reads that timestep.
    """

    def __init__(self, cell: Cell, n_inputs: int, workspace: Workspace, *, aligned: bool):
        self.n_inputs = n_inputs
        self.dtype = workspace.dtype
        self.aligned = aligned
        self.ahead = RecurrentLayer(cell, n_inputs, workspace)
        self.reverse = RecurrentLayer(cell, n_inputs, workspace)

    @property
    def n_outputs(self):
        return self.ahead.n_outputs + self.reverse.n_outputs

    @property
    def rows_per_step(self):
        return self.ahead.rows_per_step  # one direction after the other

    def initialize(self, parameters, rng):
        self.ahead.initialize(parameters, rng)
        self.reverse.initialize(within(parameters, REVERSE), rng)

    def refresh(self, parameters):
        self.ahead.refresh(parameters)
        self.reverse.refresh(within(parameters, REVERSE))

    def records(self, chunks, h_apart):
        return self.ahead.records(chunks, h_apart), self.reverse.records(chunks, h_apart)

    def forward(self, tape, inputs):
        chunks, x = gathered(tape.packing, inputs, self.n_inputs, self.dtype)
        tape_ahead, tape_reverse = self._tapes(tape)
        h_ahead = self.ahead.forward(tape_ahead, handed_out(chunks, x))
        h_reverse = self.reverse.forward(tape_reverse, handed_out(chunks, x[tape.packing.mirror]))
        h = stacked(h_ahead, h_reverse)
        yield from self._mirrored(tape.packing, h) if self.aligned else h

    def backward(self, tape, d_outputs, gradients, input_gradient):
        if self.aligned:
            d_outputs = self._mirrored(tape.packing, d_outputs)
        H, n = self.ahead.n_outputs, self.n_inputs
        one, other = tee(d_outputs)  # read in step, so no more than a chunk is stored
        d_ahead, d_reverse = rows_of(one, slice(None, H)), rows_of(other, slice(H, None))
        tape_ahead, tape_reverse = self._tapes(tape)
        of_reverse = within(gradients, REVERSE)
        d_x_ahead = self.ahead.backward(tape_ahead, d_ahead, gradients, input_gradient)
        d_x_reverse = self.reverse.backward(tape_reverse, d_reverse, of_reverse, input_gradient)
        if not input_gradient:
            yield from (item for item, _ in zip(d_x_ahead, d_x_reverse, strict=True))
            return
        both = stacked(d_x_ahead, d_x_reverse)
        chunks, d_x = gathered(tape.packing, both, 2 * n, self.dtype)
        yield from handed_out(chunks, d_x[:, :n] + d_x[tape.packing.mirror, n:])

    def _tapes(self, tape: LayerTape) -> tuple[LayerTape, LayerTape]:
        """Take a tape apart: one for the direction ahead in time, and one for the reverse."""
        H, mask = self.ahead.n_outputs, tape.carry.recurrent_mask
        masks = (None, None) if mask is None else (mask[:H], mask[H:])
        records = tape.records or (None, None)
        one, other = (
            LayerTape(tape.packing, records_of_one, LayerCarry(recurrent_mask=mask_of_one))
            for records_of_one, mask_of_one in zip(records, masks, strict=True)
        )
        return one, other

    def _mirrored(self, packing: Packing, flow: Flow) -> Flow:
        """Move the rows of the reverse direction from its time to the inputs' time, or back."""
        H = self.ahead.n_outputs
        chunks, columns = gathered(packing, flow, self.n_outputs, self.dtype)
        columns[:, H:] = columns[packing.mirror, H:]
        yield from handed_out(chunks, columns)


def gathered(packing: Packing, flow: Flow, n_rows: int, dtype) -> tuple[list[Chunk], np.ndarray]:
    """Read a flow to its end; return its chunks, in its order, and a copy (columns, rows)."""
    columns = np.empty((packing.n_columns, n_rows), dtype)
    chunks = []
    for chunk, arrays in flow:
        chunks.append(chunk)
        for span, array in zip(chunk, arrays, strict=True):
            span.unpack(columns.T)[...] = array
    return chunks, columns


def handed_out(chunks: Sequence[Chunk], columns: np.ndarray) -> Flow:
    """Yield the chunks with views of (columns, rows)."""
    for chunk in chunks:
        yield chunk, [span.unpack(columns.T) for span in chunk]


def stacked(one: Flow, other: Flow) -> Flow:
    """Read two flows in step; stack their rows."""
    for (chunk, arrays), (_, others) in zip(one, other, strict=True):
        pairs = zip(arrays, others, strict=True)
        yield chunk, [np.concatenate(pair, axis=1) for pair in pairs]


def rows_of(flow: Flow, rows: slice) -> Flow:
    """Yield some rows of every timestep; None stays None."""
    for chunk, arrays in flow:
        yield chunk, [[None if x is None else x[rows] for x in array] for array in arrays]
