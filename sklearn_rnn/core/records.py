"""The memory of a layer in one direction: what its forward pass writes and its backward pass reads.

`cells.base` says what the arrays hold. Here they are laid out in the layer's memory. Batches of the
same shape come again and again, so layouts and their thousands of views are kept for a while.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from sklearn_rnn.core.cells.base import Cell, by_step
from sklearn_rnn.core.memory import Arena, Workspace, carve
from sklearn_rnn.core.packing import Chunk

# How many layouts are kept. Sequences of equal length need six: two for training, since the last
# batch of an epoch is smaller, and four for prediction, where the last chunk is shorter, too.
MAX_LAYOUTS = 8


class Record(NamedTuple):
    """The memory of one span."""

    span: Any  # the cell's views of all timesteps
    steps: Sequence[Any]  # the same views for each timestep
    scratch: np.ndarray


class RecordMemory:
    """Memory for the records of one batch, or of one chunk, at a time."""

    def __init__(self, cell: Cell, n_inputs: int, workspace: Workspace):
        self._cell = cell
        self.block_rows = cell.hidden_size + 1 + n_inputs
        self._arena = Arena(workspace.dtype)
        self._scratch = workspace.scratch
        self._layouts: dict[tuple, list[list[Record]]] = {}  # by the shapes of chunks

    def records(self, chunks: Sequence[Chunk], h_apart: bool) -> list[list[Record]]:
        """Return memory for each span of each chunk; see `Layer.records`."""
        shapes = tuple([chunk.shapes for chunk in chunks])
        records = self._layouts.get((shapes, h_apart))
        if records is None:
            if len(self._layouts) >= MAX_LAYOUTS:
                self._layouts.clear()
            records = self._layouts[shapes, h_apart] = self._lay_out(shapes, h_apart)
        return records

    def _lay_out(self, chunks: Sequence, h_apart: bool) -> list[list[Record]]:
        """Lay out records; `chunks` has the (n_steps, batch) of each span of each chunk."""
        H, cell = self._cell.hidden_size, self._cell
        shapes = [
            (n_steps + 1, rows, batch)
            for chunk in chunks
            for n_steps, batch in chunk
            for rows in (self.block_rows, H if h_apart else 0, cell.n_memory * H)
        ]
        scratch_shapes = [  # all chunks share the scratch
            [(n_steps, cell.n_scratch * H, batch) for n_steps, batch in chunk] for chunk in chunks
        ]
        new = [self._arena.reserve(shapes), *map(self._scratch.reserve, scratch_shapes)]
        if any(new):
            self._layouts.clear()  # they would keep the old memory alive
        arrays = carve(self._arena.flat, shapes)
        return [
            [self._record(*islice(arrays, 3), part) for part in carve(self._scratch.flat, shapes)]
            for shapes in scratch_shapes
        ]

    def _record(self, blocks: np.ndarray, h: np.ndarray, memory: np.ndarray, scratch) -> Record:
        if not h.size:
            h = blocks[:, : self._cell.hidden_size]
        span = self._cell.views(blocks, h, memory, scratch)
        return Record(span, by_step(span), scratch)
