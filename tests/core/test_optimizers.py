"""Clipping and updates, by the formulas in the papers."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from sklearn_rnn.core.optimizers import SGD, SOLVERS, Adam, RMSprop, clip_by_norm, clip_by_value

HYPER = SimpleNamespace(
    beta_1=0.9, beta_2=0.99, rho=0.95, epsilon=1e-3, momentum=0.8, nesterovs_momentum=True
)
START = [1.0, -2.0, 0.5]
GRADIENTS = [[0.3, -4.0, 0.0], [-0.1, 2.0, 0.0], [0.2, 1.0, 5.0]]
RATES = [0.1, 0.05, 0.2]

solvers = pytest.mark.parametrize("solver", SOLVERS)


def trajectory(optimizer):
    theta = np.array(START)
    state = optimizer.init(theta)
    path = []
    for gradient, rate in zip(GRADIENTS, RATES, strict=True):
        optimizer.update(theta, np.array(gradient), state, rate)
        path.append(theta.copy())
    return np.array(path)


def by_hand(rule):
    """Three updates, one parameter at a time: `rule(gradients so far, rate)` is the step."""
    path = []
    theta = list(START)
    for n, rate in enumerate(RATES, start=1):
        for k in range(3):
            theta[k] -= rule([gradient[k] for gradient in GRADIENTS[:n]], rate)
        path.append(list(theta))
    return path


def plain(gs, rate):
    return rate * gs[-1]


def momentum(gs, rate):
    """v = μv + g = g_n + μ g_{n-1} + μ² g_{n-2}; θ -= rate v."""
    return rate * sum(0.8 ** (len(gs) - 1 - j) * g for j, g in enumerate(gs))


def nesterov(gs, rate):
    """θ -= rate (g + μv): the gradient is taken where the velocity has led to."""
    return rate * gs[-1] + 0.8 * momentum(gs, rate)


def adam(gs, rate):
    m = sum(0.1 * 0.9 ** (len(gs) - 1 - j) * g for j, g in enumerate(gs))
    v = sum(0.01 * 0.99 ** (len(gs) - 1 - j) * g**2 for j, g in enumerate(gs))
    m_hat, v_hat = m / (1 - 0.9 ** len(gs)), v / (1 - 0.99 ** len(gs))
    return rate * m_hat / (math.sqrt(v_hat) + 1e-3)


def rmsprop(gs, rate):
    s = sum(0.05 * 0.95 ** (len(gs) - 1 - j) * g**2 for j, g in enumerate(gs))
    return rate * gs[-1] / (math.sqrt(s) + 1e-3)


def rmsprop_with_momentum(gs, rate):
    """v = μv + g / (√s + ε), each of them scaled by the s of its own time."""
    scaled = [rmsprop(gs[: n + 1], 1.0) for n in range(len(gs))]
    return momentum(scaled, rate)


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [
        (SGD(momentum=0.0, nesterov=False), plain),
        (SGD(momentum=0.0, nesterov=True), plain),
        (SGD(momentum=0.8, nesterov=False), momentum),
        (SGD(momentum=0.8, nesterov=True), nesterov),
        (Adam(beta_1=0.9, beta_2=0.99, epsilon=1e-3), adam),
        (RMSprop(rho=0.95, epsilon=1e-3, momentum=0.0), rmsprop),
        (RMSprop(rho=0.95, epsilon=1e-3, momentum=0.8), rmsprop_with_momentum),
    ],
    ids=lambda value: getattr(value, "__name__", None) or repr(value),
)
def test_three_updates(optimizer, rule):
    np.testing.assert_allclose(trajectory(optimizer), by_hand(rule), rtol=1e-14, atol=1e-15)


def test_first_step_of_adam_is_the_rate():
    theta = np.zeros(3)
    adam = Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    adam.update(theta, np.array([5.0, -1e-3, 0.0]), adam.init(theta), rate=0.01)
    np.testing.assert_allclose(theta, [-0.01, 0.01, 0.0], rtol=1e-4)


def test_solvers_take_the_users_hyperparameters():
    assert SOLVERS["adam"](HYPER) == Adam(beta_1=0.9, beta_2=0.99, epsilon=1e-3)
    assert SOLVERS["rmsprop"](HYPER) == RMSprop(rho=0.95, epsilon=1e-3, momentum=0.8)
    assert SOLVERS["sgd"](HYPER) == SGD(momentum=0.8, nesterov=True)


@solvers
def test_updates_are_in_place_and_leave_the_gradient_alone(solver):
    optimizer = SOLVERS[solver](HYPER)
    whole = np.array(START)
    view, gradient = whole[1:], np.array([3.0, -1.0])
    state = optimizer.init(view)
    for _ in range(2):
        optimizer.update(view, gradient, state, 0.1)
    np.testing.assert_array_equal(gradient, [3.0, -1.0])
    assert whole[0] == START[0]
    assert (whole[1:] != START[1:]).all()


@solvers
def test_states_are_independent(solver):
    """An optimizer remembers nothing: another state starts anew."""
    optimizer = SOLVERS[solver](HYPER)
    np.testing.assert_array_equal(trajectory(optimizer), trajectory(optimizer))
    theta = np.array(START)
    state = optimizer.init(theta)
    assert not any(
        np.shares_memory(theta, array)
        for array in vars(state).values()
        if isinstance(array, np.ndarray)
    )


@solvers
def test_float32_stays_float32(solver):
    optimizer = SOLVERS[solver](HYPER)
    theta = np.array(START, np.float32)
    state = optimizer.init(theta)
    for gradient, rate in zip(GRADIENTS, RATES, strict=True):
        optimizer.update(theta, np.array(gradient, np.float32), state, rate)
    np.testing.assert_allclose(theta, trajectory(optimizer)[-1], rtol=1e-5, atol=1e-6)
    arrays = [array for array in vars(state).values() if isinstance(array, np.ndarray)]
    assert arrays
    assert all(array.dtype == np.float32 for array in arrays)


@solvers
def test_a_gradient_of_zero_moves_nothing_at_first(solver):
    optimizer = SOLVERS[solver](HYPER)
    theta = np.array(START)
    optimizer.update(theta, np.zeros(3), optimizer.init(theta), 0.1)
    np.testing.assert_array_equal(theta, START)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clip_by_norm_shortens_what_is_long(dtype):
    gradient = np.array([3.0, -4.0, 12.0], dtype)
    direction = gradient / 13
    clip_by_norm(gradient, 2.0)
    precision = 4 * float(np.finfo(dtype).eps)
    assert np.linalg.norm(gradient.astype(float)) == pytest.approx(2.0, rel=precision)
    np.testing.assert_allclose(gradient, 2.0 * direction, rtol=precision)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("max_norm", [13.0, 13.5, 1e9])
def test_clip_by_norm_leaves_what_is_short(max_norm):
    gradient = np.array([3.0, -4.0, 12.0])
    clip_by_norm(gradient, max_norm)
    np.testing.assert_array_equal(gradient, [3.0, -4.0, 12.0])


def test_clip_by_norm_of_zero():
    gradient = np.zeros(3)
    clip_by_norm(gradient, 1.0)
    np.testing.assert_array_equal(gradient, 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clip_by_value(dtype):
    gradient = np.array([3.0, -4.0, 0.5, -0.5, 2.0, 0.0], dtype)
    clip_by_value(gradient, 2.0)
    np.testing.assert_array_equal(gradient, np.array([2.0, -2.0, 0.5, -0.5, 2.0, 0.0], dtype))
    assert gradient.dtype == dtype
