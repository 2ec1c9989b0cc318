"""Stacked recurrent layers and an output layer: forward, backward, and prediction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import tee
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.initializers import glorot_uniform
from sklearn_rnn.core.packing import Batch, Chunk, Span, decreasing
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.recurrent import Record, RecurrentLayer, Workspace

# How much memory the backward pass over a chunk goes through: about the second-level cache, or some
# more, since long chunks save calls. 2 MiB were 5 % faster than 0.5 MiB, and 0.125 MiB 13 % slower.
CHUNK_BYTES = 2 * 1024**2

# How many sequences are predicted side by side: more are not faster, and take more memory.
PREDICT_BATCH = 256


@dataclass(frozen=True)
class Architecture:
    """Everything about a network but its parameters."""

    cell: str
    activation: str
    n_inputs: int
    hidden_size: int
    n_layers: int
    n_outputs: int
    return_sequences: bool

    def cells(self) -> list[Cell]:
        """One cell per layer."""
        return [CELLS[self.cell](self.hidden_size, self.activation) for _ in range(self.n_layers)]

    def widths(self) -> list[int]:
        """The inputs of each layer."""
        return [self.n_inputs] + [self.hidden_size] * (self.n_layers - 1)

    def zeros(self, dtype) -> Parameters:
        """Parameters of this architecture, all zero."""
        shapes = {
            f"layer_{k}.{name}": shape
            for k, (cell, width) in enumerate(zip(self.cells(), self.widths(), strict=True))
            for name, shape in cell.shapes(width).items()
        }
        shapes["output.W"] = (self.n_outputs, self.hidden_size + 1)
        return Parameters.zeros(shapes, dtype)

    def named(self, parameters: Parameters) -> dict[str, np.ndarray]:
        """Parameters (or gradients) under the textbook's names, as views."""
        named = {
            f"layer_{k}.{name}": array
            for k, cell in enumerate(self.cells())
            for name, array in cell.named(of_layer(parameters, k)).items()
        }
        named["output.W_hy"] = parameters["output.W"][:, :-1]
        named["output.b_y"] = parameters["output.W"][:, -1]
        return named


def of_layer(parameters: Parameters, k: int) -> dict[str, np.ndarray]:
    """The parameters of one layer under the names that its cell gave them."""
    prefix = f"layer_{k}."
    return {
        name.removeprefix(prefix): parameters[name]
        for name in parameters
        if name.startswith(prefix)
    }


class Kept(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    chunks: list[Chunk]
    records: list[list[list[Record]]]  # for each layer, for each chunk, those of its spans
    features: np.ndarray  # [h; 1], what the output layer has read


class Network:
    """A network that computes with some parameters.

    `parameters` may change in place; call `refresh` then. A network belongs to one thread, since it
    works in buffers of its own; making another from the same parameters is cheap.
    """

    def __init__(self, architecture: Architecture, parameters: Parameters):
        self.architecture = architecture
        self.parameters = parameters
        self.dtype = parameters.vector.dtype
        workspace = Workspace(self.dtype)
        self.layers = [
            RecurrentLayer(cell, width, self.dtype, workspace)
            for cell, width in zip(architecture.cells(), architecture.widths(), strict=True)
        ]
        rows = max(layer.rows_per_step for layer in self.layers)
        self.max_columns = CHUNK_BYTES // (rows * self.dtype.itemsize)
        self._kept: Kept | None = None
        self.refresh()

    def refresh(self) -> None:
        """Take over changed parameters."""
        for k, layer in enumerate(self.layers):
            layer.refresh(of_layer(self.parameters, k))

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw starting values."""
        for k, layer in enumerate(self.layers):
            layer.cell.initialize(of_layer(self.parameters, k), rng)
        output = self.parameters["output.W"]
        output[:, :-1] = glorot_uniform(rng, len(output), output.shape[1] - 1)
        output[:, -1] = 0.0
        self.refresh()

    def forward(self, batch: Batch) -> np.ndarray:
        """Return the raw outputs, (n_outputs, batch), or (n_outputs, columns) one per timestep.

        The columns are the batch's packed columns; what stands in those of sequences that run on is
        of no use. What `backward` needs is kept.
        """
        chunks = list(batch.chunks(self.max_columns))
        records = [layer.records(chunks) for layer in self.layers]
        per_step = self.architecture.return_sequences
        n_columns = batch.n_columns if per_step else len(batch.lengths)
        output = self.parameters["output.W"]
        features = np.empty((output.shape[1], n_columns), output.dtype)
        features[-1] = 1
        for chunk, h in self._run(batch, chunks, records):
            for span, h_of_span in zip(chunk, h, strict=True):
                if per_step:
                    span.unpack(features[:-1])[...] = h_of_span
                for step, first, last in () if per_step else span.ends:
                    features[:-1, first:last] = h_of_span[step, :, first:last]
        self._kept = Kept(chunks, records, features)
        return output @ features  # y = W_hy h + b_y

    def predict(
        self,
        lengths: np.ndarray,
        batch_of: Callable[[np.ndarray], Batch],
        out_starts: np.ndarray,
        n_rows: int,
    ) -> np.ndarray:
        """Return raw outputs, (n_rows, n_outputs), keeping nothing on the way but the states.

        batch_of : returns the sequences with the given numbers, which have decreasing lengths
        out_starts : the row for each sequence's output, or for its first timestep's where there is
            one output per timestep
        """
        out = np.empty((n_rows, self.architecture.n_outputs), self.dtype)
        order = decreasing(lengths)
        for start in range(0, len(order), PREDICT_BATCH):
            chosen = order[start : start + PREDICT_BATCH]
            self._predict_batch(batch_of(chosen), out, out_starts[chosen])
        return out

    def _predict_batch(self, batch: Batch, out: np.ndarray, out_starts: np.ndarray) -> None:
        W_hy, b_y = self.parameters["output.W"][:, :-1], self.parameters["output.W"][:, -1]

        def chunks():  # longer ones than in training: they are not gone through a second time
            return batch.chunks(2 * self.max_columns)

        def in_turn(layer):  # all chunks use the same memory, one after another
            return (layer.records([chunk])[0] for chunk in chunks())

        for chunk, h in self._run(batch, chunks(), map(in_turn, self.layers)):
            if self.architecture.return_sequences:
                raw = [np.matmul(W_hy, part).transpose(0, 2, 1).reshape(-1, len(b_y)) for part in h]
                real = batch.is_real(chunk)
                out[batch.positions(out_starts, chunk)[real]] = np.concatenate(raw)[real] + b_y
                continue
            for span, h_of_span in zip(chunk, h, strict=True):
                for step, first, last in span.ends:
                    raw = W_hy @ h_of_span[step, :, first:last]
                    out[out_starts[first:last]] = raw.T + b_y

    def backward(
        self, d_outputs: np.ndarray, gradients: Parameters, input_gradient: bool = False
    ) -> np.ndarray | None:
        """Backpropagate the gradient on the raw outputs of the last `forward`, and use that up.

        In the columns of sequences that run on it has to be zero. Overwrites `gradients`. Returns
        the gradient on the inputs, (n_inputs, packed columns), if it is asked for.
        """
        (chunks, records, features), self._kept = self._kept, None
        gradients.vector[...] = 0
        np.matmul(d_outputs, features.T, out=gradients["output.W"])  # y = W_hy h + b_y
        W_hy_T = self.parameters["output.W"][:, :-1].T
        if self.architecture.return_sequences:
            d_h = (
                [np.matmul(W_hy_T, span.unpack(d_outputs)) for span in chunk]
                for chunk in reversed(chunks)
            )
        else:
            d_last = W_hy_T @ d_outputs
            d_h = ([at_ends(span, d_last) for span in chunk] for chunk in reversed(chunks))
        for k in reversed(range(len(self.layers))):
            of_layer_k = of_layer(gradients, k)
            d_h = self.layers[k].backward(records[k], d_h, of_layer_k, input_gradient or k > 0)

        d_inputs = None
        if input_gradient:
            n_columns = chunks[-1][-1].column + chunks[-1][-1].n_columns
            d_inputs = np.empty((self.architecture.n_inputs, n_columns), self.dtype)
        for chunk, d_xs in zip(reversed(chunks), d_h, strict=True):
            for span, d_x in zip(chunk, d_xs, strict=True):
                if input_gradient:
                    span.unpack(d_inputs)[...] = d_x
        return d_inputs

    def _run(self, batch: Batch, chunks, records) -> Iterator[tuple[Chunk, list[np.ndarray]]]:
        """Go through a batch chunk by chunk; yield each with the top layer's h of its spans.

        records : for each layer, for each chunk, those of its spans
        """
        here, below = tee(chunks)
        stream = map(batch.inputs, below)
        for layer, of_layer_k in zip(self.layers, records, strict=True):
            stream = layer.forward(of_layer_k, stream)
        return zip(here, stream, strict=True)


def at_ends(span: Span, d_last: np.ndarray) -> list[np.ndarray | None]:
    """The gradient on h at each step of a span, given that on the last h of each sequence."""
    d_h: list[np.ndarray | None] = [None] * span.n_steps
    for step, first, last in span.ends:
        d_h[step] = np.zeros((len(d_last), span.batch_size), d_last.dtype)
        d_h[step][:, first:last] = d_last[:, first:last]
    return d_h
