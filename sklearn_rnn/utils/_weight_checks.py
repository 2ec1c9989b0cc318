"""Checks of sample_weight."""

import numpy as np

from sklearn_rnn.utils._case import Case
from sklearn_rnn.utils._problems import Problem


def check_zero_weight(name, estimator, **declared):
    """A sequence of weight zero has no influence on `fit`."""
    case = Case(name, estimator, declared, needs=("sample_weight", "repeatable"))
    for container in case.accepted:
        problem = case.problem_in(container)
        kept = np.arange(len(problem.X)) % 5 > 0
        extreme = [x if keep else 30 * x for x, keep in zip(problem.X, kept, strict=True)]
        weighted = Problem(extreme, problem.y)
        model = case.fit(weighted, container, sample_weight=kept.astype(float))
        without = case.fit(problem.take(np.flatnonzero(kept)), container)
        outputs, expected = (case.outputs(m, problem, container) for m in (model, without))
        what = "predictions after fit with weights of zero and without these sequences"
        case.assert_same(outputs, expected, what)


def check_integer_weights(name, estimator, **declared):
    """A sequence of weight 2 counts like two copies of the sequence."""
    case = Case(name, estimator, declared, needs=("sample_weight", "repeatable"))
    problem = case.problem()
    weights = 1 + np.arange(len(problem.X)) % 3
    model = case.fit(problem, sample_weight=weights.astype(float))
    repeated = case.fit(problem.take(np.repeat(np.arange(len(problem.X)), weights)))
    what = "predictions after fit with integer weights and with sequences repeated"
    case.assert_same(case.outputs(model, problem), case.outputs(repeated, problem), what)


def check_timestep_weights(name, estimator, **declared):
    """sample_weight may be per timestep, and y has no influence where it is zero.

    A weight that is the same for all timesteps of a sequence counts like a weight per sequence.
    """
    needs = ("per_timestep", "sample_weight", "timestep_weights", "y", "repeatable")
    case = Case(name, estimator, declared, needs=needs)
    problem = case.problem()
    per_sequence = 1.0 + np.arange(len(problem.X)) % 3
    weights = [np.full(n, w) for n, w in zip(problem.lengths, per_sequence, strict=True)]
    expected = case.outputs(case.fit(problem, sample_weight=per_sequence), problem)
    outputs = case.outputs(_fit(case, problem, weights), problem)
    what = "predictions after fit with a weight per sequence, and with it for each timestep"
    case.assert_same(outputs, expected, what)

    weights = [(np.arange(n) != 1).astype(float) for n in problem.lengths]
    y = [np.where(w > 0, y, problem.y[0][0]) for y, w in zip(problem.y, weights, strict=True)]
    expected = case.outputs(_fit(case, problem, weights), problem)
    outputs = case.outputs(_fit(case, Problem(problem.X, y), weights), problem)
    what = "predictions after fit with other targets at timesteps of weight zero"
    case.assert_same(outputs, expected, what)


def _fit(case: Case, problem: Problem, weights: list[np.ndarray]):
    _, contained = Problem(problem.X, weights).within(case.container)
    return case.fit(problem, sample_weight=contained)


def check_weights_unchanged(name, estimator, **declared):
    """`fit` doesn't change sample_weight in place."""
    case = Case(name, estimator, declared, needs=("sample_weight",))
    problem = case.problem()
    weights = 1.0 + np.arange(len(problem.X)) % 3
    before = weights.copy()
    case.fit(problem, sample_weight=weights)
    assert np.array_equal(weights, before), f"{name}.fit changes sample_weight in place."
