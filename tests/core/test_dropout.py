"""Dropout: its masks, where they act, and the gradients through them."""

import numpy as np
import pytest

from networks import (
    assert_equal_slopes,
    central_differences,
    evaluate,
    make_network,
    make_sequences,
    make_targets,
    pack,
    predict,
    unset_gradients,
)
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.dropout import Dropout

RAGGED = [2, 7, 1, 7, 2]

cells = pytest.mark.parametrize("cell", CELLS)
per_step = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])


class OfEachUnit:
    """In place of `Dropout`: the same factors for all timesteps, other ones for each layer."""

    def __init__(self, *factors):
        self.factors = iter(factors)

    def mask(self, shape, dtype):
        return np.broadcast_to(next(self.factors)[:, np.newaxis], shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_masks(rate, dtype):
    mask = Dropout(rate, np.random.default_rng(0)).mask((200, 500), dtype)
    assert mask.dtype == dtype
    assert set(np.unique(mask)) == {dtype(0), dtype(1 / (1 - rate))}
    deviation = np.sqrt(rate * (1 - rate) / 500)
    kept = mask > 0
    assert abs(kept.mean() - (1 - rate)) < 5 * deviation / np.sqrt(200)
    assert np.abs(kept.mean(axis=1) - (1 - rate)).max() < 5 * deviation
    # Neighbours, units or timesteps, have nothing to do with each other.
    for a, b in ((kept[1:], kept[:-1]), (kept[:, 1:], kept[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / np.sqrt(a.size)


@cells
@per_step
@directions
@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("max_columns", [4, None])
def test_finite_differences(cell, return_sequences, bidirectional, n_layers, max_columns):
    network = make_network(
        cell,
        n_layers=n_layers,
        return_sequences=return_sequences,
        bidirectional=bidirectional,
        max_columns=max_columns,
    )
    packed = pack(make_sequences(RAGGED))
    task = "squared_error", *make_targets("squared_error", RAGGED, 2, return_sequences)

    def loss():
        network.refresh()
        return evaluate(network, packed, *task, Dropout(0.4, np.random.default_rng(5)))

    undropped, _ = evaluate(network, packed, *task)
    value, d_outputs = loss()
    assert value != pytest.approx(undropped, rel=1e-3)
    gradients = unset_gradients(network)
    d_inputs = network.backward(d_outputs, gradients, input_gradient=True)
    numeric = central_differences(lambda: loss()[0], network.parameters.vector)
    assert_equal_slopes(gradients.vector, numeric, "parameters")
    of_values = np.concatenate(packed.by_sequence(d_inputs, return_sequences=True))
    numeric = central_differences(lambda: loss()[0], packed.batch.values)
    assert_equal_slopes(of_values, numeric, "inputs")


@cells
@per_step
@directions
def test_a_unit_is_scaled_where_the_next_layer_and_the_output_read_it(
    cell, return_sequences, bidirectional
):
    """And not where the next timestep does: it is as if those layers' weights were scaled."""
    options = {
        "n_layers": 2,
        "return_sequences": return_sequences,
        "bidirectional": bidirectional,
    }
    network, scaled = make_network(cell, **options), make_network(cell, **options)
    width = network.architecture.width
    lower, upper = np.random.default_rng(0).integers(0, 3, (2, width)).astype(float)
    named = scaled.architecture.named(scaled.parameters)
    named["layer_1.W_xh"] *= lower
    if bidirectional:
        named["layer_1.reverse.W_xh"] *= lower
    named["output.W_hy"] *= upper
    scaled.refresh()
    batch = pack(make_sequences(RAGGED)).batch
    outputs = network.forward(batch, OfEachUnit(lower, upper))
    np.testing.assert_allclose(outputs, scaled.forward(batch), rtol=0, atol=1e-12)


@per_step
@directions
def test_masks_do_not_depend_on_chunks(return_sequences, bidirectional):
    packed = pack(make_sequences(RAGGED))

    def outputs(max_columns):
        network = make_network(
            n_layers=3,
            return_sequences=return_sequences,
            bidirectional=bidirectional,
            max_columns=max_columns,
        )
        raw = network.forward(packed.batch, Dropout(0.5, np.random.default_rng(0)))
        return packed.by_sequence(raw, return_sequences)

    whole = outputs(None)
    for max_columns in (1, 4, 7):
        for a, b in zip(outputs(max_columns), whole, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@directions
def test_nothing_remains_of_it_for_the_next_batch(bidirectional):
    network = make_network(n_layers=2, bidirectional=bidirectional)
    sequences = make_sequences(RAGGED)
    batch = pack(sequences).batch
    outputs, predicted = network.forward(batch), predict(network, sequences)
    dropped = network.forward(batch, Dropout(0.5, np.random.default_rng(0)))
    assert np.abs(dropped - outputs).max() > 0.01
    np.testing.assert_array_equal(network.forward(batch), outputs)
    np.testing.assert_array_equal(predict(network, sequences), predicted)


@directions
@per_step
def test_float32_stays_float32(bidirectional, return_sequences):
    network = make_network(
        n_layers=2,
        dtype=np.float32,
        bidirectional=bidirectional,
        return_sequences=return_sequences,
    )
    batch = pack(make_sequences(RAGGED, dtype=np.float32)).batch
    outputs = network.forward(batch, Dropout(0.5, np.random.default_rng(0)))
    assert outputs.dtype == np.float32
    gradients = unset_gradients(network)
    d_inputs = network.backward(outputs, gradients, input_gradient=True)
    assert d_inputs.dtype == gradients.vector.dtype == np.float32
    assert np.isfinite(gradients.vector).all()
