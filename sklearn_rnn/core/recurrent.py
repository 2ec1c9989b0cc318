"""The loop over time, written once for every cell: backpropagation through time over a span.

A batch is worked on span by span (see `packing`): a span's states start where those of the span
before ended. Training gives every span of a batch memory of its own, which the backward pass reads;
prediction lets all spans use the same.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.packing import Span

# How many layouts of the backward pass's memory are kept. Sequences of one length need two; with
# many lengths there is no end of them.
MAX_FACTORS = 64


class Record(NamedTuple):
    """What one layer remembers of one span. For the arrays see `cells.base`."""

    z: np.ndarray
    memory: np.ndarray
    steps: Sequence[NamedTuple]


class Factors(NamedTuple):
    array: np.ndarray
    steps: Sequence[NamedTuple]


class Arena:
    """Memory that is laid out anew, time and again, without being allocated anew."""

    def __init__(self, dtype):
        self._flat = np.empty(0, dtype)

    def carve(self, shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
        """Return arrays of these shapes, one behind the other, over what was carved before."""
        sizes = [math.prod(shape) for shape in shapes]
        if sum(sizes) > self._flat.size:
            self._flat = np.empty(sum(sizes), self._flat.dtype)
        ends = accumulate(sizes)
        return [
            self._flat[end - size : end].reshape(shape)
            for end, size, shape in zip(ends, sizes, shapes, strict=True)
        ]


class RecurrentLayer:
    """One layer in one direction."""

    def __init__(self, cell: Cell, n_inputs: int, dtype):
        self.cell = cell
        self.n_inputs = n_inputs
        self.weights: NamedTuple | None = None
        self._record_arena = Arena(dtype)
        self._factors_arena = Arena(dtype)
        self._factors: dict[tuple[int, int], Factors] = {}

    @property
    def rows_per_step(self) -> int:
        """The rows that the backward pass of a timestep goes through."""
        cell = self.cell
        z_rows = cell.hidden_size + 1 + self.n_inputs
        return z_rows + (cell.n_memory + cell.n_factors) * cell.hidden_size

    def refresh(self, parameters) -> None:
        """Take over changed parameters."""
        self.weights = self.cell.working_copy(parameters)

    def records(self, spans: Sequence[Span]) -> list[Record]:
        """Lay out memory for these spans, over that of earlier ones."""
        H = self.cell.hidden_size
        shapes = [
            (span.n_steps + 1, rows, span.batch_size)
            for span in spans
            for rows in (H + 1 + self.n_inputs, self.cell.n_memory * H)
        ]
        arrays = iter(self._record_arena.carve(shapes))
        return [
            Record(z, memory, self.cell.bind_forward(z, memory))
            for z, memory in zip(arrays, arrays, strict=True)
        ]

    def forward(self, record: Record, x: np.ndarray, states: Sequence[np.ndarray] | None):
        """Run over a span.

        x : (n_steps, n_inputs, batch)
        states : each (H, at least batch), those at the end of the span before; None for zeros
        Returns h, (n_steps, H, batch), and the states at the end; all of them views.
        """
        cell, (z, memory, steps) = self.cell, record
        H, batch = cell.hidden_size, z.shape[2]
        z[:-1, H] = 1
        z[:-1, H + 1 :] = x
        for k, state in enumerate(cell.states(z, memory, 0)):
            state[...] = 0 if states is None else states[k][:, :batch]
        cell.begin(self.weights, z, memory)
        for step in steps:
            cell.forward(self.weights, step)
        return z[1:, :H], cell.states(z, memory, len(steps))

    def backward(self, record: Record, d_h, d_states, gradients, input_gradient: bool):
        """Go back over a span, adding its part to the gradients on the parameters.

        d_h : (n_steps, H, batch), the gradient on h from above; None for zeros
        d_states : each (H, batch), the gradients on the states at the end of the span; they become,
            in place, those on the states at its start
        Returns the gradient on x, (n_steps, n_inputs, batch), or None if it isn't asked for.
        """
        cell, (z, memory, _) = self.cell, record
        H, n_steps, batch = cell.hidden_size, len(z) - 1, z.shape[2]
        factors = self._factors_for(n_steps, batch)
        cell.compute_factors(z, memory, factors.array)
        dh = d_states[0]
        for t in reversed(range(n_steps)):
            if d_h is not None:
                np.add(dh, d_h[t], out=dh)
            cell.backward(self.weights, factors.steps[t], d_states)

        rows = slice(cell.deltas.start * H, cell.deltas.stop * H)
        deltas = side_by_side(factors.array[:, rows])
        cell.add_gradients(deltas, side_by_side(z[:-1]), gradients)
        if not input_gradient:
            return None
        d_x = cell.input_gradient(self.weights, deltas)
        return d_x.reshape(-1, n_steps, batch).transpose(1, 0, 2)

    def _factors_for(self, n_steps: int, batch: int) -> Factors:
        if (n_steps, batch) not in self._factors:
            if len(self._factors) >= MAX_FACTORS:
                self._factors.clear()
            rows = self.cell.n_factors * self.cell.hidden_size
            (array,) = self._factors_arena.carve([(n_steps, rows, batch)])
            self._factors[n_steps, batch] = Factors(array, self.cell.bind_backward(array))
        return self._factors[n_steps, batch]


def side_by_side(blocks: np.ndarray) -> np.ndarray:
    """Turn (n_steps, rows, batch) into (rows, n_steps * batch): one product does for all steps."""
    return blocks.transpose(1, 0, 2).reshape(blocks.shape[1], -1)
