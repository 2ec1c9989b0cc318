"""Dropout, the recurrent one too: its masks, where they act, and the gradients through them."""

import numpy as np
import pytest

import reference
from covering import covering
from networks import (
    OUTPUTS,
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
VERY_UNEQUAL = [1, 40, 2, 1]  # the short sequences don't run on to the end

cells = pytest.mark.parametrize("cell", CELLS)
per_step = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
kinds = pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
outputs = pytest.mark.parametrize("output", OUTPUTS)
directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])


class OfEachUnit:
    """In place of `Dropout`: the same factors for all columns, other ones for each layer."""

    def __init__(self, *factors):
        self.factors = iter(factors)

    def mask(self, shape, dtype):
        return np.broadcast_to(next(self.factors)[:, np.newaxis], shape).astype(dtype)

    def column_mask(self, n_rows, packing, dtype):
        return self.mask((n_rows, packing.n_columns), dtype)


class OfEachSequence:
    """In place of `Dropout`: these masks, one after another."""

    def __init__(self, masks):
        self.masks = iter(masks)

    def mask(self, shape, dtype):
        mask = next(self.masks)
        assert mask.shape == shape
        return mask.astype(dtype)


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


FACTORS = {
    "cell": CELLS,
    "rates": [(0.4, 0), (0.3, 0.3)],
    "bidirectional": [False, True],
    "output": OUTPUTS,
    "n_layers": [1, 2],
    "max_columns": [4, None],
}


@covering(
    FACTORS,
    ("cell", "rates", "bidirectional"),
    ("bidirectional", "output"),
    ("rates", "output", "n_layers"),
    thorough=(
        FACTORS | {"n_layers": [1, 2, 3]},
        ("cell", "rates", "bidirectional", "output"),
        ("rates", "bidirectional", "output", "n_layers"),
    ),
)
def test_finite_differences(cell, rates, bidirectional, output, n_layers, max_columns):
    network = make_network(
        cell,
        n_layers=n_layers,
        bidirectional=bidirectional,
        max_columns=max_columns,
        **OUTPUTS[output],
    )
    packed = pack(make_sequences(RAGGED))
    per_step = OUTPUTS[output]["return_sequences"]
    task = "squared_error", *make_targets("squared_error", RAGGED, 2, per_step)

    def loss():
        network.refresh()
        rng = np.random.default_rng(5)
        return evaluate(network, packed, *task, *(Dropout(r, rng) if r else None for r in rates))

    undropped, *_ = evaluate(network, packed, *task)
    value, d_outputs, tape = loss()
    assert value != pytest.approx(undropped, rel=1e-5)
    gradients = unset_gradients(network)
    d_inputs = network.backward(tape, d_outputs, gradients, input_gradient=True)
    numeric = central_differences(lambda: loss()[0], network.parameters.vector)
    assert_equal_slopes(gradients.vector, numeric, "parameters")
    of_values = np.concatenate(packed.by_sequence(d_inputs, return_sequences=True))
    numeric = central_differences(lambda: loss()[0], packed.batch.values)
    assert_equal_slopes(of_values, numeric, "inputs")


@cells
@outputs
@directions
def test_a_unit_is_scaled_where_the_next_layer_and_the_output_read_it(cell, output, bidirectional):
    """The next timestep reads it unscaled. So dropout acts like scaled weights of those layers."""
    options = {
        "n_layers": 2,
        "bidirectional": bidirectional,
        **OUTPUTS[output],
    }
    network, scaled = make_network(cell, **options), make_network(cell, **options)
    width = network.architecture.width
    lower, upper = np.random.default_rng(0).integers(0, 3, (2, width)).astype(float)
    named = scaled.architecture.named(scaled.parameters)
    named["layer_1.W_xh"] *= lower
    if bidirectional:
        named["layer_1.reverse.W_xh"] *= lower
    named["output.W_hy"] *= np.tile(upper, len(OUTPUTS[output]["pooling"]))
    scaled.refresh()
    batch = pack(make_sequences(RAGGED)).batch
    outputs, _ = network.forward(batch, OfEachUnit(lower, upper))
    expected, _ = scaled.forward(batch)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)


@cells
@per_step
@directions
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("max_columns", [4, None])
@pytest.mark.parametrize("lengths", [RAGGED, VERY_UNEQUAL], ids=str)
def test_the_recurrent_product_sees_what_a_sequence_has_left(
    cell, return_sequences, bidirectional, n_layers, max_columns, lengths
):
    options = {"return_sequences": return_sequences}
    network = make_network(
        cell, n_layers=n_layers, bidirectional=bidirectional, max_columns=max_columns, **options
    )
    sequences, rng = make_sequences(lengths), np.random.default_rng(3)
    packed = pack(sequences)
    task = "squared_error", *make_targets("squared_error", lengths, 2, return_sequences)
    shape = network.architecture.width, len(lengths)
    masks = [rng.choice([0.0, 1.0, 2.0], shape) for _ in range(n_layers)]
    value, d_outputs, tape = evaluate(network, packed, *task, None, OfEachSequence(masks))
    gradients = unset_gradients(network)
    d_inputs = network.backward(tape, d_outputs, gradients, input_gradient=True)

    columns = [packed.order.index(i) for i in range(len(lengths))]
    _, targets, weights = task
    expected_value, expected_gradients, expected_d_inputs = reference.loss_and_gradients(
        network.architecture.named(network.parameters),
        sequences,
        targets,
        cell=cell,
        loss="squared_error",
        sample_weight=weights,
        recurrent_masks=[[mask[:, k] for mask in masks] for k in columns],
        **options,
    )
    assert value == pytest.approx(expected_value, rel=1e-12)
    for name, gradient in network.architecture.named(gradients).items():
        np.testing.assert_allclose(gradient, expected_gradients[name], rtol=0, atol=1e-12)
    for actual, expected in zip(
        packed.by_sequence(d_inputs, return_sequences=True), expected_d_inputs, strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)


@cells
@outputs
def test_a_sequence_keeps_its_recurrent_mask_from_segment_to_segment(cell, output):
    network = make_network(cell, n_layers=2, **OUTPUTS[output])
    return_sequences = OUTPUTS[output]["return_sequences"]
    packed = pack(make_sequences(RAGGED))
    raw, _ = network.forward(packed.batch, None, Dropout(0.5, np.random.default_rng(0)))
    whole = packed.by_sequence(raw, return_sequences)
    dropout, carry = Dropout(0.5, np.random.default_rng(0)), None
    for first in range(0, max(RAGGED), 2):
        segment = packed.batch.timesteps(first, first + 2)
        raw, tape = network.forward(segment, None, dropout, carry)
        carry = tape.carry
    assert segment.lengths.tolist() == [1, 1]  # the last timestep of the longest ones
    for i, last in zip(packed.order, raw.T, strict=False):
        expected = whole[i][-1] if return_sequences else whole[i]
        np.testing.assert_allclose(last, expected, rtol=0, atol=1e-12)


@kinds
@outputs
@directions
def test_masks_do_not_depend_on_chunks(kind, output, bidirectional):
    packed = pack(make_sequences(RAGGED))

    def run(max_columns):
        network = make_network(
            n_layers=3,
            bidirectional=bidirectional,
            max_columns=max_columns,
            **OUTPUTS[output],
        )
        raw, _ = network.forward(packed.batch, **{kind: Dropout(0.5, np.random.default_rng(0))})
        return packed.by_sequence(raw, OUTPUTS[output]["return_sequences"])

    whole = run(None)
    for max_columns in (1, 4, 7):
        for a, b in zip(run(max_columns), whole, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@kinds
@directions
def test_nothing_remains_of_it_for_the_next_batch(kind, bidirectional):
    network = make_network(n_layers=2, bidirectional=bidirectional)
    sequences = make_sequences(RAGGED)
    batch = pack(sequences).batch
    (outputs, _), predicted = network.forward(batch), predict(network, sequences)
    dropped, _ = network.forward(batch, **{kind: Dropout(0.5, np.random.default_rng(0))})
    assert np.abs(dropped - outputs).max() > 0.01
    again, _ = network.forward(batch)
    np.testing.assert_array_equal(again, outputs)
    np.testing.assert_array_equal(predict(network, sequences), predicted)


@kinds
@directions
@outputs
def test_float32_stays_float32(kind, bidirectional, output):
    network = make_network(
        n_layers=2,
        dtype=np.float32,
        bidirectional=bidirectional,
        **OUTPUTS[output],
    )
    batch = pack(make_sequences(RAGGED, dtype=np.float32)).batch
    raw, tape = network.forward(batch, **{kind: Dropout(0.5, np.random.default_rng(0))})
    assert raw.dtype == np.float32
    gradients = unset_gradients(network)
    d_inputs = network.backward(tape, raw, gradients, input_gradient=True)
    assert d_inputs.dtype == gradients.vector.dtype == np.float32
    assert np.isfinite(gradients.vector).all()
