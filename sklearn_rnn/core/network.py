"""Stacked recurrent layers and an output layer: forward, backward, and prediction."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.initializers import glorot_uniform
from sklearn_rnn.core.packing import Batch, Span, decreasing
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.recurrent import Record, RecurrentLayer

# How much memory the backward pass over a span goes through: about the second-level cache, or some
# more, since long spans save calls. 2 MiB were 5 % faster than 0.5 MiB, and 0.125 MiB 13 % slower.
SPAN_BYTES = 2 * 1024**2

# How many layouts of memory are kept. Sequences of one length need two, for full batches and for
# the last of an epoch, and four more to be predicted, where the last span of a batch is shorter.
MAX_PLANS = 8

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


class Network:
    """A network that computes with some parameters.

    `parameters` may change in place; call `refresh` then. A network belongs to one thread, since it
    works in buffers of its own; making another from the same parameters is cheap.
    """

    def __init__(self, architecture: Architecture, parameters: Parameters):
        self.architecture = architecture
        self.parameters = parameters
        self.dtype = parameters.vector.dtype
        self.layers = [
            RecurrentLayer(cell, width, self.dtype)
            for cell, width in zip(architecture.cells(), architecture.widths(), strict=True)
        ]
        rows = max(layer.rows_per_step for layer in self.layers)
        self.max_columns = SPAN_BYTES // (rows * self.dtype.itemsize)
        self._spans: list[Span] = []
        self._records: list[tuple[Record, ...]] = []  # for each span, for each layer
        self._plans: dict[tuple[Span, ...], list[tuple[Record, ...]]] = {}
        self._features = np.empty((0, 0))
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

        The columns are the batch's packed columns. What `backward` needs is kept.
        """
        self._spans = list(batch.spans(self.max_columns))
        self._records = self._records_for(tuple(self._spans))
        per_step = self.architecture.return_sequences
        n_columns = batch.n_columns if per_step else len(batch.lengths)
        output = self.parameters["output.W"]
        features = self._features = np.empty((output.shape[1], n_columns), output.dtype)
        features[-1] = 1
        for span, h in self._run(batch, zip(self._spans, self._records, strict=True)):
            if per_step:
                span.unpack(features[:-1])[...] = h
            else:  # what goes on is overwritten by the next span, what has ended stays
                features[:-1, : span.batch_size] = h[-1]
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
        spans = batch.spans(self.max_columns)
        with_records = ((span, self._records_for((at_start(span),))[0]) for span in spans)
        for span, h in self._run(batch, with_records):
            if self.architecture.return_sequences:
                raw = np.matmul(W_hy, h).transpose(0, 2, 1)  # (n_steps, batch, n_outputs)
                out[span.positions(out_starts)] = raw.reshape(-1, len(b_y)) + b_y
            else:
                out[out_starts[: span.batch_size]] = (W_hy @ h[-1]).T + b_y

    def backward(
        self, d_outputs: np.ndarray, gradients: Parameters, input_gradient: bool = False
    ) -> np.ndarray | None:
        """Backpropagate the gradient on the raw outputs of the last `forward`.

        Overwrites `gradients`. Returns the gradient on the inputs, (n_inputs, packed columns), if
        it is asked for.
        """
        architecture = self.architecture
        gradients.vector[...] = 0
        np.matmul(d_outputs, self._features.T, out=gradients["output.W"])  # y = W_hy h + b_y
        d_features = self.parameters["output.W"][:, :-1].T @ d_outputs
        layer_gradients = [of_layer(gradients, k) for k in range(len(self.layers))]
        d_inputs = None
        if input_gradient:
            n_columns = sum(span.n_steps * span.batch_size for span in self._spans)
            d_inputs = np.empty((architecture.n_inputs, n_columns), gradients.vector.dtype)

        nothing = np.zeros((architecture.hidden_size, self._spans[0].batch_size), d_features.dtype)
        from_last = nothing if architecture.return_sequences else d_features
        d_states = [[nothing[:, :0]] * layer.cell.n_states for layer in self.layers]
        for span, records in zip(reversed(self._spans), reversed(self._records), strict=True):
            d_h = span.unpack(d_features) if architecture.return_sequences else None
            for k in reversed(range(len(self.layers))):
                top = k == len(self.layers) - 1
                for s, d_state in enumerate(d_states[k]):
                    ended = from_last if top and s == 0 else nothing
                    d_states[k][s] = widen(d_state, ended[:, : span.batch_size])
                d_h = self.layers[k].backward(
                    records[k], d_h, d_states[k], layer_gradients[k], input_gradient or k > 0
                )
            if input_gradient:
                span.unpack(d_inputs)[...] = d_h
        return d_inputs

    def _records_for(self, spans: tuple[Span, ...]) -> list[tuple[Record, ...]]:
        """Memory for spans; batches of equal lengths use the same over and over."""
        if spans not in self._plans:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            self._plans[spans] = list(
                zip(*(layer.records(spans) for layer in self.layers), strict=True)
            )
        return self._plans[spans]

    def _run(self, batch: Batch, spans_with_records) -> Iterator[tuple[Span, np.ndarray]]:
        """Go through a batch span by span; yield each span with the top layer's h."""
        states: list[Sequence[np.ndarray] | None] = [None] * len(self.layers)
        for span, records in spans_with_records:
            x = batch.inputs(span)
            for k, layer in enumerate(self.layers):
                x, end = layer.forward(records[k], x, states[k])
                states[k] = [state.copy() for state in end]  # the next span may use the memory
            yield span, x


def at_start(span: Span) -> Span:
    """The span's shape alone: all spans of one shape can use one memory."""
    return span._replace(start=0, column=0)


def widen(d_state: np.ndarray, of_ended: np.ndarray) -> np.ndarray:
    """Going back in time, take in the sequences that ended here, with their gradient."""
    if d_state.shape == of_ended.shape:
        return d_state
    wide = of_ended.copy()
    wide[:, : d_state.shape[1]] = d_state
    return wide
