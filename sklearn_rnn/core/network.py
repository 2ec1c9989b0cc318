"""A network: recurrent layers, one on top of the other, and an output layer."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.architecture import Architecture, of_layer
from sklearn_rnn.core.carry import Carry
from sklearn_rnn.core.directions import BidirectionalLayer
from sklearn_rnn.core.dropout import Dropout
from sklearn_rnn.core.initializers import glorot_uniform
from sklearn_rnn.core.layer import Flow, Layer, LayerCarry, LayerTape, masked
from sklearn_rnn.core.layouts import Layout, Layouts, layout_of
from sklearn_rnn.core.memory import Workspace
from sklearn_rnn.core.packing import Batch, Chunk
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.pooling import POOLS, Pooling
from sklearn_rnn.core.recurrent import RecurrentLayer
from sklearn_rnn.core.scaling import Standardizer, Units

# How much memory the backward pass over a chunk works on. About the size of the second-level cache,
# or somewhat more, since long chunks save calls: 2 MiB were 5 % faster than 0.5 MiB, and 0.125 MiB
# were 13 % slower.
CHUNK_BYTES = 2 * 1024**2

# Turns features (..., n_features, batch) into results (..., n), one after another.
ReadOut = Callable[[np.ndarray], np.ndarray]


class Results(NamedTuple):
    """What becomes of the features, and where it goes.

    starts : (n_sequences,), the row of each sequence's result; with one output per timestep, the
        row of its first one
    """

    read_out: ReadOut
    rows: np.ndarray  # (n_rows, any)
    starts: np.ndarray

    def take(self, chosen: np.ndarray | slice) -> "Results":
        """Return the place of the results of some of the sequences."""
        return Results(self.read_out, self.rows, self.starts[chosen])


class Masks(NamedTuple):
    """Dropout's masks; None for no dropout.

    outputs : (width, packed columns), for the outputs of each layer
    features : (width, n_sequences), in place of the top layer's if only the last h is read
    """

    outputs: list[np.ndarray | None]
    features: np.ndarray | None = None


class Tape(NamedTuple):
    """What a forward pass writes, for its backward pass and for the next segment.

    Much of it lies in the memory of the network. So a tape serves one backward pass, and only until
    the network runs again. `carry` has memory of its own.
    """

    batch: Batch
    chunks: list[Chunk]
    layers: list[LayerTape]
    pooling: Pooling
    masks: Masks
    features: np.ndarray  # [h; 1] or [pooled h; 1], what the output layer has read
    a: np.ndarray  # what it has made of them, and the head has read
    token: object  # identifies the pass

    @property
    def carry(self) -> Carry:
        return Carry([tape.carry for tape in self.layers], self.pooling.pools)


class Network:
    """A network that computes with some parameters.

    `parameters` may change in place; call `refresh` then. A network belongs to one thread, since it
    works in buffers of its own. To make another one from the same parameters is cheap.

    units : of the inputs as they come, and of the outputs that `predict` returns
    """

    def __init__(
        self,
        architecture: Architecture,
        parameters: Parameters,
        units: Units = Units(),  # noqa: B008 (it is immutable)
    ):
        self.architecture = architecture
        self.parameters = parameters
        self.dtype = parameters.vector.dtype
        self.units = units
        self.layers = self._make_layers()
        self.largest_product = max(W.size for W in parameters.values() if W.ndim == 2)
        rows = max(layer.rows_per_step for layer in self.layers)
        self.max_columns = CHUNK_BYTES // (rows * self.dtype.itemsize)
        self._token: object | None = None  # of the tape that the buffers hold
        self._layouts = Layouts()
        self._first_carry: tuple[int, Carry] | None = None
        self.refresh()

    @property
    def units(self) -> Units:
        return self._units

    @units.setter
    def units(self, units: Units) -> None:
        scaling = units.inputs
        self._units = units
        self._standardizer = None if scaling is None else Standardizer(scaling, self.dtype)

    def _make_layers(self) -> list[Layer]:
        architecture, workspace = self.architecture, Workspace(self.dtype)
        layers: list[Layer] = []
        for k, n_inputs in enumerate(architecture.widths()):
            cell = architecture.make_cell()
            if architecture.bidirectional:
                is_top = k == architecture.n_layers - 1
                aligned = architecture.return_sequences or not is_top
                layers.append(BidirectionalLayer(cell, n_inputs, workspace, aligned=aligned))
            else:
                layers.append(RecurrentLayer(cell, n_inputs, workspace))
        return layers

    def refresh(self) -> None:
        """Take over changed parameters."""
        for k, layer in enumerate(self.layers):
            layer.refresh(of_layer(self.parameters, k))
        output = self.parameters["output.W"]
        self._W_hy_b_y = output[:, :-1], output[:, -1]

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw starting values of the parameters, in place."""
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
    ) -> tuple[np.ndarray, Tape]:
        """Return the raw outputs, and the tape for `backward`.

        The outputs are (n_outputs, batch), or with one output per timestep (n_outputs, packed
        columns). Ignore the columns of sequences that run on.

        dropout : acts on the outputs of every recurrent layer
        recurrent_dropout : acts on h where the next timestep reads it
        carry : if the batch continues an earlier segment, the carry of that segment's tape, which
            includes the masks of recurrent dropout
        """
        carry = carry or self._start(len(batch.lengths), recurrent_dropout)
        chunks = list(batch.chunks(self.max_columns))
        tapes = [
            LayerTape(batch, layer.records(chunks, part.recurrent_mask is not None), part)
            for layer, part in zip(self.layers, carry.layers, strict=True)
        ]
        pooling = Pooling(batch, carry.pools)
        per_step = self.architecture.return_sequences
        n_columns = batch.n_columns if per_step else len(batch.lengths)
        output = self.parameters["output.W"]
        features = np.empty((output.shape[1], n_columns), output.dtype)
        features[-1] = 1
        masks = self._masks(batch, dropout)
        self._token = token = object()
        h = self._run(self._inputs(batch, chunks), tapes, masks)
        if per_step:
            for chunk, arrays in h:
                for span, h_of_span in zip(chunk, arrays, strict=True):
                    span.unpack(features[:-1])[...] = h_of_span
        else:
            features[:-1] = pooling.forward(h)
        if masks.features is not None:
            features[:-1] *= masks.features
        a = output @ features  # a = W_hy h + b_y
        tape = Tape(batch, chunks, tapes, pooling, masks, features, a, token)
        return self.architecture.head.forward(a), tape

    def _inputs(self, batch: Batch, chunks: Iterable[Chunk]) -> Flow:
        """Yield chunks with x of their spans, without units."""
        for chunk in chunks:
            yield chunk, batch.inputs(chunk, self._standardizer)

    def _start(self, n_sequences: int, recurrent_dropout: Dropout | None = None) -> Carry:
        """Return zero states, empty pools and, with recurrent dropout, a mask for each sequence."""
        pools = [
            POOLS[name].start(self.architecture.width, n_sequences, self.dtype)
            for name in self.architecture.pooling
        ]
        if recurrent_dropout is None:
            return Carry([LayerCarry()] * len(self.layers), pools)
        masks = [
            recurrent_dropout.mask((layer.n_outputs, n_sequences), self.dtype)
            for layer in self.layers
        ]
        return Carry([LayerCarry(recurrent_mask=mask) for mask in masks], pools)

    def _first(self, n_sequences: int) -> Carry:
        """Return what `predict` starts from, which nothing writes into. The last one is kept."""
        if self._first_carry is None or self._first_carry[0] != n_sequences:
            self._first_carry = n_sequences, self._start(n_sequences)
        return self._first_carry[1]

    def _masks(self, batch: Batch, dropout: Dropout | None) -> Masks:
        """Draw dropout's masks.

        They are drawn for all columns at once, so they don't depend on how a batch is cut into
        chunks.
        """
        n_layers, width = len(self.layers), self.architecture.width
        if dropout is None:
            return Masks([None] * n_layers)
        n_masks = n_layers if self.architecture.reads_every_step else n_layers - 1
        outputs = [dropout.column_mask(width, batch, self.dtype) for _ in range(n_masks)]
        if n_masks == n_layers:
            return Masks(outputs)
        return Masks([*outputs, None], dropout.mask((width, len(batch.lengths)), self.dtype))

    def _run(self, flow: Flow, tapes: list[LayerTape], masks: Masks) -> Flow:
        """Send inputs through the recurrent layers; yield each chunk with the top layer's h."""
        for layer, tape, mask in zip(self.layers, tapes, masks.outputs, strict=True):
            flow = masked(layer.forward(tape, flow), mask)
        return flow

    def backward(
        self,
        tape: Tape,
        d_outputs: np.ndarray,
        gradients: Parameters,
        input_gradient: bool = False,
    ) -> np.ndarray | None:
        """Backpropagate the gradient on the raw outputs of the forward pass that wrote the tape.

        The pass uses up the tape. It overwrites `gradients`, and returns the gradient on the
        inputs as they came, (n_inputs, packed columns), if you ask for it.

        d_outputs : zero in the columns of sequences that run on
        """
        if tape.token is not self._token:
            raise ValueError("The tape is used up, or the network has run again since it wrote it.")
        self._token = None
        gradients.vector[...] = 0
        d_a = self.architecture.head.backward(tape.a, d_outputs)
        np.matmul(d_a, tape.features.T, out=gradients["output.W"])  # a = W_hy h + b_y
        d_h = self._feature_gradients(tape, d_a)
        for k in reversed(range(len(self.layers))):
            d_h, d_x_wanted = masked(d_h, tape.masks.outputs[k]), input_gradient or k > 0
            d_h = self.layers[k].backward(tape.layers[k], d_h, of_layer(gradients, k), d_x_wanted)

        if not input_gradient:
            for _ in d_h:  # the layers run as the flow is read
                pass
            return None
        d_inputs = np.empty((self.architecture.n_inputs, tape.batch.n_columns), self.dtype)
        for chunk, d_xs in d_h:
            for span, d_x in zip(chunk, d_xs, strict=True):
                span.unpack(d_inputs)[...] = d_x
        if self._standardizer is not None:
            self._standardizer.backward(d_inputs)
        return d_inputs

    def _feature_gradients(self, tape: Tape, d_a: np.ndarray) -> Flow:
        """Yield the chunks, last one first, with the gradient on the top layer's h."""
        W_hy_T = self.parameters["output.W"][:, :-1].T
        if self.architecture.return_sequences:
            return (
                (chunk, [np.matmul(W_hy_T, span.unpack(d_a)) for span in chunk])
                for chunk in reversed(tape.chunks)
            )
        d_features = W_hy_T @ d_a
        if tape.masks.features is not None:
            d_features *= tape.masks.features
        return tape.pooling.backward(tape.chunks, d_features)

    def start(self, n_sequences: int) -> Carry:
        """Return the carry of sequences that begin, with arrays that `predict` can lead on."""
        cell, pools = self.architecture.make_cell(), self._start(n_sequences).pools
        shape = (len(self.layers), cell.n_states, cell.hidden_size, n_sequences)
        return Carry([LayerCarry(list(states)) for states in np.zeros(shape, self.dtype)], pools)

    def predict(
        self,
        lengths: np.ndarray,
        batch_of: Callable[[np.ndarray], Batch],
        out_starts: np.ndarray,
        n_rows: int,
        carry: Carry | None = None,
    ) -> np.ndarray:
        """Return raw outputs, (n_rows, n_outputs), in the units of the targets.

        From timestep to timestep only states, and what pools need, are kept.

        lengths : (n_sequences,), in any order
        batch_of : returns the batch of the sequences with the given numbers; it is called with
            numbers in the order of decreasing length
        out_starts : (n_sequences,), the row of each sequence's output; with one output per
            timestep, the row of its first one
        carry : where the sequences go on from, in their order; it is led on in place. None for
            sequences that begin. With a carry, a network must not be bidirectional.
        """
        out = np.empty((n_rows, self.architecture.n_outputs), self.dtype)
        results = Results(self._outputs, out, out_starts)
        for layout in self._layouts.of(lengths, self.max_columns):
            batch, places = batch_of(layout.chosen), results.take(layout.chosen)
            if carry is None:
                self._read(batch, layout, places)
            else:
                part = carry.take(layout.chosen)
                self._read_on(batch, layout, places, part)
                carry.put(layout.chosen, part)
        return out

    def features(
        self,
        lengths: np.ndarray,
        batch_of: Callable[[np.ndarray], Batch],
        out_starts: np.ndarray,
        n_rows: int,
    ) -> np.ndarray:
        """Return what the output layer reads, (n_rows, n_features); for the rest see `predict`."""
        out = np.empty((n_rows, self.architecture.n_features), self.dtype)
        results = Results(transposed, out, out_starts)
        for layout in self._layouts.of(lengths, self.max_columns):
            self._read(batch_of(layout.chosen), layout, results.take(layout.chosen))
        return out

    def _read_on(self, batch: Batch, layout: Layout, results: Results, carry: Carry) -> None:
        """Lead a carry on, and write the results of a batch.

        The batch is cut where sequences end. So no sequence runs on, and all states are those at
        its end.
        """
        per_step = self.architecture.return_sequences
        for first, end in pairwise([0, *np.unique(batch.lengths).tolist()]):
            segment = batch.timesteps(first, end)
            running = slice(len(segment.lengths))
            places = results.take(running)
            if segment is not batch:
                layout = layout_of(layout.chosen[running], segment, self.max_columns)
                places = places._replace(starts=places.starts + (first if per_step else 0))
            carry.put(running, self._read(segment, layout, places, carry))

    def _read(
        self, batch: Batch, layout: Layout, results: Results, carry: Carry | None = None
    ) -> Carry:
        """Write the results of a batch."""
        self._token = None
        _, packing, chunks = layout
        read_out, out, out_starts = results
        start = carry or self._first(len(packing.lengths))
        tapes = [LayerTape(packing, None, part) for part in start.layers]
        pooling = Pooling(packing, start.pools)
        h = self._inputs(batch, chunks)
        for layer, tape in zip(self.layers, tapes, strict=True):
            h = layer.forward(tape, h)
        if self.architecture.return_sequences:
            for chunk, arrays in h:
                parts = [read_out(part) for part in arrays]
                rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
                places = packing.places(out_starts, chunk)
                if not packing.is_exact(chunk):
                    real = packing.is_real(chunk)
                    places, rows = places[real], rows[real]
                out[places] = rows
        else:
            features = pooling.forward(h).astype(self.dtype, copy=False)
            # A product per length, so that sequences of other lengths change no bit.
            for first, last in packing.equally_long:
                out[out_starts[first:last]] = read_out(features[:, first:last])
        return Carry([tape.carry for tape in tapes], pooling.pools)

    def _outputs(self, features: np.ndarray) -> np.ndarray:
        """Return raw outputs (n, n_outputs) in the units of the targets.

        features : (..., n_features, batch), where n counts all but the features
        """
        W_hy, b_y = self._W_hy_b_y
        rows = transposed(np.matmul(W_hy, features)) + b_y
        head, scaling = self.architecture.head, self._units.targets
        if not head.is_identity:
            rows = head.forward(rows.T).T
        return rows if scaling is None else head.in_units(rows, scaling)


def transposed(array: np.ndarray) -> np.ndarray:
    """Return (..., rows, batch) as (n, rows)."""
    return array.swapaxes(-1, -2).reshape(-1, array.shape[-2])
