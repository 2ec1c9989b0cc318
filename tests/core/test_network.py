"""What a network promises beside right gradients: prediction, and buffers that leave no traces."""

import tracemalloc

import numpy as np
import pytest

from memory import peak_bytes
from networks import (
    VARIANTS,
    evaluate,
    loss_and_gradients,
    make_network,
    make_sequences,
    make_targets,
    pack,
    predict,
    unset_gradients,
)
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.cells.elman import ACTIVATIONS
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.scaling import Scaling, Units

RAGGED = [3, 9, 1, 3, 14, 1, 2]

cells = pytest.mark.parametrize(("cell", "activation"), VARIANTS)
per_step = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])


def assert_all_close(actual, expected, tolerance=1e-12):
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance, strict=True)


@cells
@per_step
@directions
@pytest.mark.parametrize("max_columns", [1, 5, 12, None])
def test_prediction_is_forward(cell, activation, return_sequences, bidirectional, max_columns):
    options = {
        "n_layers": 2,
        "return_sequences": return_sequences,
        "bidirectional": bidirectional,
    }
    sequences = make_sequences(RAGGED)
    packed = pack(sequences)
    outputs, _ = make_network(cell, activation, **options).forward(packed.batch)
    expected = packed.by_sequence(outputs, return_sequences)
    network = make_network(cell, activation, max_columns=max_columns, **options)
    assert_all_close(predict(network, sequences), expected)


@pytest.mark.parametrize("cell", CELLS)
@directions
def test_states_outlive_the_memory_of_their_chunk(cell, bidirectional):
    """Chunks of such shapes that the next one's inputs are written over the states of one."""
    sequences = make_sequences([2, 17, 3, 19, 11])
    options = {"n_layers": 2, "return_sequences": True, "bidirectional": bidirectional}
    packed = pack(sequences)
    outputs, _ = make_network(cell, **options).forward(packed.batch)
    network = make_network(cell, max_columns=3, **options)
    assert_all_close(predict(network, sequences), packed.by_sequence(outputs, True))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("n_steps", [1, 2, 5])
@pytest.mark.parametrize("max_columns", [1, 3, None])
def test_segments_go_on_from_the_states_before(cell, n_steps, max_columns):
    sequences = make_sequences([45, 19, 11, 3, 2])
    options = {"n_layers": 2, "return_sequences": True}
    expected = predict(make_network(cell, **options), sequences)
    network, carry = make_network(cell, max_columns=max_columns, **options), None
    for first in range(0, 45, n_steps):
        parts = [x[first : first + n_steps] for x in sequences if len(x) > first]
        packed = pack(parts)
        outputs, tape = network.forward(packed.batch, carry=carry)
        carry = tape.carry
        for raw, whole in zip(packed.by_sequence(outputs, True), expected, strict=False):
            np.testing.assert_allclose(raw, whole[first : first + n_steps], rtol=0, atol=1e-12)


@cells
@per_step
@directions
def test_prediction_does_not_depend_on_the_batch(cell, activation, return_sequences, bidirectional):
    # These are more sequences than are predicted side by side.
    lengths = np.random.default_rng(0).integers(1, 6, 600)
    sequences = make_sequences(lengths)
    network = make_network(
        cell, activation, return_sequences=return_sequences, bidirectional=bidirectional
    )
    together = predict(network, sequences)
    assert_all_close(predict(network, sequences[::-1]), together[::-1])
    assert_all_close(predict(network, sequences[:100]), together[:100])
    alone = [predict(network, [sequence])[0] for sequence in sequences[::7]]
    assert_all_close(alone, together[::7])


@per_step
def test_prediction_writes_rows_where_it_is_told(return_sequences):
    """The rows may stand in any order, as they do where X had padding."""
    sequences = make_sequences([2, 4, 3])
    network = make_network(return_sequences=return_sequences)
    expected = predict(network, sequences)
    packed = pack(sequences)
    rows = np.array([7, 0, 4]) if return_sequences else np.array([2, 0, 1])
    out = network.predict(
        np.array(packed.lengths),
        lambda chosen: pack([sequences[i] for i in chosen]).batch,
        rows,
        9 if return_sequences else 3,
    )
    for row, length, raw in zip(rows, packed.lengths, expected, strict=True):
        where = slice(row, row + length) if return_sequences else row
        np.testing.assert_allclose(out[where], raw, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_prediction_keeps_no_history(cell):
    n_sequences, hidden_size = 4, 16

    def peak(n_timesteps):
        packed = pack(make_sequences([n_timesteps] * n_sequences))
        network = make_network(cell, hidden_size=hidden_size, max_columns=64)
        arguments = packed.batch.lengths, lambda chosen: packed.batch, np.arange(4), n_sequences
        return peak_bytes(lambda: network.predict(*arguments))

    short, long = peak(64), peak(6400)
    history_of_h = 6400 * n_sequences * hidden_size * 8
    assert long - short < 0.1 * history_of_h  # Python itself keeps up to 5 % in reserve


@pytest.mark.parametrize("cell", CELLS)
def test_ragged_batches_do_not_use_up_memory(cell):
    """No two of these batches have the same spans; what is kept must not add up."""
    rng = np.random.default_rng(0)
    network = make_network(cell)
    gradients = unset_gradients(network)
    n_bytes = []
    tracemalloc.start()
    for seed in range(80):
        packed = pack(make_sequences(rng.integers(1, 200, 4), seed=seed))
        outputs, tape = network.forward(packed.batch)
        network.backward(tape, outputs, gradients)
        n_bytes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(n_bytes[60:]) < 1.5 * max(n_bytes[10:30])


@cells
@per_step
def test_outputs_look_only_backward(cell, activation, return_sequences):
    """What follows in a sequence, and who else is in the batch, changes nothing before."""
    lengths = [3, 6, 6, 4]
    sequences = make_sequences(lengths)
    changed = [sequences[0], sequences[1].copy(), *sequences[2:]]
    changed[1][4:] += 1.0
    network = make_network(cell, activation, n_layers=2, return_sequences=return_sequences)
    before, after = predict(network, sequences), predict(network, changed)
    if return_sequences:
        np.testing.assert_array_equal(after[1][:4], before[1][:4])
        assert (after[1][4:] != before[1][4:]).any(axis=1).all()
    else:
        assert (after[1] != before[1]).any()
    for i in (0, 2, 3):
        np.testing.assert_array_equal(after[i], before[i])


@pytest.mark.parametrize("cell", CELLS)
@per_step
@directions
@pytest.mark.parametrize("max_columns", [6, None])
def test_buffers_leave_no_traces(cell, return_sequences, bidirectional, max_columns):
    """One network on one batch after another gives the bits that a new network gives."""
    options = {
        "n_layers": 2,
        "bidirectional": bidirectional,
        "return_sequences": return_sequences,
        "max_columns": max_columns,
    }
    rng = np.random.default_rng(0)
    used = make_network(cell, **options)
    several = [rng.integers(1, 10, rng.integers(1, 7)).tolist() for _ in range(15)]
    for k, lengths in enumerate([*several, *several[::-1]]):
        sequences = make_sequences(lengths, seed=k)
        packed = pack(sequences)
        task = "squared_error", *make_targets("squared_error", lengths, 2, return_sequences, seed=k)
        new = make_network(cell, **options)
        value, gradients, d_inputs = loss_and_gradients(used, packed, *task)
        new_value, new_gradients, new_d_inputs = loss_and_gradients(new, packed, *task)
        assert value == new_value
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(gradient, new_gradients[name], name)
        for d_input, new_d_input in zip(d_inputs, new_d_inputs, strict=True):
            np.testing.assert_array_equal(d_input, new_d_input)
        other = make_sequences(rng.integers(1, 10, 3), seed=k)
        assert_all_close(predict(used, other), predict(new, other), tolerance=0)


@cells
@directions
@pytest.mark.parametrize("n_layers", [1, 2])
def test_gradients_on_inputs_are_optional(cell, activation, n_layers, bidirectional):
    network = make_network(cell, activation, n_layers=n_layers, bidirectional=bidirectional)
    packed = pack(make_sequences(RAGGED))
    targets, weights = make_targets("squared_error", RAGGED, 2, False)
    _, d_outputs, tape = evaluate(network, packed, "squared_error", targets, weights)
    gradients, more_gradients = unset_gradients(network), unset_gradients(network)
    assert network.backward(tape, d_outputs, gradients) is None
    _, tape = network.forward(packed.batch)
    assert network.backward(tape, d_outputs, more_gradients, input_gradient=True) is not None
    np.testing.assert_array_equal(gradients.vector, more_gradients.vector)


@pytest.mark.parametrize("n_inputs", [1, 3])
def test_gradients_on_inputs_are_in_the_units_of_the_inputs(n_inputs):
    sequences = make_sequences(RAGGED, n_inputs)
    scaling = Scaling(np.arange(3.0)[:n_inputs], np.array([0.1, 2.0, 50.0])[:n_inputs])
    d_inputs = []
    for units, values in [
        (Units(), sequences),
        (Units(scaling), list(map(scaling.undo, sequences))),
    ]:
        network = make_network(n_inputs=n_inputs)
        network.units = units
        _, tape = network.forward(pack(values).batch)
        d_outputs = np.ones((2, len(RAGGED)))
        d_inputs.append(network.backward(tape, d_outputs, unset_gradients(network), True))
    np.testing.assert_allclose(d_inputs[1], d_inputs[0] / scaling.scale[:, np.newaxis], rtol=1e-9)


@cells
@directions
def test_forward_and_backward_change_no_argument(cell, activation, bidirectional):
    network = make_network(cell, activation, n_layers=2, bidirectional=bidirectional)
    packed = pack(make_sequences(RAGGED))
    targets, weights = make_targets("squared_error", RAGGED, 2, False)
    theta, values = network.parameters.vector.copy(), packed.batch.values.copy()
    _, d_outputs, tape = evaluate(network, packed, "squared_error", targets, weights)
    d_outputs_before = d_outputs.copy()
    network.backward(tape, d_outputs, unset_gradients(network), input_gradient=True)
    np.testing.assert_array_equal(network.parameters.vector, theta)
    np.testing.assert_array_equal(packed.batch.values, values)
    np.testing.assert_array_equal(d_outputs, d_outputs_before)


@cells
def test_refresh_takes_over_changed_parameters(cell, activation):
    sequences = make_sequences(RAGGED)
    network = make_network(cell, activation, n_layers=2)
    other = make_network(cell, activation, n_layers=2, seed=3)
    network.parameters.vector[...] = other.parameters.vector
    network.refresh()
    assert_all_close(predict(network, sequences), predict(other, sequences), tolerance=0)


@pytest.mark.parametrize("cell", [name for name in CELLS if not CELLS[name].activations])
def test_activation_is_of_no_consequence_to_gated_cells(cell):
    sequences = make_sequences(RAGGED)
    expected = predict(make_network(cell, "tanh"), sequences)
    for activation in ACTIVATIONS:
        assert_all_close(predict(make_network(cell, activation), sequences), expected, 0)


@cells
@per_step
@directions
def test_float32_stays_float32(cell, activation, return_sequences, bidirectional):
    options = {
        "n_layers": 2,
        "return_sequences": return_sequences,
        "bidirectional": bidirectional,
    }
    network = make_network(cell, activation, dtype=np.float32, **options)
    double = make_network(cell, activation, **options)
    double.parameters.vector[...] = network.parameters.vector
    double.refresh()
    sequences = make_sequences(RAGGED, dtype=np.float32)
    packed = pack(sequences)
    in_double = [sequence.astype(np.float64) for sequence in sequences]

    outputs, tape = network.forward(packed.batch)
    expected, double_tape = double.forward(pack(in_double).batch)
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-5)

    d_outputs = np.cos(np.arange(outputs.size)).reshape(outputs.shape)
    gradients, expected = unset_gradients(network), unset_gradients(double)
    assert gradients.vector.dtype == np.float32
    d_inputs = network.backward(tape, d_outputs.astype(np.float32), gradients, input_gradient=True)
    assert d_inputs.dtype == np.float32
    expected_d_inputs = double.backward(double_tape, d_outputs, expected, input_gradient=True)
    np.testing.assert_allclose(d_inputs, expected_d_inputs, rtol=0, atol=1e-4)
    np.testing.assert_allclose(gradients.vector, expected.vector, rtol=0, atol=1e-4)

    for raw, expected in zip(predict(network, sequences), predict(double, in_double), strict=True):
        assert raw.dtype == np.float32
        np.testing.assert_allclose(raw, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@directions
@pytest.mark.parametrize("n_layers", [1, 3])
def test_textbook_names_cover_every_parameter_once(cell, n_layers, bidirectional):
    architecture = Architecture(cell, "tanh", 2, 3, n_layers, 4, False, bidirectional)
    parameters = architecture.zeros(np.float64)
    named = architecture.named(parameters)
    for array in named.values():
        array += 1.0
    np.testing.assert_array_equal(parameters.vector, 1.0)

    n_gates = len(named["layer_0.b_h"]) // 3
    width = 6 if bidirectional else 3
    for k in range(n_layers):
        for part in [f"layer_{k}"] + [f"layer_{k}.reverse"] * bidirectional:
            assert named[f"{part}.W_xh"].shape == (n_gates * 3, 2 if k == 0 else width)
            W_hh = named[f"{part}.W_hh"]  # a cell's gates need not all read h
            assert len(W_hh) in range(3, 3 * n_gates + 1, 3)
            assert W_hh.shape[1] == 3
            assert named[f"{part}.b_h"].shape == (n_gates * 3,)
    assert bidirectional == any("reverse" in name for name in named)
    assert named["output.W_hy"].shape == (4, width)
    assert named["output.b_y"].shape == (4,)


def test_networks_of_the_same_parameters_are_independent():
    network = make_network("lstm", n_layers=2)
    second = Network(network.architecture, network.parameters)
    packed, other = pack(make_sequences([3, 2])), pack(make_sequences([5, 1, 4], seed=9))
    d_outputs = np.ones((2, 2))
    _, tape = network.forward(packed.batch)
    gradients, disturbed = unset_gradients(network), unset_gradients(network)
    network.backward(tape, d_outputs, gradients)
    _, tape = network.forward(packed.batch)
    second.forward(other.batch)
    network.backward(tape, d_outputs, disturbed)
    np.testing.assert_array_equal(disturbed.vector, gradients.vector)


@pytest.mark.parametrize("use", ["backward", "forward", "predict", "another network"])
def test_a_tape_serves_one_backward_pass_until_the_network_runs_again(use):
    """Most of it is in the network's memory, so anything else would be wrong numbers."""
    network = make_network("lstm", n_layers=2)
    sequences = make_sequences([3, 2])
    batch, d_outputs, gradients = pack(sequences).batch, np.ones((2, 2)), unset_gradients(network)
    _, tape = network.forward(batch)
    if use == "backward":
        network.backward(tape, d_outputs, gradients)
    elif use == "forward":
        network.forward(batch)
    elif use == "predict":
        predict(network, sequences)
    else:
        network = make_network("lstm", n_layers=2)
        network.forward(batch)
    with pytest.raises(ValueError, match="The tape is used up"):
        network.backward(tape, d_outputs, gradients)
