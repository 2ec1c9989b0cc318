"""Losses on raw outputs: values, gradients, weights, and numbers that are far out."""

import numpy as np
import pytest

from networks import TARGETS
from sklearn_rnn.core.losses import LOSSES

N_OUTPUTS, COLUMNS = 3, 5

losses = pytest.mark.parametrize("name", LOSSES)


def draw(name, dtype=np.float64):
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((N_OUTPUTS, COLUMNS)).astype(dtype)
    target = np.stack([TARGETS[name](rng, N_OUTPUTS) for _ in range(COLUMNS)], axis=-1)
    weight = rng.uniform(0.1, 1.0, COLUMNS)
    weight = (weight / weight.sum()).astype(dtype)
    return raw, target if target.dtype.kind == "i" else target.astype(dtype), weight


# One column's loss, as a textbook has it.
FORMULAS = {
    "squared_error": lambda raw, y: 0.5 * np.mean((raw - y) ** 2),
    "softmax_cross_entropy": lambda raw, y: -np.log(np.exp(raw[y]) / np.sum(np.exp(raw))),
    "sigmoid_cross_entropy": lambda raw, y: (
        -np.sum(y * np.log(1 / (1 + np.exp(-raw))) + (1 - y) * np.log(1 - 1 / (1 + np.exp(-raw))))
    ),
}


@losses
def test_value(name):
    raw, target, weight = draw(name)
    value, _ = LOSSES[name].evaluate(raw, target, weight)
    expected = sum(weight[j] * FORMULAS[name](raw[:, j], target[..., j]) for j in range(COLUMNS))
    assert type(value) is float
    assert value == pytest.approx(expected, rel=1e-12)


@losses
def test_gradient(name):
    raw, target, weight = draw(name)
    _, gradient = LOSSES[name].evaluate(raw, target, weight)
    assert gradient.shape == raw.shape
    numeric, epsilon = np.empty_like(raw), 1e-5
    for index in np.ndindex(raw.shape):
        shift = np.zeros_like(raw)
        shift[index] = epsilon
        above, _ = LOSSES[name].evaluate(raw + shift, target, weight)
        below, _ = LOSSES[name].evaluate(raw - shift, target, weight)
        numeric[index] = (above - below) / (2 * epsilon)
    np.testing.assert_allclose(gradient, numeric, rtol=0, atol=1e-9)


@losses
def test_weight_zero_is_absence(name):
    raw, target, weight = draw(name)
    weight[1] = 0.0
    value, gradient = LOSSES[name].evaluate(raw, target, weight)
    kept = weight > 0
    kept_value, kept_gradient = LOSSES[name].evaluate(raw[:, kept], target[..., kept], weight[kept])
    assert value == pytest.approx(kept_value, rel=1e-14)
    np.testing.assert_allclose(gradient[:, kept], kept_gradient, rtol=1e-14)
    np.testing.assert_array_equal(gradient[:, 1], 0.0)


@losses
def test_arguments_are_left_alone(name):
    arguments = draw(name)
    before = [argument.copy() for argument in arguments]
    LOSSES[name].evaluate(*arguments)
    LOSSES[name].link(arguments[0])
    for argument, was in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, was)


@losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_precision_and_extremes(name, dtype, scale):
    """Whatever is not finite, or warns (warnings are errors), fails here."""
    raw, target, weight = draw(name, dtype)
    raw *= scale
    value, gradient = LOSSES[name].evaluate(raw, target, weight)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    predicted = LOSSES[name].link(raw)
    assert np.isfinite(predicted).all()
    assert gradient.dtype == predicted.dtype == dtype
    expected = LOSSES[name].evaluate(raw.astype(float), target, weight.astype(float))
    assert value == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(gradient, expected[1], rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize(
    ("name", "target", "value", "gradient"),
    [
        ("softmax_cross_entropy", np.array([0]), 0.0, [[0.0], [0.0]]),
        ("softmax_cross_entropy", np.array([1]), 2e4, [[1.0], [-1.0]]),
        ("sigmoid_cross_entropy", np.array([[1.0], [0.0]]), 0.0, [[0.0], [0.0]]),
        ("sigmoid_cross_entropy", np.array([[0.0], [0.0]]), 1e4, [[1.0], [0.0]]),
    ],
)
def test_certainty(name, target, value, gradient):
    raw = np.array([[1e4], [-1e4]])
    actual = LOSSES[name].evaluate(raw, target, np.array([1.0]))
    assert actual[0] == value
    np.testing.assert_array_equal(actual[1], gradient)


def test_link_of_squared_error():
    raw, _, _ = draw("squared_error")
    np.testing.assert_array_equal(LOSSES["squared_error"].link(raw), raw)


def test_link_of_softmax():
    raw, _, _ = draw("softmax_cross_entropy")
    raw = np.concatenate([raw, [[1e4, -1e4], [0.0, -1e4], [-1e4, 1e4]]], axis=1)
    probability = LOSSES["softmax_cross_entropy"].link(raw)
    np.testing.assert_allclose(probability.sum(axis=0), 1.0, rtol=1e-15)
    moderate = np.exp(raw[:, :COLUMNS])
    np.testing.assert_allclose(probability[:, :COLUMNS], moderate / moderate.sum(axis=0))
    np.testing.assert_array_equal(probability[:, COLUMNS:], [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])


def test_link_of_sigmoids():
    raw = np.array([[0.0, -1e4, 1e4, 2.0, -2.0]])
    probability = LOSSES["sigmoid_cross_entropy"].link(raw)
    np.testing.assert_array_equal(probability[:, :3], [[0.5, 0.0, 1.0]])
    np.testing.assert_allclose(probability[0, 3:], 1 / (1 + np.exp([-2.0, 2.0])), rtol=1e-15)
