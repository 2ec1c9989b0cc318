"""Checks that unusable input is refused with a ValueError or a TypeError."""

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from sklearn_rnn.utils._case import Case
from sklearn_rnn.utils._problems import N_FEATURES, Problem


def check_other_n_features(name, estimator, **declared):
    """Sequences with more or fewer features than in `fit` are refused when predicting."""
    case = Case(name, estimator, declared, needs=("validation",))
    model = case.fit(case.problem())
    for n_features in filter(None, (case.n_features - 1, case.n_features + 1)):
        X, _ = case.problem(n_features=n_features).within(case.container)
        what = f"sequences of {n_features} features after fit to those of {case.n_features}"
        case.assert_methods_refuse(model, X, what)


def check_nonfinite_values(name, estimator, **declared):
    """Infinity in X is refused, and so is NaN, unless it is padding or the tag allow_nan is set.

    NaN is not padding if a valid timestep follows it, or if only some features of its timestep are
    NaN.
    """
    case = Case(name, estimator, declared, needs=("validation",))
    values = (np.inf, -np.inf) if case.tags.input_tags.allow_nan else (np.nan, np.inf, -np.inf)
    for container in case.accepted:
        problem = case.problem_in(container)
        model = case.fit(problem, container)
        place = problem.lengths.index(case.equal[0])
        of_some = ((2, 0), (-1, 0)) if case.declared.multivariate else ()
        for timestep, features in ((0, ...), (2, ...), *of_some):
            for value in values:
                sequences = [x.copy() for x in problem.X]
                sequences[place][timestep, features] = value
                X, y = Problem(sequences, problem.y).within(container)
                where = "all features" if features is ... else "one feature"
                what = f"{value} in {where} of timestep {timestep} ({container})"
                case.assert_fit_refuses(X, y, what)
                case.assert_methods_refuse(model, X, what)


def _without_timesteps(sequences):
    """Remove all timesteps of the second sequence."""
    emptied = sequences.copy()
    emptied[1] = emptied[1][:0]
    return emptied


def _all_padding(X: np.ndarray) -> np.ndarray:
    X = X.copy()
    X[1] = np.nan
    return X


EMPTIED = {
    "list": _without_timesteps,
    "object array": _without_timesteps,
    "array": lambda X: X[:, :0],
    "padded": _all_padding,
}


def check_empty_input(name, estimator, **declared):
    """X without sequences is refused, and so are sequences without timesteps."""
    case = Case(name, estimator, declared, needs=("validation",))
    for container in case.accepted:
        problem = case.problem_in(container)
        model = case.fit(problem, container)
        X, y = problem.within(container)
        case.assert_fit_refuses(X[:0], None if y is None else y[:0], f"an empty {container}")
        case.assert_methods_refuse(model, X[:0], f"an empty {container}")
        X = EMPTIED[container](X)
        if case.declared.per_timestep and y is not None and container != "padded":
            y = EMPTIED[container](y)
        case.assert_fit_refuses(X, y, f"a sequence without timesteps ({container})")
        case.assert_methods_refuse(model, X, f"a sequence without timesteps ({container})")


def check_mixed_n_features(name, estimator, **declared):
    """A list of sequences with different numbers of features is refused."""
    case = Case(name, estimator, declared, needs=("validation", "ragged"))
    problem = case.problem()
    model = case.fit(problem)
    for wrong in (problem.X[-1][:, :-1], np.c_[problem.X[-1], problem.X[-1]]):
        X, y = Problem([*problem.X[:-1], wrong], problem.y).within("list")
        what = f"a list with sequences of {case.n_features} and of {wrong.shape[1]} features"
        case.assert_fit_refuses(X, y, what)
        case.assert_methods_refuse(model, X, what)


def check_wrong_dimensions(name, estimator, **declared):
    """A number is refused, and arrays with other than 3 dimensions (or 2 if the tag is set)."""
    case = Case(name, estimator, declared, needs=("validation",))
    problem = case.problem()
    model = case.fit(problem)
    equal = case.problem(lengths=case.equal)
    three = np.stack(equal.X)
    y = equal.within(case.containers[-1])[1]
    wrong = [np.float64(3.0), three[:, 0, 0], three[..., np.newaxis]]
    if not case.tags.input_tags.two_d_array:
        wrong.append(three[:, :, 0])
    for X in wrong:
        what = f"X with {X.ndim} dimensions"
        case.assert_fit_refuses(X, y, what)
        case.assert_methods_refuse(model, X, what)
    if case.declared.ragged:
        X = [x[:, :, np.newaxis] for x in problem.X]  # y fits X
        case.assert_fit_refuses(X, problem.y, "a list of sequences with 3 dimensions each")
        case.assert_methods_refuse(model, X, "a list of sequences with 3 dimensions each")


def check_numbers_of_samples(name, estimator, **declared):
    """`fit` refuses y or sample_weight if X has another number of sequences."""
    case = Case(name, estimator, declared, needs=("validation", "y"))
    problem = case.problem()
    X, y = problem.within(case.container)
    longer = np.concatenate([y, y[:1]]) if isinstance(y, np.ndarray) else [*y, y[0]]
    n = len(problem.X)
    case.assert_fit_refuses(X, y[:-1], f"{n} sequences and {n - 1} targets")
    case.assert_fit_refuses(X, longer, f"{n} sequences and {n + 1} targets")
    if has_fit_parameter(case.estimator, "sample_weight"):
        for k in (n - 1, n + 1):
            what = f"{n} sequences and {k} weights"
            case.assert_fit_refuses(X, y, what, sample_weight=np.ones(k))


def check_lengths_of_targets(name, estimator, **declared):
    """A sequence with more or fewer targets than timesteps is refused; so is y per sequence."""
    needs = ("validation", "y", "per_timestep")
    case = Case(name, estimator, declared, needs=needs)
    for container in case.accepted:
        problem = case.problem_in(container)
        X, _ = problem.within(container)
        longest = max(problem.lengths)
        shorter = [y[:-1] if len(y) == longest else y for y in problem.y]
        longer = [np.concatenate([y, y[:1]]) if len(y) == longest else y for y in problem.y]
        wrong = {
            "y with one timestep fewer than X": Problem(problem.X, shorter).within(container)[1],
            "y with one timestep more than X": Problem(problem.X, longer).within(container)[1],
            "one target per sequence": np.stack([y[0] for y in problem.y]),
        }
        for what, y in wrong.items():
            case.assert_fit_refuses(X, y, f"{what} ({container})")


def check_nonfinite_targets(name, estimator, **declared):
    """A regressor refuses NaN and infinity in y."""
    case = Case(name, estimator, declared, needs=("validation", "regressor"))
    problem = case.problem()
    for value in (np.nan, np.inf):
        y = [np.array(part, dtype=float) for part in problem.y]
        y[2][...] = value
        y = y if case.declared.per_timestep else np.stack(y)
        X, y = Problem(problem.X, y).within(case.container)
        case.assert_fit_refuses(X, y, f"{value} in y")


def check_undeclared_input(name, estimator, **declared):
    """Input that was declared as not accepted is refused: ragged=False, shortest=3 and so on.

    An estimator that accepts it after all returns results that mislead its users.
    """
    case = Case(name, estimator, declared, needs=("validation", "undeclared"))
    refused = {
        "list": not case.declared.ragged,
        "padded": not case.declared.padded and not case.tags.input_tags.allow_nan,
    }
    model = case.fit(case.problem())
    for container in (container for container, is_refused in refused.items() if is_refused):
        X, y = case.problem(lengths=case.lengths).within(container)
        what = f"sequences of different lengths in the container {container!r}"
        case.assert_fit_refuses(X, y, f"{what}, which was declared as not accepted")
        case.assert_methods_refuse(model, X, f"{what}, which was declared as not accepted")
    if case.declared.shortest > 1:
        n_timesteps = case.declared.shortest - 1
        X, y = case.problem(lengths=(n_timesteps,) * len(case.equal)).within(case.containers[0])
        what = f"sequences of {n_timesteps} timesteps, though shortest={n_timesteps + 1}"
        case.assert_fit_refuses(X, y, f"{what} was declared")
        case.assert_methods_refuse(model, X, f"{what} was declared")
    if not case.declared.multivariate:
        X, y = case.problem(n_features=N_FEATURES).within(case.container)
        what = f"sequences of {N_FEATURES} features, though multivariate=False was declared"
        case.assert_fit_refuses(X, y, what)
    if not case.declared.any_length:
        X, _ = case.problem(lengths=(max(case.lengths) + 1,) * 3).within(case.container)
        what = "longer sequences than in fit, though any_length=False was declared"
        case.assert_methods_refuse(model, X, what)
