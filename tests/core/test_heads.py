"""Heads, alone and on a network: values, gradients, inverses, and numbers that are far out."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import reference
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
from sklearn_rnn.core.heads import Head, MeanAndDeviation, NonCrossing
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.scaling import Scaling, Units

LEVELS = [(0.5,), (0.1, 0.9), (0.1, 0.5, 0.9), (0.01, 0.02, 0.4), (0.7, 0.8, 0.9, 0.95, 0.99)]
levels_of_all_kinds = pytest.mark.parametrize("levels", LEVELS, ids=str)
N_TARGETS, COLUMNS = 2, 5


def draw(levels, scale=2.0, dtype=np.float64):
    rng = np.random.default_rng(0)
    return (scale * rng.standard_normal((len(levels) * N_TARGETS, COLUMNS))).astype(dtype)


def reached(levels, a):
    """The levels' quantiles of all targets, (n_quantiles, n_targets, columns)."""
    return NonCrossing(levels).forward(a).reshape(len(levels), N_TARGETS, -1)


@levels_of_all_kinds
def test_quantiles_are_the_references(levels):
    a = draw(levels)
    for column, actual in zip(a.T, np.moveaxis(reached(levels, a), -1, 0), strict=True):
        assert_allclose(actual, reference.non_crossing(column, levels)[0], rtol=1e-14)


@levels_of_all_kinds
def test_gradient(levels):
    a, head = draw(levels), NonCrossing(levels)
    d_outputs = np.random.default_rng(1).standard_normal(a.shape)
    actual = head.backward(a, d_outputs)
    numeric = central_differences(lambda: float(np.vdot(head.forward(a), d_outputs)), a)
    assert_allclose(actual, numeric, atol=1e-9)
    assert_array_equal(head.backward(a, np.zeros_like(a)), 0)


@levels_of_all_kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 100.0, 1e30])
def test_quantiles_never_cross(levels, dtype, scale):
    """Whatever warns (warnings are errors) fails here."""
    a = draw(levels, scale, dtype)
    a[:, -1] = 0
    values = reached(levels, a)
    assert values.dtype == dtype
    assert np.isfinite(values).all()
    assert (np.diff(values, axis=0) >= 0).all()
    gradient = NonCrossing(levels).backward(a, np.ones_like(a))
    assert gradient.dtype == dtype
    assert np.isfinite(gradient).all()


@levels_of_all_kinds
@pytest.mark.parametrize("mean", [-1e6, 0.0, 3e7])
def test_quantiles_in_units_never_cross(levels, mean):
    """In float32 neighbours may become equal where the level is high."""
    head, scaling = NonCrossing(levels), Scaling(np.array([mean, -mean]), np.array([1e-3, 1e3]))
    rows = head.forward(draw(levels, dtype=np.float32)).T
    in_units = head.in_units(rows, scaling).astype(np.float32)
    by_target = head.by_target(in_units)
    assert by_target.shape == (COLUMNS, N_TARGETS, len(levels))
    assert (np.diff(by_target, axis=-1) >= 0).all()
    for k in range(len(levels)):
        own = rows[:, N_TARGETS * k : N_TARGETS * (k + 1)]
        assert_array_equal(by_target[:, :, k], scaling.undo(own).astype(np.float32))


@levels_of_all_kinds
@pytest.mark.parametrize("distance", [1e-3, 1.0, 30.0, 1e5])
def test_inverse(levels, distance):
    steps = np.random.default_rng(0).uniform(0.1, 1, (len(levels), N_TARGETS))
    outputs = (distance * np.cumsum(steps, axis=0) - 2).ravel()
    a = NonCrossing(levels).inverse(outputs)
    assert_allclose(NonCrossing(levels).forward(a[:, np.newaxis])[:, 0], outputs, rtol=1e-9)


@levels_of_all_kinds
@pytest.mark.parametrize("level", [0.0, -7.0, 1e4])
def test_equal_quantiles_start_close_to_each_other(levels, level):
    """But not so close that no gradient would move them."""
    head, n = NonCrossing(levels), len(levels)
    for distance in (0.0, 50.0):  # of the outermost ones
        outputs = np.full((n, N_TARGETS), level)
        outputs[-1] += distance if n > 2 else 0
        a = head.inverse(outputs.ravel())
        values = head.forward(a[:, np.newaxis]).reshape(n, N_TARGETS)
        assert_allclose(values, outputs, atol=1.1e-4 * n * max(distance, 1))
        slopes = head.backward(a[:, np.newaxis], np.eye(n * N_TARGETS)[:, :1])
        assert np.abs(slopes[0]) > 5e-5


def test_one_number_for_each_target_stays_as_it_is():
    numbers = draw((0.5,))
    assert Head().forward(numbers) is numbers
    assert Head().backward(numbers, numbers) is numbers
    assert Head().inverse(numbers) is numbers
    assert Head().by_target(numbers) is numbers


# On a network.

networks = pytest.mark.parametrize("output", ["all", "last", "last+mean+max"])


@networks
@pytest.mark.parametrize("levels", [(0.1, 0.9), (0.2, 0.4, 0.9)], ids=str)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_network(output, levels, bidirectional):
    """Against finite differences, and against the reference."""
    network = make_network(bidirectional=bidirectional, head=NonCrossing(levels), **OUTPUTS[output])
    sequences, lengths = make_sequences([2, 5, 1, 3, 3]), [2, 5, 1, 3, 3]
    packed, per_step = pack(sequences), OUTPUTS[output]["return_sequences"]
    targets, weights = make_targets("quantile", lengths, 2, per_step)
    given = packed, "quantile", targets, weights
    hyper = {"hyper": SimpleNamespace(quantile=list(levels))}
    value, d_outputs, tape = evaluate(network, *given, **hyper)
    gradients = unset_gradients(network)
    d_inputs = network.backward(tape, d_outputs, gradients, input_gradient=True)

    def total():
        network.refresh()
        return evaluate(network, *given, **hyper)[0]

    numeric = network.architecture.zeros(np.float64)
    numeric.vector[...] = central_differences(total, network.parameters.vector)
    named = network.architecture.named(numeric)
    weights_by_name = network.architecture.named(network.parameters)
    expected_value, expected, expected_d_inputs = reference.loss_and_gradients(
        weights_by_name,
        sequences,
        targets,
        cell="gru",
        loss="several_quantiles",
        qs=levels,
        sample_weight=weights,
        **OUTPUTS[output],
    )
    assert value == pytest.approx(expected_value, rel=1e-12)
    for name, gradient in network.architecture.named(gradients).items():
        assert_equal_slopes(gradient, named[name], name)
        assert_allclose(gradient, expected[name], rtol=1e-10, atol=1e-12)
    for i, d in enumerate(packed.by_sequence(d_inputs, return_sequences=True)):
        assert_allclose(d, expected_d_inputs[i], rtol=1e-10, atol=1e-12)


@networks
def test_prediction_is_the_forward_pass_in_units(output):
    levels = (0.1, 0.5, 0.9)
    network = make_network(head=NonCrossing(levels), **OUTPUTS[output])
    network.units = Units(None, Scaling(np.array([10.0, -5.0]), np.array([2.0, 0.1])))
    sequences, per_step = make_sequences([2, 5, 1, 3, 3]), OUTPUTS[output]["return_sequences"]
    packed = pack(sequences)
    raw = packed.by_sequence(network.forward(packed.batch)[0], per_step)
    for rows, expected in zip(predict(network, sequences), raw, strict=True):
        expected = expected.reshape(*expected.shape[:-1], 3, 2)
        expected = expected * network.units.targets.scale + network.units.targets.mean
        assert_allclose(rows.reshape(expected.shape), expected, rtol=1e-12)


# The loss that goes with it.


def test_the_loss_is_the_mean_over_the_quantiles():
    rng = np.random.default_rng(0)
    levels, target = np.array([0.1, 0.5, 0.9]), rng.standard_normal((N_TARGETS, COLUMNS))
    raw, weight = rng.standard_normal((3 * N_TARGETS, COLUMNS)), rng.dirichlet(np.ones(COLUMNS))
    value, gradient = LOSSES["quantile"].evaluate(raw, target, weight, quantile=levels)
    singles = [
        LOSSES["quantile"].evaluate(part, target, weight, quantile=level)
        for part, level in zip(np.split(raw, 3), levels.tolist(), strict=True)
    ]
    assert value == pytest.approx(np.mean([single for single, _ in singles]), rel=1e-14)
    assert_allclose(gradient, np.concatenate([d for _, d in singles]) / 3, rtol=1e-14)


def test_the_best_constants_are_the_quantiles_of_the_data():
    rng = np.random.default_rng(0)
    target, levels = rng.standard_normal((51, N_TARGETS)), np.array([0.1, 0.5, 0.9])
    counts = rng.integers(0, 4, 51)
    best = LOSSES["quantile"].intercept(target, counts * 0.5, quantile=levels)
    repeated = np.repeat(target, counts, axis=0)
    expected = np.quantile(repeated, levels, axis=0, method="inverted_cdf")
    assert_array_equal(best.reshape(3, N_TARGETS), expected)


# A mean and a standard deviation.


def test_mean_and_deviation():
    a = draw((0.1, 0.9))
    head = MeanAndDeviation()
    outputs = head.forward(a)
    for column, actual in zip(a.T, outputs.T, strict=True):
        assert_allclose(actual, np.concatenate(reference.mean_and_deviation(column)), rtol=1e-14)
    d_outputs = np.random.default_rng(1).standard_normal(a.shape)
    numeric = central_differences(lambda: float(np.vdot(head.forward(a), d_outputs)), a)
    assert_allclose(head.backward(a, d_outputs), numeric, atol=1e-9)
    assert_allclose(head.forward(head.inverse(outputs[:, 0])[:, None])[:, 0], outputs[:, 0])
    scaling = Scaling(np.array([10.0, -5.0]), np.array([2.0, 0.1]))
    rows = head.in_units(outputs.T, scaling)
    assert_allclose(head.by_target(rows), outputs[:2].T * [2.0, 0.1] + [10.0, -5.0])
    assert_allclose(head.deviations(rows), outputs[2:].T * [2.0, 0.1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 100.0, 1e30])
def test_deviations_are_positive(dtype, scale):
    a = draw((0.1, 0.9), scale, dtype)
    outputs = MeanAndDeviation().forward(a)
    assert outputs.dtype == dtype
    assert np.isfinite(outputs).all()
    assert (outputs[2:] >= dtype(1e-3)).all()


def test_the_deviation_of_a_constant_starts_small():
    head = MeanAndDeviation()
    mean, deviation = head.forward(head.inverse(np.array([7.0, 0.0]))[:, np.newaxis])[:, 0]
    assert mean == 7.0
    assert 1e-3 < deviation < 3e-3
