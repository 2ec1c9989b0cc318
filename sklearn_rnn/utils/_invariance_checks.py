"""Checks that predictions don't depend on order, other sequences, padding or container."""

import numpy as np

from sklearn_rnn.preprocessing import pad_sequences
from sklearn_rnn.utils._case import Case


def check_order_invariance(name, estimator, **declared):
    """Permuting the sequences permutes the predictions."""
    case = Case(name, estimator, declared)
    problem = case.problem()
    model = case.fit(problem)
    order = np.random.default_rng(0).permutation(len(problem.X))
    outputs = case.outputs(model, problem)
    expected = {method: [parts[i] for i in order] for method, parts in outputs.items()}
    what = "predictions in another order of the sequences"
    case.assert_same(case.outputs(model, problem.take(order)), expected, what)


def check_subset_invariance(name, estimator, **declared):
    """A sequence has the same prediction alone and among any other sequences."""
    case = Case(name, estimator, declared)
    problem = case.problem()
    model = case.fit(problem)
    outputs = case.outputs(model, problem)
    n = len(problem.X)
    for chosen in ([i] for i in range(n)), (range(n // 2), range(n // 2, n)):
        for part in map(list, chosen):
            expected = {method: [parts[i] for i in part] for method, parts in outputs.items()}
            what = f"predictions for sequences {part} among the others and without them"
            case.assert_same(case.outputs(model, problem.take(part)), expected, what)


def check_length_invariance(name, estimator, **declared):
    """Prediction accepts any number of timesteps, fewer or more than in `fit`."""
    case = Case(name, estimator, declared, needs=("any_length",))
    for container in case.containers:
        model = case.fit(case.problem(lengths=case.equal), container)
        for n_timesteps in (case.equal[0] - 2, case.equal[0] + 6):
            problem = case.problem(lengths=(n_timesteps,) * 4, seed=1)
            try:
                case.outputs(model, problem, container)
            except (ValueError, TypeError, IndexError) as error:
                raise AssertionError(
                    f"{name} was fitted on sequences of {case.equal[0]} timesteps, and fails for "
                    f"those of {n_timesteps} (declare any_length=False if it has to): {error}"
                ) from error


def check_padding_invariance(name, estimator, **declared):
    """Padding with NaN of any length changes neither `fit` nor predictions.

    The check predicts for the padded array, for a longer one, for a list, and for each sequence
    alone with and without padding, as far as these are accepted. It also compares an estimator
    fitted on the array with one fitted on a list.
    """
    case = Case(name, estimator, declared, needs=("padded",))
    problem = case.problem(lengths=case.lengths)
    model = case.fit(problem, "padded")
    expected = case.outputs(model, problem, "padded")
    if case.declared.any_length:
        n_timesteps = max(case.lengths) + 3
        longer = case.outputs_for(model, pad_sequences(problem.X, length=n_timesteps), case.lengths)
        case.assert_same(longer, expected, "predictions with more and with less padding")
        for x in problem.X:
            padded = case.outputs_for(model, pad_sequences([x], length=n_timesteps), [len(x)])
            alone = case.outputs_for(model, x[np.newaxis], [len(x)])
            case.assert_same(padded, alone, "predictions with and without padding")
    if case.declared.ragged:
        outputs = case.outputs(model, problem, "list")
        case.assert_same(outputs, expected, "predictions for a list and for a padded array")
        outputs = case.outputs(case.fit(problem, "list"), problem, "list")
        what = "predictions after fit to a list and to a padded array"
        case.assert_same_fits(outputs, expected, what)


def check_container_invariance(name, estimator, **declared):
    """Sequences of equal length have the same predictions in a list and in an array."""
    case = Case(name, estimator, declared, needs=("array", "ragged"))
    problem = case.problem(lengths=case.equal)
    model = case.fit(problem, "array")
    expected = case.outputs(model, problem, "array")
    for container in ("list", "object array"):
        outputs = case.outputs(model, problem, container)
        case.assert_same(outputs, expected, f"predictions for an array and for a {container}")
