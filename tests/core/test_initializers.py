"""Starting values, alone and in the cells."""

import math

import numpy as np
import pytest

from networks import VARIANTS, make_network
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.initializers import glorot_uniform, identity, orthogonal

N_INPUTS, HIDDEN_SIZE, N_OUTPUTS = 5, 8, 3

cells = pytest.mark.parametrize(("cell", "activation"), VARIANTS)


def initialized(cell, activation="tanh", seed=0, dtype=np.float64, bidirectional=False):
    """Start with numbers of another kind everywhere, so that one left as it was is noticed."""
    network = make_network(
        cell,
        activation,
        n_inputs=N_INPUTS,
        hidden_size=HIDDEN_SIZE,
        n_outputs=N_OUTPUTS,
        n_layers=2,
        bidirectional=bidirectional,
        dtype=dtype,
    )
    network.parameters.vector[...] = 1e3
    network.initialize(np.random.default_rng(seed))
    return network, network.architecture.named(network.parameters)


def assert_orthogonal(matrix):
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), rtol=0, atol=1e-14)


def assert_glorot(matrices):
    """All within the bound, and filling it: a wrong bound by a third would be noticed."""
    for matrix in matrices:
        limit = math.sqrt(6 / sum(matrix.shape))
        assert np.abs(matrix).max() <= limit
        assert np.abs(matrix).max() > 0.7 * limit
        assert matrix.min() < -0.3 * limit
        assert matrix.max() > 0.3 * limit


def gates(array):
    return array.reshape(-1, HIDDEN_SIZE, *array.shape[1:])


@pytest.mark.parametrize("size", [1, 2, 30])
def test_orthogonal(size):
    assert_orthogonal(orthogonal(np.random.default_rng(0), size))


def test_orthogonal_is_uniform():
    """Every column's direction is, so the mean of many is near zero. QR alone fails this."""
    rng = np.random.default_rng(0)
    draws = np.array([orthogonal(rng, 3) for _ in range(4000)])
    np.testing.assert_allclose(draws.mean(axis=0), 0.0, atol=0.04)  # standard error 0.009
    assert -1 in np.sign([orthogonal(rng, 1).item() for _ in range(20)])


def test_glorot_uniform():
    matrix = glorot_uniform(np.random.default_rng(0), 40, 110)
    assert matrix.shape == (40, 110)
    assert np.abs(matrix).max() == pytest.approx(0.2, rel=0.01)
    assert np.abs(matrix).max() <= 0.2
    assert matrix.var() == pytest.approx(2 / 150, rel=0.05)
    assert matrix.mean() == pytest.approx(0.0, abs=0.01)


def test_identity():
    np.testing.assert_array_equal(identity(3), np.eye(3))


@cells
def test_recurrent_matrices(cell, activation):
    _, weights = initialized(cell, activation)
    for layer in ("layer_0", "layer_1"):
        for W_hh in gates(weights[f"{layer}.W_hh"]):
            if (cell, activation) == ("elman", "relu"):
                np.testing.assert_array_equal(W_hh, np.eye(HIDDEN_SIZE))
            else:
                assert_orthogonal(W_hh)
                assert np.abs(W_hh - np.eye(HIDDEN_SIZE)).max() > 0.1


@cells
def test_input_and_output_matrices(cell, activation):
    _, weights = initialized(cell, activation)
    assert_glorot(gates(weights["layer_0.W_xh"]))
    assert_glorot(gates(weights["layer_1.W_xh"]))
    assert_glorot([weights["output.W_hy"]])


@cells
def test_biases(cell, activation):
    _, weights = initialized(cell, activation)
    for name, array in weights.items():
        if name.rpartition(".")[2].startswith("b"):
            expected = np.zeros_like(array)
            if cell == "lstm" and name.endswith("b_h"):
                expected[3 * HIDDEN_SIZE :] = 1.0  # the order is o, i, g, f
            np.testing.assert_array_equal(array, expected, name)


@cells
def test_gates_and_layers_are_drawn_independently(cell, activation):
    _, weights = initialized(cell, activation)
    assert not np.isclose(weights["layer_0.W_xh"], weights["layer_0.W_xh"][0, 0]).sum() > 1
    drawn = [*gates(weights["layer_1.W_xh"])]
    if (cell, activation) != ("elman", "relu"):
        drawn += [*gates(weights["layer_0.W_hh"]), *gates(weights["layer_1.W_hh"])]
    for k, matrix in enumerate(drawn):
        assert all(np.abs(matrix - other).max() > 0.1 for other in drawn[:k])


@cells
def test_each_direction_is_drawn_by_itself_and_alike(cell, activation):
    _, weights = initialized(cell, activation, bidirectional=True)
    for layer in ("layer_0", "layer_1"):
        ours, theirs = (weights[f"{part}.W_xh"] for part in (layer, f"{layer}.reverse"))
        assert_glorot(gates(ours))
        assert_glorot(gates(theirs))
        assert np.abs(ours - theirs).max() > 0.1
        ours, theirs = (weights[f"{part}.W_hh"] for part in (layer, f"{layer}.reverse"))
        for ours_of_gate, theirs_of_gate in zip(gates(ours), gates(theirs), strict=True):
            if (cell, activation) == ("elman", "relu"):
                np.testing.assert_array_equal(theirs_of_gate, np.eye(HIDDEN_SIZE))
            else:
                assert_orthogonal(theirs_of_gate)
                assert np.abs(ours_of_gate - theirs_of_gate).max() > 0.1
        np.testing.assert_array_equal(weights[f"{layer}.b_h"], weights[f"{layer}.reverse.b_h"])


@cells
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_seeds(cell, activation, dtype):
    first, _ = initialized(cell, activation, seed=1, dtype=dtype)
    again, _ = initialized(cell, activation, seed=1, dtype=dtype)
    other, _ = initialized(cell, activation, seed=2, dtype=dtype)
    assert first.parameters.vector.dtype == dtype
    np.testing.assert_array_equal(first.parameters.vector, again.parameters.vector)
    assert (first.parameters.vector != other.parameters.vector).any()


@pytest.mark.parametrize("cell", CELLS)
def test_numpys_global_generator_is_left_alone(cell):
    before = np.random.get_state()  # noqa: NPY002
    initialized(cell)
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]
