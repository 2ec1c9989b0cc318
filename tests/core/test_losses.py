"""Losses on raw outputs: values, gradients, weights, and numbers that are far out."""

import numpy as np
import pytest
from scipy.stats import norm

from networks import HEADS, HYPER, TARGETS
from sklearn_rnn.core.heads import Head
from sklearn_rnn.core.links import LINK_GRADIENTS
from sklearn_rnn.core.losses import LOSSES

N_OUTPUTS, COLUMNS = 3, 5

losses = pytest.mark.parametrize("name", LOSSES)


def draw(name, dtype=np.float64):
    rng = np.random.default_rng(0)
    head = HEADS.get(name, Head())
    raw = head.forward(rng.standard_normal((N_OUTPUTS * head.n_per_target, COLUMNS)).astype(dtype))
    target = np.stack([TARGETS[name](rng, N_OUTPUTS) for _ in range(COLUMNS)], axis=-1)
    weight = rng.uniform(0.1, 1.0, COLUMNS)
    weight = (weight / weight.sum()).astype(dtype)
    return raw, target if target.dtype.kind == "i" else target.astype(dtype), weight


# One column's loss, as a textbook has it, with the parameters in networks.HYPER.
FORMULAS = {
    "squared_error": lambda raw, y: 0.5 * np.mean((raw - y) ** 2),
    "absolute_error": lambda raw, y: np.mean(np.abs(raw - y)),
    "huber": lambda raw, y: np.mean(
        np.where(np.abs(raw - y) < 0.7, (raw - y) ** 2 / 2, 0.7 * (np.abs(raw - y) - 0.35))
    ),
    "quantile": lambda raw, y: np.mean(np.maximum(0.8 * (y - raw), 0.2 * (raw - y))),
    "poisson": lambda raw, y: np.mean(np.exp(raw) - y * raw),
    "gaussian": lambda raw, y: np.mean(-np.log(norm.pdf(y, raw[:3], raw[3:]) * np.sqrt(2 * np.pi))),
    "softmax_cross_entropy": lambda raw, y: np.sum(
        -(0.85 * (np.arange(len(raw)) == y) + 0.15 / len(raw))
        * np.log(np.exp(raw) / np.sum(np.exp(raw)))
    ),
    "sigmoid_cross_entropy": lambda raw, y: (
        -np.sum(
            (0.85 * y + 0.075) * np.log(1 / (1 + np.exp(-raw)))
            + (1 - 0.85 * y - 0.075) * np.log(1 - 1 / (1 + np.exp(-raw)))
        )
    ),
}


@losses
def test_value(name):
    raw, target, weight = draw(name)
    value, _ = LOSSES[name].of(HYPER).evaluate(raw, target, weight)
    expected = sum(weight[j] * FORMULAS[name](raw[:, j], target[..., j]) for j in range(COLUMNS))
    assert type(value) is float
    assert value == pytest.approx(expected, rel=1e-12)


@losses
def test_gradient(name):
    raw, target, weight = draw(name)
    _, gradient = LOSSES[name].of(HYPER).evaluate(raw, target, weight)
    assert gradient.shape == raw.shape
    numeric, epsilon = np.empty_like(raw), 1e-5
    for index in np.ndindex(raw.shape):
        shift = np.zeros_like(raw)
        shift[index] = epsilon
        above, _ = LOSSES[name].of(HYPER).evaluate(raw + shift, target, weight)
        below, _ = LOSSES[name].of(HYPER).evaluate(raw - shift, target, weight)
        numeric[index] = (above - below) / (2 * epsilon)
    np.testing.assert_allclose(gradient, numeric, rtol=3e-9, atol=1e-9)


@losses
def test_weight_zero_is_absence(name):
    raw, target, weight = draw(name)
    weight[1] = 0.0
    value, gradient = LOSSES[name].of(HYPER).evaluate(raw, target, weight)
    kept = weight > 0
    kept_value, kept_gradient = (
        LOSSES[name].of(HYPER).evaluate(raw[:, kept], target[..., kept], weight[kept])
    )
    assert value == pytest.approx(kept_value, rel=1e-14)
    np.testing.assert_allclose(gradient[:, kept], kept_gradient, rtol=1e-14)
    np.testing.assert_array_equal(gradient[:, 1], 0.0)


@losses
def test_arguments_are_left_alone(name):
    arguments = draw(name)
    before = [argument.copy() for argument in arguments]
    LOSSES[name].of(HYPER).evaluate(*arguments)
    LOSSES[name].link(arguments[0])
    for argument, was in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, was)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(  # e^raw has its limits
    ("name", "scale"),
    [(name, s) for name in LOSSES for s in (1.0, 30 if name == "poisson" else 1e4)],
)
def test_precision_and_extremes(name, dtype, scale):
    """Whatever is not finite, or warns (warnings are errors), fails here."""
    raw, target, weight = draw(name, dtype)
    raw *= scale
    value, gradient = LOSSES[name].of(HYPER).evaluate(raw, target, weight)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    predicted = LOSSES[name].link(raw)
    assert np.isfinite(predicted).all()
    assert gradient.dtype == predicted.dtype == dtype
    expected = LOSSES[name].of(HYPER).evaluate(raw.astype(float), target, weight.astype(float))
    assert value == pytest.approx(expected[0], rel=1e-5)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-5, atol=1e-6 * scale)


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


def test_huber_is_nearly_squared_error_or_absolute_error():
    """Where δ is large, or small."""
    raw, target, weight = draw("huber")
    for delta, other, factor in [(100.0, "squared_error", 1.0), (1e-9, "absolute_error", 1e-9)]:
        actual = LOSSES["huber"].evaluate(raw, target, weight, delta=delta)
        expected = LOSSES[other].evaluate(raw, target, weight)
        assert actual[0] == pytest.approx(factor * expected[0], rel=1e-8)
        np.testing.assert_allclose(actual[1], factor * expected[1], rtol=1e-8)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_the_best_constant_of_the_quantile_loss_is_the_quantile(quantile):
    target = np.arange(21.0)[np.newaxis]
    weight = np.full(21, 1 / 21)
    candidates = np.arange(21.0)
    loss = [
        LOSSES["quantile"].evaluate(np.full((1, 21), c), target, weight, quantile=quantile)[0]
        for c in candidates
    ]
    assert candidates[np.argmin(loss)] == np.quantile(target, quantile)


def test_the_poisson_loss_starts_from_its_best_constant():
    rng = np.random.default_rng(0)
    target, weight = rng.poisson([0.3, 5.0, 400.0], (50, 3)) * 1.0, rng.uniform(0, 2, 50)
    intercept = LOSSES["poisson"].intercept(target, weight)
    raw = np.repeat(intercept[:, np.newaxis], 50, axis=1)
    _, gradient = LOSSES["poisson"].evaluate(raw, target.T, weight / weight.sum())
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.exp(intercept), np.average(target, axis=0, weights=weight))
    zero = LOSSES["poisson"].intercept(np.zeros((50, 1), np.float32), weight)
    assert np.isfinite(zero.astype(np.float32)).all()


def test_link_of_poisson():
    raw, _, _ = draw("poisson")
    np.testing.assert_array_equal(LOSSES["poisson"].link(raw), np.exp(raw))


def test_the_gaussian_loss_starts_from_its_best_constant():
    rng = np.random.default_rng(0)
    target, weight = rng.normal([1.0, -50.0], [0.01, 30.0], (50, 2)), rng.uniform(0, 2, 50)
    intercept = LOSSES["gaussian"].intercept(target, weight)
    raw = np.repeat(intercept[:, np.newaxis], 50, axis=1)
    _, gradient = LOSSES["gaussian"].evaluate(raw, target.T, weight / weight.sum())
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-11)
    of_constants = LOSSES["gaussian"].intercept(np.full((50, 1), 3.0), weight)
    assert np.isfinite(
        LOSSES["gaussian"].evaluate(of_constants[:, None], 3.0 + np.zeros((1, 1)), np.ones(1))[0]
    )


@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber", "quantile"])
def test_link_of_errors(name):
    raw, _, _ = draw(name)
    np.testing.assert_array_equal(LOSSES[name].link(raw), raw)


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


@losses
def test_gradient_of_the_link(name):
    raw, _, _ = draw(name)
    link, epsilon = LOSSES[name].link, 1e-6
    d_linked = np.random.default_rng(1).standard_normal(raw.shape)
    numeric = np.empty_like(raw)
    for index in np.ndindex(raw.shape):
        shift = np.zeros_like(raw)
        shift[index] = epsilon
        difference = link(raw + shift) - link(raw - shift)
        numeric[index] = np.vdot(difference, d_linked) / (2 * epsilon)
    np.testing.assert_allclose(LINK_GRADIENTS[link](raw, d_linked), numeric, rtol=0, atol=1e-8)
