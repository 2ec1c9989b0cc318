"""Small random networks and ragged batches, for the tests of the core and of its parity with torch.

What a batch's packed columns are is said here a second time, independently of the package: see
`Packed.steps`.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.heads import Head, MeanAndDeviation
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.packing import Batch, FlatBatch
from sklearn_rnn.core.parameters import Parameters

EPSILON = 1e-5  # best for central differences: errors of about 1e-11, of cutting off and rounding

VARIANTS = [
    (name, activation)
    for name, cell in CELLS.items()
    for activation in cell.activations or ["tanh"]
]

# What an output layer reads: of every timestep, or pooled.
READS_EACH = {"return_sequences": True, "pooling": ("last",)}
READS_LAST = {"return_sequences": False, "pooling": ("last",)}
POOLINGS = [("mean",), ("max",), ("last", "mean", "max")]
OUTPUTS = {
    "all": READS_EACH,
    "last": READS_LAST,
    **{"+".join(names): {"return_sequences": False, "pooling": names} for names in POOLINGS},
}


def make_network(
    cell="gru",
    activation="tanh",
    *,
    n_inputs=2,
    hidden_size=3,
    n_layers=1,
    n_outputs=2,
    return_sequences=False,
    bidirectional=False,
    pooling=("last",),
    head=Head(),  # noqa: B008 (it is immutable)
    max_columns=None,
    dtype=np.float64,
    seed=0,
) -> Network:
    """Return a network whose parameters, the biases too, are random numbers of about ±½."""
    architecture = Architecture(
        cell=cell,
        activation=activation,
        n_inputs=n_inputs,
        hidden_size=hidden_size,
        n_layers=n_layers,
        n_outputs=n_outputs * head.n_per_target,
        return_sequences=return_sequences,
        bidirectional=bidirectional,
        pooling=pooling,
        head=head,
    )
    parameters = architecture.zeros(dtype)
    rng = np.random.default_rng(seed)
    parameters.vector[...] = 0.5 * rng.standard_normal(parameters.vector.size)
    network = Network(architecture, parameters)
    if max_columns is not None:
        network.max_columns = max_columns
    return network


def make_sequences(lengths, n_inputs=2, *, dtype=np.float64, seed=1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((length, n_inputs)).astype(dtype) for length in lengths]


@dataclass(frozen=True)
class Packed:
    """Sequences in the order a user gave them, and the batch that the core makes of them."""

    batch: Batch
    order: list[int]  # the sequence that each column of a timestep belongs to
    lengths: list[int]

    @property
    def ends(self) -> list[int]:
        """The timestep up to which each sequence runs on.

        Sequences of similar lengths form a group that runs on to the longest one's end. Together
        the sequences of a group run on for 32 timesteps at most.
        """
        lengths, groups = sorted(self.lengths), [[]]
        for length in lengths:
            if sum(length - other for other in groups[-1]) > 32:
                groups.append([])
            groups[-1].append(length)
        together = {length: max(group) for group in groups for length in group}
        return [together[length] for length in self.lengths]

    @property
    def steps(self) -> list[tuple[int, int]]:
        """The (sequence, timestep) of each packed column."""
        ends = self.ends
        return [(i, t) for t in range(max(ends)) for i in self.order if t < ends[i]]

    @property
    def is_real(self) -> list[bool]:
        """Whether each packed column is one of a sequence, and not of one that runs on."""
        return [t < self.lengths[i] for i, t in self.steps]

    def by_column(self, arrays, return_sequences):
        """Put targets, weights, ... into the columns' order, which is the last axis.

        arrays : for each sequence its (...), or (T_i, ...) with `return_sequences`; where a
            sequence runs on there are zeros
        """
        if return_sequences:
            real = zip(self.steps, self.is_real, strict=True)
            columns = [arrays[i][t] if ok else np.zeros_like(arrays[i][0]) for (i, t), ok in real]
        else:
            columns = [arrays[i] for i in self.order]
        return np.stack(columns, axis=-1)

    def by_sequence(self, matrix, return_sequences) -> list[np.ndarray]:
        """Turn (rows, columns) into (rows,) for each sequence, or (T_i, rows)."""
        owners = [i for i, _ in self.steps] if return_sequences else self.order
        assert matrix.shape[1] == len(owners), f"{matrix.shape[1]} columns, not {len(owners)}"
        if return_sequences:
            owners = np.where(self.is_real, owners, -1)
        columns = [matrix[:, np.equal(owners, i)].T for i in range(len(self.lengths))]
        return columns if return_sequences else [column for (column,) in columns]


def pack(sequences) -> Packed:
    lengths = [len(sequence) for sequence in sequences]
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    starts = np.cumsum([0, *lengths[:-1]])
    batch = FlatBatch(np.concatenate(sequences), starts[order], np.array(lengths)[order])
    return Packed(batch, order, lengths)


def predict(network, sequences) -> list[np.ndarray]:
    """Return raw outputs, (n_outputs,) for each sequence, or (T_i, n_outputs)."""
    values = np.concatenate(sequences)
    lengths = np.array([len(sequence) for sequence in sequences])
    starts = np.cumsum(lengths) - lengths
    per_step = network.architecture.return_sequences
    out = network.predict(
        lengths,
        lambda chosen: FlatBatch(values, starts[chosen], lengths[chosen]),
        starts if per_step else np.arange(len(lengths)),
        len(values) if per_step else len(lengths),
    )
    return np.split(out, starts[1:]) if per_step else list(out)


TARGETS = {
    "squared_error": lambda rng, n_outputs: rng.standard_normal(n_outputs),
    "absolute_error": lambda rng, n_outputs: rng.standard_normal(n_outputs),
    "huber": lambda rng, n_outputs: 2 * rng.standard_normal(n_outputs),  # some far, some near
    "quantile": lambda rng, n_outputs: rng.standard_normal(n_outputs),
    "gaussian": lambda rng, n_outputs: rng.standard_normal(n_outputs),
    "poisson": lambda rng, n_outputs: rng.poisson(1.5, n_outputs) * 1.0,
    "softmax_cross_entropy": lambda rng, n_outputs: rng.integers(n_outputs),
    "sigmoid_cross_entropy": lambda rng, n_outputs: rng.integers(2, size=n_outputs) * 1.0,
}


# Where a loss takes the raw outputs of another head than `Head`.
HEADS = {"gaussian": MeanAndDeviation()}

# Parameters of losses, other than their defaults.
HYPER = SimpleNamespace(delta=0.7, quantile=0.8, label_smoothing=0.15)


def make_targets(loss, lengths, n_outputs, return_sequences, *, seed=2):
    """Return targets and uneven weights: a target and a weight for each sequence, or (T_i, ...)."""
    rng = np.random.default_rng(seed)
    shapes = [(length,) if return_sequences else () for length in lengths]
    weights = [rng.uniform(0.1, 2.0, shape) for shape in shapes]
    targets = [
        np.array([TARGETS[loss](rng, n_outputs) for _ in range(length)])
        if return_sequences
        else TARGETS[loss](rng, n_outputs)
        for length in lengths
    ]
    return targets, weights


def loss_and_gradients(network, packed, loss, targets, weights):
    """Return loss, gradients (under the textbook's names) and gradients on the inputs."""
    per_step = network.architecture.return_sequences
    value, d_outputs, tape = evaluate(network, packed, loss, targets, weights)
    gradients = unset_gradients(network)
    d_inputs = network.backward(tape, d_outputs, gradients, input_gradient=True)
    named = network.architecture.named(gradients)
    assert per_step or d_outputs.shape[1] == len(packed.lengths)
    return value, named, packed.by_sequence(d_inputs, return_sequences=True)


def evaluate(
    network, packed, loss, targets, weights, dropout=None, recurrent_dropout=None, hyper=HYPER
):
    """Run forward; return the loss, its gradient on the raw outputs, and the tape."""
    per_step = network.architecture.return_sequences
    weight = packed.by_column(weights, per_step)
    target = packed.by_column(targets, per_step)
    raw, tape = network.forward(packed.batch, dropout, recurrent_dropout)
    return *LOSSES[loss].of(hyper).evaluate(raw, target, weight / weight.sum()), tape


def unset_gradients(network) -> Parameters:
    """Return memory for gradients in which whatever is left as it was will be noticed."""
    gradients = network.architecture.zeros(network.dtype)
    gradients.vector[...] = np.nan
    return gradients


def central_differences(f, values):
    """The derivatives of f() with respect to all entries of the array `values`."""
    flat = values.reshape(-1)
    assert np.shares_memory(flat, values)
    slopes = np.empty_like(flat)
    for k, value in enumerate(flat.tolist()):
        flat[k] = value + EPSILON
        above = f()
        flat[k] = value - EPSILON
        below = f()
        flat[k] = value
        slopes[k] = (above - below) / (2 * EPSILON)
    return slopes.reshape(values.shape)


def assert_equal_slopes(actual, numeric, name):
    # A rectified unit may be dead, and both slopes zero.
    largest = max(np.abs(numeric).max(), np.finfo(float).tiny)
    error = np.abs(actual - numeric).max() / largest
    assert error < 1e-6, f"{name}: relative error {error:.1e}"
