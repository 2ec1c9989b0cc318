"""Checks of fitting: repeated fits, clones, pickles, and what fitting must not change."""

import pickle
import tempfile
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_rnn.utils._case import METHODS, Case, changed, frozen


def check_clone(name, estimator, **declared):
    """A clone of a fitted estimator is unfitted. Fitted with the same seed, it predicts the same.

    If predictions differ, fits can't be repeated, and the checks that compare fits are skipped.
    """
    case = Case(name, estimator, declared, needs=("deterministic",))
    problem = case.problem()
    model = case.fit(problem)
    copy = clone(model)
    left = vars(copy).keys() - vars(case.new()).keys()
    assert not left, f"A clone of a fitted {name} still has {sorted(left)}."
    case.fit(problem, model=copy)
    what = "predictions of an estimator and of its clone, random_state being the same"
    case.assert_same(case.outputs(copy, problem), case.outputs(model, problem), what)


def check_refit(name, estimator, **declared):
    """A second `fit` forgets the first one, for the same data and for data with more features."""
    case = Case(name, estimator, declared, needs=("repeatable", "cold"))
    n_features = case.n_features + case.declared.multivariate
    first, other = case.problem(), case.problem(n_features=n_features, seed=1)
    model = case.fit(first)
    expected = case.outputs(model, first)
    case.fit(first, model=model)
    case.assert_same(
        case.outputs(model, first), expected, "predictions after one fit and after two"
    )
    case.fit(other, model=model)
    expected = case.outputs(case.fit(other), other)
    what = "predictions after fit, with an earlier fit to other data and without one"
    case.assert_same(case.outputs(model, other), expected, what)


def check_fit_transform(name, estimator, **declared):
    """`fit_transform` returns what `transform` returns after `fit`."""
    case = Case(name, estimator, declared, needs=("transform", "repeatable"))
    problem = case.problem()
    X, y = problem.within(case.container)
    with case.fitting():
        at_once = case.new().fit_transform(X, *(() if y is None else (y,)))
    expected = case.fit_to(X, y).transform(X)
    what = "results of fit_transform and of transform"
    at_once, expected = (
        {"transform": case.per_sequence("transform", output, problem.lengths)}
        for output in (at_once, expected)
    )
    case.assert_same(at_once, expected, what)


def check_set_params(name, estimator, **declared):
    """Parameters set by `set_params` have the same effect as in the constructor."""
    case = Case(name, estimator, declared, needs=("repeatable", "default"))
    problem = case.problem()
    changed = type(estimator)().set_params(**clone(estimator).get_params(deep=False))
    case.fit(problem, model=case.seeded(changed))
    expected = case.outputs(case.fit(problem), problem)
    what = "predictions after set_params and after giving the parameters to the constructor"
    case.assert_same(case.outputs(changed, problem), expected, what)


def check_pickle(name, estimator, **declared):
    """A fitted estimator restored by `pickle` or `joblib` predicts the same, to the last bit."""
    case = Case(name, estimator, declared)
    problem = case.problem()
    model = case.fit(problem)
    expected = case.outputs(model, problem)
    copies = {"pickle": pickle.loads(pickle.dumps(model))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.joblib"
        joblib.dump(model, path)
        copies["joblib"] = joblib.load(path)
    for module, copy in copies.items():
        try:
            outputs = case.outputs(copy, problem)
        except Exception as error:
            raise AssertionError(f"{name} fails after {module}: {error!r}") from error
        case.assert_same(outputs, expected, f"predictions before and after {module}", exactly=True)


def check_data_unchanged(name, estimator, **declared):
    """Neither `fit` nor any other method changes X or y in place."""
    case = Case(name, estimator, declared)
    for container in case.accepted:
        problem = case.problem_in(container)
        X, y = problem.within(container)
        before = frozen({"X": X, "y": y})
        model = case.fit_to(X, y)
        for what in "fit", "a method that predicts":
            names = " and ".join(changed(before, frozen({"X": X, "y": y})))
            assert not names, f"{name}: {what} changes {names} in place (container {container!r})."
            case.raw_outputs(model, X)


def check_parameters_unchanged(name, estimator, **declared):
    """`fit` doesn't change parameters; it stores results in attributes that end with "_"."""
    case = Case(name, estimator, declared)
    model = case.new()
    before = frozen(_plain_parameters(model))
    case.fit(case.problem(), model=model)
    names = changed(before, frozen(_plain_parameters(model)))
    assert not names, f"{name}.fit changes its parameters {names}."


def _plain_parameters(estimator) -> dict:
    """Return the parameters except estimators, since a Pipeline fits its steps in place."""
    return {
        key: value for key, value in estimator.get_params().items() if not _holds_estimators(value)
    }


def _holds_estimators(value) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_estimators, value))
    return hasattr(value, "get_params")


def check_state_unchanged(name, estimator, **declared):
    """Predicting doesn't change the estimator, so that several threads may predict with it."""
    case = Case(name, estimator, declared)
    problem = case.problem()
    model = case.fit(problem)
    X, _ = problem.within(case.container)
    before = frozen(vars(model))
    for method in case.methods(model):
        getattr(model, method)(X)
        names = changed(before, frozen(vars(model)))
        assert not names, f"{name}.{method} changes the estimator's attributes {names}."


def check_global_random_state(name, estimator, **declared):
    """With a seed as random_state, NumPy's global generator is neither used nor seeded."""
    case = Case(name, estimator, declared)
    problem = case.problem()
    state = np.random.get_state()  # noqa: NPY002 -- to see whether anything uses it
    np.random.seed(123456)  # noqa: NPY002 -- a seed that no fit would set
    try:
        before = pickle.dumps(np.random.get_state())  # noqa: NPY002
        case.outputs(case.fit(problem), problem)
        after = pickle.dumps(np.random.get_state())  # noqa: NPY002
    finally:
        np.random.set_state(state)  # noqa: NPY002
    assert before == after, f"{name} uses or seeds NumPy's global random generator."


def check_not_fitted(name, estimator, **declared):
    """Before `fit`, every prediction method raises NotFittedError."""
    case = Case(name, estimator, declared, needs=("fit",))
    X, _ = case.problem().within(case.container)
    model = case.new()
    for method in METHODS:
        try:
            call = getattr(model, method)
        except AttributeError:  # the method is missing, or missing before fit
            continue
        try:
            call(X)
        except NotFittedError:
            continue
        except Exception as error:
            raise AssertionError(
                f"{name}.{method} raises {type(error).__name__} before fit, not NotFittedError; "
                "call sklearn.utils.validation.check_is_fitted first."
            ) from error
        raise AssertionError(f"{name}.{method} must raise NotFittedError before fit.")


def check_cross_validation(name, estimator, **declared):
    """`cross_validate` works with the estimator in a Pipeline, and fits are independent."""
    case = Case(name, estimator, declared, needs=("kind", "repeatable"))
    problem = case.problem()
    X, y = problem.within(case.container)
    pipeline = make_pipeline(FunctionTransformer(), case.new())
    with case.fitting():
        results = cross_validate(
            pipeline,
            X,
            y,
            cv=KFold(3),
            error_score="raise",
            return_estimator=True,
            return_indices=True,
        )
    assert np.isfinite(results["test_score"]).all(), f"{name}: scores {results['test_score']}."
    tests = [problem.take(part) for part in results["indices"]["test"]]
    fitted = zip(results["estimator"], tests, strict=True)
    outputs = [case.outputs(model[-1], test) for model, test in fitted]
    for output, test, part in zip(outputs, tests, results["indices"]["train"], strict=True):
        expected = case.outputs(case.fit(problem.take(part)), test)
        case.assert_same(output, expected, "predictions in cross-validation and by hand")
