"""Step by step, a network gives what it gives at once; a step can be taken back."""

import numpy as np
import pytest
from numpy import add, dot, tanh
from numpy.testing import assert_allclose, assert_array_equal

from networks import OUTPUTS, VARIANTS, make_network, make_sequences, predict
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.cells.base import Cell, fields_in_slots
from sklearn_rnn.core.scaling import Scaling, Units
from sklearn_rnn.core.stepper import FEW_SCALES, Stepper, with_units_in_weights

outputs = pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)


@fields_in_slots
class Views:
    block: np.ndarray
    h_before: np.ndarray
    h: np.ndarray
    s_before: np.ndarray
    s: np.ndarray
    r_before: np.ndarray
    r: np.ndarray
    deltas: np.ndarray


class Delayed(Cell):
    """s_t = tanh(W [h_{t-1}; 1; x_t]), r_t = s_{t-1}, h_t = s_t + r_{t-1}.

    Three states, and only the methods that every cell must have.
    """

    gates = ("s",)
    n_states = 3
    n_memory = 2
    n_scratch = 1

    def views(self, blocks, h, memory, scratch):
        s, r = (self.slots(memory)[k] for k in (0, 1))
        return Views(blocks[:-1], h[:-1], h[1:], s[:-1], s[1:], r[:-1], r[1:], scratch)

    def first_states(self, span):
        return span.h_before[0], span.s_before[0], span.r_before[0]

    def last_states(self, span):
        return span.h[-1], span.s[-1], span.r[-1]

    def forward(self, weights, step):
        dot(weights.W, step.block, step.s)
        tanh(step.s, step.s)
        add(step.s, step.r_before, step.h)
        step.r[...] = step.s_before
        step.s_before[...] = step.r_before[...] = np.nan  # a cell may overwrite them

    def compute_factors(self, weights, span, scratch):
        raise NotImplementedError("A stepper has no backward pass.")

    backward = compute_factors


@pytest.fixture(autouse=True)
def _numpy_ignores_errors():
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(autouse=True)
def _with_a_cell_of_three_states(monkeypatch):
    monkeypatch.setitem(CELLS, "delayed", Delayed)


def first_inputs(X, t):
    """What a stepper takes at timestep t; (n_inputs,) for one sequence."""
    return X[0][t] if len(X) == 1 else np.array([x[t] for x in X])


@outputs
@pytest.mark.parametrize(("cell", "activation"), [*VARIANTS, ("delayed", "tanh")])
@pytest.mark.parametrize(("n_layers", "n_sequences"), [(1, 1), (1, 4), (2, 1), (3, 4)])
def test_equals_the_loop_over_time(cell, activation, output, n_layers, n_sequences):
    network = make_network(cell, activation, n_layers=n_layers, **output)
    X = make_sequences([6] * n_sequences)
    stepper = Stepper(network, n_sequences)
    for t in range(6):
        expected = np.array(predict(network, [x[: t + 1] for x in X]))
        expected = expected[:, t] if output["return_sequences"] else expected
        assert_allclose(stepper.step(first_inputs(X, t)), expected, rtol=1e-13, atol=1e-14)


@outputs
@pytest.mark.parametrize("cell", [*CELLS, "delayed"])
def test_a_step_can_be_undone(cell, output):
    network = make_network(cell, n_layers=2, **output)
    X = np.array(make_sequences([5, 5]))
    stepper = Stepper(network, 2)
    for t in range(4):
        before = [array.copy() for array in stepper.arrays]
        for x in (X[:, 4], np.full((2, 2), np.nan)):
            try:
                stepper.step(x)
                stepper.undo()
            except FloatingPointError:
                assert np.isnan(x).all()
            for array, value in zip(stepper.arrays, before, strict=True):
                assert_array_equal(array, value)
        raw = stepper.step(X[:, t])
    expected = np.array(predict(network, X[:, :4]))
    assert_allclose(raw, expected[:, 3] if output["return_sequences"] else expected, rtol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cell", [*CELLS, "delayed"])
def test_every_number_of_x_is_checked(cell, value):
    stepper = Stepper(make_network(cell), 3)
    for place in np.ndindex(3, 2):
        x = np.ones((3, 2))
        x[place] = value
        with pytest.raises(FloatingPointError):
            stepper.step(x)


def test_outputs_are_checked():
    network = make_network("elman", "relu", n_outputs=1)
    network.parameters.vector[...] = 10
    network.refresh()
    with pytest.raises(FloatingPointError):
        Stepper(network, 1).step(np.array([1e307, 1e307]))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steppers_of_one_network_share_nothing_that_they_write(cell, dtype):
    network, X = make_network(cell, dtype=dtype), np.array(make_sequences([3], dtype=dtype))
    one, other = Stepper(network, 1), Stepper(network, 1)
    raw = one.step(X[0, 0])
    state = [array.copy() for array in one.arrays]
    for t in range(3):
        other.step(X[0, t])
    for array, value in zip(one.arrays, state, strict=True):
        assert_array_equal(array, value)
    one.step(X[0, 1])
    assert not np.array_equal(one.step(X[0, 2]), raw)  # the earlier result was not overwritten


LEVELS = {  # the means of two features, in scales
    "near": [0.5, -FEW_SCALES],
    "far": [1e4, -1e6],
    "both": [0.0, 1e5],
}
SCALES = {
    "moderate": [0.1, 20.0],
    "tiny": [1e-30, 1e-12],
    "huge": [1e30, 1e12],
    "below single precision": [1e-45, 1.0],
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_units_in_weights_cost_no_digits(level, scale, cell, dtype):
    """Features far from zero, and scales near the limits of the precision."""
    scales = np.array(SCALES[scale])
    means = LEVELS[level] * scales
    network = make_network(cell, n_layers=2, dtype=dtype)
    network.units = Units(Scaling(means, scales), Scaling(np.array([1e3, 0]), np.array([5, 1e-3])))
    X = [(x * scales + means).astype(dtype) for x in make_sequences([4, 4])]
    expected = np.array(predict(network, X))
    stepper = Stepper(with_units_in_weights(network), 2)
    for t in range(4):
        raw = stepper.step(first_inputs(X, t))
    # A thousandth of a scale is what single precision has of the last feature, on level 1e5.
    tolerance = 2e-6 if dtype == np.float32 else 1e-13
    assert raw.dtype == dtype
    assert_allclose(raw, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30, 3e38])
@pytest.mark.parametrize("mean", [0.0, -2e38])
def test_units_of_outputs_near_the_limits(scale, mean):
    network = make_network(dtype=np.float32, n_outputs=1)
    network.parameters.vector *= 0.1
    network.refresh()
    network.units = Units(None, Scaling(np.array([mean]), np.array([scale])))
    X = make_sequences([3], dtype=np.float32)
    stepper = Stepper(with_units_in_weights(network), 1)
    for t in range(3):
        raw = stepper.step(X[0][t])
    assert_allclose(raw, predict(network, X), rtol=1e-5)


def test_outputs_that_only_their_units_take_beyond_the_limits():
    network = make_network(dtype=np.float32, n_outputs=1)
    network.parameters["output.W"][:, -1] = 1
    network.units = Units(None, Scaling(np.array([3e38]), np.array([3e38])))
    with pytest.raises(FloatingPointError):
        Stepper(with_units_in_weights(network), 1).step(np.zeros(2, np.float32))


def test_the_network_with_units_is_left_alone():
    network = make_network()
    network.units = Units(Scaling(np.ones(2), np.full(2, 3.0)), Scaling(np.ones(2), np.ones(2)))
    before = network.parameters.vector.copy()
    assert with_units_in_weights(network).units == Units()
    assert_array_equal(network.parameters.vector, before)
