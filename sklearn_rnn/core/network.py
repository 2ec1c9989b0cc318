"""Stacked recurrent layers and an output layer: forward, backward, and prediction."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.architecture import Architecture, of_layer
from sklearn_rnn.core.directions import BidirectionalLayer
from sklearn_rnn.core.dropout import Dropout
from sklearn_rnn.core.initializers import glorot_uniform
from sklearn_rnn.core.memory import Workspace
from sklearn_rnn.core.packing import Batch, Chunk, Span, decreasing
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.recurrent import RecurrentLayer, Stream

# How much memory the backward pass over a chunk goes through: about the second-level cache, or some
# more, since long chunks save calls. 2 MiB were 5 % faster than 0.5 MiB, and 0.125 MiB 13 % slower.
CHUNK_BYTES = 2 * 1024**2

# How many sequences are predicted side by side: more are not faster, and take more memory.
PREDICT_BATCH = 256


class Carry(NamedTuple):
    """What goes from segment to segment of a batch, for each layer.

    Sequences that are in the batch no more leave what comes after the others' columns.
    """

    states: Sequence[Sequence[np.ndarray] | None]  # each (H, batch or more)
    recurrent_masks: Sequence[np.ndarray | None]  # (width, batch or more)


class Kept(NamedTuple):
    """What a forward pass leaves for the backward pass."""

    batch: Batch
    chunks: list[Chunk]
    records: list[list]  # for each layer, for each chunk
    masks: list[np.ndarray | None]  # for each layer, of its outputs
    recurrent_masks: Sequence[np.ndarray | None]  # for each layer
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
        self.layers = self._make_layers()
        rows = max(layer.rows_per_step for layer in self.layers)
        self.max_columns = CHUNK_BYTES // (rows * self.dtype.itemsize)
        self._kept: Kept | None = None
        self.carry: Carry | None = None  # from the last `forward` to the next segment's
        self.refresh()

    def _make_layers(self) -> list[RecurrentLayer] | list[BidirectionalLayer]:
        architecture, workspace = self.architecture, Workspace(self.dtype)
        arguments = [
            (architecture.make_cell(), width, self.dtype, workspace)
            for width in architecture.widths()
        ]
        if not architecture.bidirectional:
            return [RecurrentLayer(*args) for args in arguments]
        *lower, top = arguments
        return [
            *(BidirectionalLayer(*args, aligned=True) for args in lower),
            BidirectionalLayer(*top, aligned=architecture.return_sequences),
        ]

    def refresh(self) -> None:
        """Take over changed parameters."""
        for k, layer in enumerate(self.layers):
            layer.refresh(of_layer(self.parameters, k))

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw starting values."""
        for k, layer in enumerate(self.layers):
            layer.initialize(of_layer(self.parameters, k), rng)
        output = self.parameters["output.W"]
        output[:, :-1] = glorot_uniform(rng, len(output), output.shape[1] - 1)
        output[:, -1] = 0.0
        self.refresh()

    def forward(
        self,
        batch: Batch,
        dropout: Dropout | None = None,
        recurrent_dropout: Dropout | None = None,
        carry: Carry | None = None,
    ) -> np.ndarray:
        """Return the raw outputs, (n_outputs, batch), or (n_outputs, columns) one per timestep.

        The columns are the batch's packed columns; what stands in those of sequences that run on is
        of no use. Dropout acts on the outputs of every recurrent layer, recurrent dropout on h
        where the next timestep takes it in. `carry` is what the pass over the segment before has
        left, if this is a later one. What `backward` needs is kept.
        """
        carry = carry or self._beginning(batch, recurrent_dropout)
        chunks = list(batch.chunks(self.max_columns))
        records = [
            layer.records(chunks, h_apart=mask is not None)
            for layer, mask in zip(self.layers, carry.recurrent_masks, strict=True)
        ]
        per_step = self.architecture.return_sequences
        n_columns = batch.n_columns if per_step else len(batch.lengths)
        output = self.parameters["output.W"]
        features = np.empty((output.shape[1], n_columns), output.dtype)
        features[-1] = 1
        masks = self._masks(batch, n_columns, dropout)
        for chunk, h in self._run(batch, chunks, records, masks, carry):
            for span, h_of_span in zip(chunk, h, strict=True):
                if per_step:
                    span.unpack(features[:-1])[...] = h_of_span
                for step, first, last in () if per_step else span.ends:
                    features[:-1, first:last] = h_of_span[step, :, first:last]
        if masks[-1] is not None:
            features[:-1] *= masks[-1]
        self._kept = Kept(batch, chunks, records, masks, carry.recurrent_masks, features)
        self.carry = Carry([layer.states for layer in self.layers], carry.recurrent_masks)
        return output @ features  # y = W_hy h + b_y

    def _beginning(self, batch: Batch, recurrent_dropout: Dropout | None = None) -> Carry:
        """What a batch starts from; a mask is drawn for each sequence, and holds to its end."""
        nothing = [None] * len(self.layers)
        if recurrent_dropout is None:
            return Carry(nothing, nothing)
        shape = self.architecture.width, len(batch.lengths)
        return Carry(nothing, [recurrent_dropout.mask(shape, self.dtype) for _ in self.layers])

    def _masks(self, batch: Batch, n_features: int, dropout: Dropout | None):
        """Draw masks (width, columns) for the outputs of each layer, for the top one's features.

        All of them at once, so that they don't depend on how the batch is cut into chunks.
        """
        if dropout is None:
            return [None] * len(self.layers)
        n_columns = [batch.n_columns] * (len(self.layers) - 1) + [n_features]
        return [dropout.mask((self.architecture.width, n), self.dtype) for n in n_columns]

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

        no_masks = [None] * len(self.layers)
        start = self._beginning(batch)
        for chunk, h in self._run(batch, chunks(), map(in_turn, self.layers), no_masks, start):
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
        kept, self._kept = self._kept, None
        batch = kept.batch
        gradients.vector[...] = 0
        np.matmul(d_outputs, kept.features.T, out=gradients["output.W"])  # y = W_hy h + b_y
        d_h = self._feature_gradients(kept, d_outputs)
        for k in reversed(range(len(self.layers))):
            layer, of_layer_k = self.layers[k], of_layer(gradients, k)
            d_x_wanted, mask = input_gradient or k > 0, kept.recurrent_masks[k]
            d_h = layer.backward(batch, kept.records[k], d_h, of_layer_k, d_x_wanted, mask)
            if k > 0 and kept.masks[k - 1] is not None:
                d_h = masked(d_h, kept.masks[k - 1])

        d_inputs = None
        if input_gradient:
            d_inputs = np.empty((self.architecture.n_inputs, batch.n_columns), self.dtype)
        for chunk, d_xs in d_h:
            for span, d_x in zip(chunk, d_xs, strict=True):
                if input_gradient:
                    span.unpack(d_inputs)[...] = d_x
        return d_inputs

    def _feature_gradients(self, kept: Kept, d_outputs: np.ndarray) -> Stream:
        """The gradient on the top layer's h: for each chunk, last one first, that of its spans."""
        W_hy_T = self.parameters["output.W"][:, :-1].T
        mask = kept.masks[-1]
        if self.architecture.return_sequences:
            d_h = (
                (chunk, [np.matmul(W_hy_T, span.unpack(d_outputs)) for span in chunk])
                for chunk in reversed(kept.chunks)
            )
            return d_h if mask is None else masked(d_h, mask)
        d_last = W_hy_T @ d_outputs
        if mask is not None:
            d_last *= mask
        return (
            (chunk, [at_ends(span, d_last) for span in chunk]) for chunk in reversed(kept.chunks)
        )

    def _run(self, batch: Batch, chunks, records, masks, carry: Carry) -> Stream:
        """Go through a batch chunk by chunk; yield each with the top layer's h of its spans.

        records : for each layer, for each chunk
        masks : for each layer, of its outputs; the top one's are left to the caller
        """
        stream = ((chunk, batch.inputs(chunk)) for chunk in chunks)
        below = [None, *masks[:-1]]
        for layer, of_layer_k, mask, *carried in zip(
            self.layers, records, below, *carry, strict=True
        ):
            if mask is not None:
                stream = masked(stream, mask)
            stream = layer.forward(batch, of_layer_k, stream, *carried)
        return stream


def masked(stream: Stream, mask: np.ndarray) -> Stream:
    """Multiply by a mask (rows, packed columns): on the way there h, and on the way back d_h."""
    for chunk, arrays in stream:
        yield (
            chunk,
            [span.unpack(mask) * array for span, array in zip(chunk, arrays, strict=True)],
        )


def at_ends(span: Span, d_last: np.ndarray) -> list[np.ndarray | None]:
    """The gradient on h at each step of a span, given that on the last h of each sequence."""
    d_h: list[np.ndarray | None] = [None] * span.n_steps
    for step, first, last in span.ends:
        d_h[step] = np.zeros((len(d_last), span.batch_size), d_last.dtype)
        d_h[step][:, first:last] = d_last[:, first:last]
    return d_h
