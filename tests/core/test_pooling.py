"""Pooling over time: the right timesteps, in constant memory, from segment to segment."""

import numpy as np
import pytest

from memory import peak_bytes
from networks import POOLINGS, make_network, make_sequences, pack, predict, unset_gradients
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.dropout import Dropout
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.pooling import Max, Mean, Pooling

RAGGED = [3, 9, 1, 3, 45, 1, 2]
H = 3

cells = pytest.mark.parametrize("cell", CELLS)
poolings = pytest.mark.parametrize("pooling", POOLINGS, ids="+".join)
directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])


def by_hand(hs, pooling):
    """Pool h of one sequence, (T, width); the second H units are the reverse direction's."""
    pools = {
        "last": np.concatenate([hs[-1, :H], hs[0, H:]]),
        "mean": hs.mean(axis=0),
        "max": hs.max(axis=0),
    }
    return np.concatenate([pools[name] for name in pooling])


def showing_features(n_layers=1, bidirectional=False, pooling=None, max_columns=None):
    """A network whose raw outputs are what its output layer reads; None for h at each timestep.

    The recurrent layers are the same for each `pooling`.
    """
    width, names = H * (1 + bidirectional), pooling or ("last",)
    n_outputs = width * len(names)
    architecture = Architecture(
        "gru", "tanh", 2, H, n_layers, n_outputs, pooling is None, bidirectional, names
    )
    parameters = architecture.zeros(np.float64)
    for k, array in enumerate(parameters.values()):
        array[...] = 0.5 * np.random.default_rng(k).standard_normal(array.shape)
    parameters["output.W"][...] = np.eye(n_outputs, n_outputs + 1)
    network = Network(architecture, parameters)
    network.max_columns = max_columns or network.max_columns
    return network


@poolings
@directions
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("max_columns", [1, 5, None])
def test_pools_read_every_timestep_of_their_sequence(pooling, bidirectional, n_layers, max_columns):
    sequences = make_sequences(RAGGED)
    hidden = predict(showing_features(n_layers, bidirectional), sequences)
    network = showing_features(n_layers, bidirectional, pooling, max_columns)
    raw, _ = network.forward(pack(sequences).batch)
    trained = pack(sequences).by_sequence(raw, False)
    for features in (trained, predict(network, sequences)):
        for actual, hs in zip(features, hidden, strict=True):
            np.testing.assert_allclose(actual, by_hand(hs, pooling), rtol=0, atol=1e-12)


@poolings
def test_dropout_drops_units_before_they_are_pooled(pooling):
    packed = pack(make_sequences(RAGGED))

    def outputs(network):
        raw, _ = network.forward(packed.batch, Dropout(0.5, np.random.default_rng(0)))
        return packed.by_sequence(raw, network.architecture.return_sequences)

    hidden = outputs(showing_features(n_layers=2))
    for actual, hs in zip(outputs(showing_features(2, pooling=pooling)), hidden, strict=True):
        np.testing.assert_allclose(actual, by_hand(hs, pooling), rtol=0, atol=1e-12)


@cells
@poolings
@directions
def test_predictions_do_not_depend_on_the_batch(cell, pooling, bidirectional):
    lengths = np.random.default_rng(0).integers(1, 30, 300)  # more than a batch of predictions
    sequences = make_sequences(lengths)
    network = make_network(cell, bidirectional=bidirectional, pooling=pooling)
    together = predict(network, sequences)
    np.testing.assert_allclose(predict(network, sequences[::-1])[::-1], together, atol=1e-12)
    alone = [predict(network, [sequence])[0] for sequence in sequences[::9]]
    np.testing.assert_allclose(alone, together[::9], rtol=0, atol=1e-12)


@poolings
@directions
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_runs_on_is_not_read(pooling, bidirectional, value):
    """Neither forward nor backward, not even where it overflows."""
    batch = pack(make_sequences([4, 3, 2])).batch
    (span,) = next(batch.chunks(100))
    assert span.shape == (4, 3)
    width = H * (1 + bidirectional)
    h = np.random.default_rng(0).standard_normal((4, width, 3))
    overflowing = h.copy()
    overflowing[3, :, 1:] = overflowing[2, :, 2] = value
    d_features = np.ones((len(pooling) * width, 3))
    results = []
    for array in (h, overflowing):
        network = make_network(hidden_size=H, bidirectional=bidirectional, pooling=pooling)
        pooled = Pooling(batch, network._start(3).pools)
        features = pooled.forward([((span,), [array])])
        ((_, (d_h,)),) = pooled.backward([(span,)], d_features)
        results.append((features, np.array(list(d_h))))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    d_h = results[0][1]
    assert not d_h[3, :, 1:].any()
    assert not d_h[2, :, 2].any()
    np.testing.assert_allclose(d_h.sum(axis=0), len(pooling), rtol=1e-12)


def read(pool, batch, h):
    """Let a pool read a whole batch, (n_steps, width, batch), as one span."""
    ((span,),) = batch.chunks(10**6)
    pool = pool.go_on(batch)
    pool.read(batch, span, h)
    return pool, span


def test_the_first_of_several_maxima_gets_the_gradient():
    batch = pack(make_sequences([5, 5])).batch
    h = np.array([[0, 2, 1, 2, 2], [3, 3, 0, 3, 3]], float).T[:, np.newaxis]
    pool, span = read(Max.start(1, 2, float), batch, h)
    d_h = pool.gradient(batch, span, np.array([[7.0, 8.0]]))
    np.testing.assert_array_equal(d_h[:, 0].T, [[0, 7, 0, 0, 0], [8, 0, 0, 0, 0]])
    later, span = read(pool, batch, h)  # the same values in the next segment are later ones
    assert not later.gradient(batch, span, np.array([[7.0, 8.0]])).any()


@pytest.mark.parametrize("max_columns", [1, 3])
def test_the_first_of_several_maxima_in_several_spans(max_columns):
    """h is 1 throughout but at the first timestep."""
    network = make_network("elman", "identity", n_inputs=1, hidden_size=1, pooling=("max",))
    network.parameters.vector[...] = 0
    network.architecture.named(network.parameters)["layer_0.W_xh"][...] = 1
    network.architecture.named(network.parameters)["output.W_hy"][...] = 1
    network.max_columns = max_columns
    network.refresh()
    packed = pack([np.array([[0.0], [1.0], [1.0], [1.0], [1.0]])])
    _, tape = network.forward(packed.batch)
    d_outputs = np.array([[1.0], [0.0]])
    d_inputs = network.backward(tape, d_outputs, unset_gradients(network), input_gradient=True)
    np.testing.assert_array_equal(d_inputs, [[0, 1, 0, 0, 0]])


def test_the_mean_of_many_float32_keeps_its_digits():
    batch = pack([np.zeros((128, 1))]).batch
    pool, h = Mean.start(1, 1, np.float32), np.full((128, 1, 1), 0.1, np.float32)
    for _ in range(5000):
        pool, _ = read(pool, batch, h)
    assert pool.values == pytest.approx(0.1, rel=1e-6)


@cells
@poolings
@pytest.mark.parametrize("n_steps", [1, 2, 5, 50])
@pytest.mark.parametrize("max_columns", [3, None])
def test_segments_go_on_from_what_was_pooled_before(cell, pooling, n_steps, max_columns):
    """At the end of a sequence the segments' outputs are those of the whole sequence."""
    sequences = make_sequences([45, 19, 11, 3, 2, 2])
    expected = predict(make_network(cell, n_layers=2, pooling=pooling), sequences)
    network = make_network(cell, n_layers=2, pooling=pooling, max_columns=max_columns)
    batch, carry = pack(sequences).batch, None
    for first in range(0, 45, n_steps):
        segment = batch.timesteps(first, first + n_steps)
        raw, tape = network.forward(segment, carry=carry)
        again, _ = network.forward(segment, carry=carry)
        np.testing.assert_array_equal(again, raw)  # a carry may serve twice
        carry = tape.carry
        for i in range(len(segment.lengths)):
            if len(sequences[i]) <= first + n_steps:
                np.testing.assert_allclose(raw[:, i], expected[i], rtol=0, atol=1e-12)


@poolings
def test_prediction_keeps_no_history(pooling):
    n_sequences, hidden_size = 4, 16

    def peak(n_timesteps):
        packed = pack(make_sequences([n_timesteps] * n_sequences))
        network = make_network(hidden_size=hidden_size, max_columns=64, pooling=pooling)
        arguments = packed.batch.lengths, lambda chosen: packed.batch, np.arange(4), n_sequences
        return peak_bytes(lambda: network.predict(*arguments))

    short, long = peak(64), peak(6400)
    history_of_h = 6400 * n_sequences * hidden_size * 8
    assert long - short < 0.1 * history_of_h  # Python itself keeps up to 5 % in reserve


@poolings
@directions
def test_float32_stays_float32(pooling, bidirectional):
    network = make_network(dtype=np.float32, bidirectional=bidirectional, pooling=pooling)
    double = make_network(bidirectional=bidirectional, pooling=pooling)
    double.parameters.vector[...] = network.parameters.vector
    double.refresh()
    sequences = make_sequences(RAGGED, dtype=np.float32)
    outputs, tape = network.forward(pack(sequences).batch)
    gradients, expected = unset_gradients(network), unset_gradients(double)
    d_inputs = network.backward(tape, outputs, gradients, input_gradient=True)
    assert outputs.dtype == gradients.vector.dtype == d_inputs.dtype == np.float32
    of_double, tape = double.forward(pack([x.astype(np.float64) for x in sequences]).batch)
    double.backward(tape, outputs.astype(np.float64), expected)
    np.testing.assert_allclose(outputs, of_double, rtol=0, atol=1e-5)
    np.testing.assert_allclose(gradients.vector, expected.vector, rtol=0, atol=1e-4)
    predicted = predict(network, sequences)
    assert predicted[0].dtype == np.float32
    np.testing.assert_allclose(predicted, predict(double, sequences), rtol=0, atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_output_layer_has_the_width_of_all_pools(bidirectional):
    names = ("last", "mean", "max")
    architecture = Architecture("gru", "tanh", 2, 3, 1, 4, False, bidirectional, names)
    parameters = architecture.zeros(np.float64)
    n_features = 3 * (6 if bidirectional else 3)
    assert architecture.named(parameters)["output.W_hy"].shape == (4, n_features)
    network = Network(architecture, parameters)
    network.initialize(np.random.default_rng(0))
    limit = np.sqrt(6 / (n_features + 4))  # Glorot's, by the numbers of inputs and outputs
    largest = np.abs(parameters["output.W"]).max()
    assert 0.8 * limit < largest <= limit
