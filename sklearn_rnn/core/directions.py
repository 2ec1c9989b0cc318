"""A layer in both directions of time (Schuster, Paliwal 1997).

The reverse direction reads each sequence from its own last timestep to its first. It is a layer
like any other, over the same chunks: only what goes into it is mirrored, and what comes out of it.
To mirror takes whole sequences, so here the line of generators is interrupted, by matrices that
hold all packed columns.
"""

from collections.abc import Iterable, Sequence
from itertools import tee

import numpy as np

from sklearn_rnn.core.architecture import REVERSE
from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.memory import Workspace
from sklearn_rnn.core.packing import Batch, Chunk
from sklearn_rnn.core.parameters import within
from sklearn_rnn.core.recurrent import Record, RecurrentLayer, Stream


class BidirectionalLayer:
    """Two layers over the same input, one forwards and one backwards, their outputs stacked.

    aligned : whether the outputs of one timestep of the input stand together. Otherwise each
        direction's stand in its own time, and where a sequence ends, both have read all of it.
    """

    states = None  # none to go on from: the reverse direction would begin in the future

    def __init__(self, cell: Cell, n_inputs: int, dtype, workspace: Workspace, *, aligned: bool):
        self.n_inputs = n_inputs
        self.dtype = dtype
        self.aligned = aligned
        self.forwards = RecurrentLayer(cell, n_inputs, dtype, workspace)
        self.backwards = RecurrentLayer(cell, n_inputs, dtype, workspace)

    @property
    def n_outputs(self) -> int:
        return self.forwards.n_outputs + self.backwards.n_outputs

    @property
    def rows_per_step(self) -> int:
        """The rows that the backward pass of a timestep goes through, one direction at a time."""
        return self.forwards.rows_per_step

    def initialize(self, parameters, rng: np.random.Generator) -> None:
        """Draw starting values."""
        self.forwards.initialize(parameters, rng)
        self.backwards.initialize(within(parameters, REVERSE), rng)

    def refresh(self, parameters) -> None:
        """Take over changed parameters."""
        self.forwards.refresh(parameters)
        self.backwards.refresh(within(parameters, REVERSE))

    def records(
        self, chunks: Sequence[Chunk], h_apart: bool = False
    ) -> list[tuple[list[Record], list[Record]]]:
        """Memory for each of these chunks, of both directions."""
        both = self.forwards.records(chunks, h_apart), self.backwards.records(chunks, h_apart)
        return list(zip(*both, strict=True))

    def forward(
        self,
        batch: Batch,
        records_of_chunks: Iterable[tuple[list[Record], list[Record]]],
        inputs: Stream,
        states: None = None,
        mask: np.ndarray | None = None,
    ) -> Stream:
        """Run over chunks, as `RecurrentLayer.forward`, both directions side by side.

        There are no states to start from. Of the mask, (2 H, batch), each direction has its rows.
        """
        chunks, x = gathered(batch, inputs, self.n_inputs, self.dtype)
        a, b = tee(records_of_chunks)
        one, other = (pair[0] for pair in a), (pair[1] for pair in b)
        masks = self._halves(mask)
        ahead = self.forwards.forward(batch, one, handed_out(chunks, x), None, masks[0])
        x_back = handed_out(chunks, x[batch.mirror])
        back = self.backwards.forward(batch, other, x_back, None, masks[1])
        outputs = stacked(ahead, back)
        yield from self._mirrored(batch, outputs) if self.aligned else outputs

    def backward(
        self,
        batch: Batch,
        records_of_chunks: Sequence[tuple[list[Record], list[Record]]],
        d_outputs: Stream,
        gradients,
        input_gradient: bool,
        mask: np.ndarray | None = None,
    ) -> Stream:
        """Go back over chunks, as `RecurrentLayer.backward`, both directions side by side."""
        if self.aligned:
            d_outputs = self._mirrored(batch, d_outputs)
        H, n = self.forwards.n_outputs, self.n_inputs
        a, b = tee(d_outputs)
        one, other = zip(*records_of_chunks, strict=True)
        d_ahead, d_back = rows_of(a, slice(None, H)), rows_of(b, slice(H, None))
        masks, of_reverse = self._halves(mask), within(gradients, REVERSE)
        ahead = self.forwards.backward(batch, one, d_ahead, gradients, input_gradient, masks[0])
        back = self.backwards.backward(batch, other, d_back, of_reverse, input_gradient, masks[1])
        if input_gradient:
            chunks, d_x = gathered(batch, stacked(ahead, back), 2 * n, self.dtype)
            yield from handed_out(chunks, d_x[:, :n] + d_x[batch.mirror, n:])
        else:
            yield from (nothing for nothing, _ in zip(ahead, back, strict=True))

    def _halves(self, mask: np.ndarray | None) -> tuple[np.ndarray | None, np.ndarray | None]:
        H = self.forwards.n_outputs
        return (None, None) if mask is None else (mask[:H], mask[H:])

    def _mirrored(self, batch: Batch, stream: Stream) -> Stream:
        """Put the reverse direction's rows into the input's order, or back into its own."""
        H = self.forwards.n_outputs
        chunks, columns = gathered(batch, stream, self.n_outputs, self.dtype)
        columns[:, H:] = columns[batch.mirror, H:]
        yield from handed_out(chunks, columns)


def gathered(batch: Batch, stream: Stream, n_rows: int, dtype) -> tuple[list[Chunk], np.ndarray]:
    """Copy all chunks, in whatever order they come, to (packed columns, rows)."""
    columns = np.empty((batch.n_columns, n_rows), dtype)
    chunks = []
    for chunk, arrays in stream:
        chunks.append(chunk)
        for span, array in zip(chunk, arrays, strict=True):
            span.unpack(columns.T)[...] = array
    return chunks, columns


def handed_out(chunks: Sequence[Chunk], columns: np.ndarray) -> Stream:
    """Yield the chunks of (packed columns, rows), as views, in the order of `chunks`."""
    for chunk in chunks:
        yield chunk, [span.unpack(columns.T) for span in chunk]


def stacked(one: Stream, other: Stream) -> Stream:
    """Go through two streams in step; yield the rows of both."""
    for (chunk, arrays), (_, others) in zip(one, other, strict=True):
        pairs = zip(arrays, others, strict=True)
        yield chunk, [np.concatenate(pair, axis=1) for pair in pairs]


def rows_of(stream: Stream, rows: slice) -> Stream:
    """Yield some rows of every timestep; where there is None for a timestep, None."""
    for chunk, arrays in stream:
        yield chunk, [[None if x is None else x[rows] for x in array] for array in arrays]
