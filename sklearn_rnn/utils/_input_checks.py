"""Checks of the dtype of X, and of its layout in memory."""

import tempfile
from pathlib import Path

import joblib
import numpy as np

from sklearn_rnn._input.sequences import as_objects
from sklearn_rnn.utils._case import Case
from sklearn_rnn.utils._problems import Problem


def check_dtypes(name, estimator, **declared):
    """X may hold float64, float32 or integers, and predictions are finite.

    Integers give the same predictions as equal numbers in float64.
    """
    case = Case(name, estimator, declared)
    container = case.containers[0]  # integers can't be padded with NaN
    drawn = case.problem_in(container)
    problem = Problem([np.round(4 * x) for x in drawn.X], drawn.y)
    expected = None
    for dtype in (np.float64, np.float32, np.int64, np.int32):
        given = Problem([x.astype(dtype) for x in problem.X], problem.y)
        try:
            outputs = case.outputs(case.fit(given, container), given, container)
        except (ValueError, TypeError) as error:
            raise AssertionError(f"{name} refuses X of {dtype.__name__}: {error}") from error
        _check_finite(case, outputs, dtype)
        if dtype is np.float64:
            expected = outputs
        elif dtype is not np.float32:
            what = f"predictions for X of {dtype.__name__} and of float64"
            case.assert_same_fits(outputs, expected, what)


def _check_finite(case: Case, outputs: dict, dtype: type) -> None:
    for method, parts in outputs.items():
        values = np.concatenate([np.ravel(part) for part in parts])
        # minus infinity is allowed: it is the logarithm of the probability zero
        finite = values.dtype.kind != "f" or np.isfinite(values[values != -np.inf]).all()
        assert finite, f"{case.name}.{method} for X of {dtype.__name__} has NaN or infinity."


def check_memory_layout(name, estimator, **declared):
    """Arrays in Fortran order, and views with strides, are read correctly."""
    case = Case(name, estimator, declared)
    for container in case.accepted:
        problem = case.problem_in(container)
        X, y = problem.within(container)
        model = case.fit_to(X, y)
        expected = case.outputs_for(model, X, problem.lengths)
        for layout, function in LAYOUTS.items():
            other = _each_array(function, X)
            what = f"predictions for X in C order and {layout} (container {container!r})"
            case.assert_same(case.outputs_for(model, other, problem.lengths), expected, what)
            outputs = case.outputs_for(case.fit_to(other, y), X, problem.lengths)
            case.assert_same_fits(outputs, expected, f"after fit, {what}")


def _strided(x: np.ndarray) -> np.ndarray:
    wide = np.repeat(x[::-1], 2, axis=-1)  # reversed and skipped again below, it shows x
    return wide[::-1, ..., ::2]


LAYOUTS = {"in Fortran order": np.asfortranarray, "as a view with strides": _strided}


def check_read_only(name, estimator, **declared):
    """X and y may be read-only, or memory-mapped from a file."""
    case = Case(name, estimator, declared)
    for container in case.accepted:
        problem = case.problem_in(container)
        given = problem.within(container)
        expected = case.outputs(case.fit(problem, container), problem, container)
        X, y = map(_read_only, given)
        _check_same_on(case, problem, expected, X, y, f"a read-only {container}")
        with tempfile.TemporaryDirectory() as folder:
            X, y = (_memory_mapped(values, Path(folder) / str(i)) for i, values in enumerate(given))
            _check_same_on(case, problem, expected, X, y, f"a memory-mapped {container}")
            del X, y  # Windows can't delete files that are still mapped


def _check_same_on(case: Case, problem: Problem, expected: dict, X, y, what: str) -> None:
    try:
        outputs = case.outputs_for(case.fit_to(X, y), X, problem.lengths)
    except Exception as error:
        raise AssertionError(f"{case.name} fails on {what}: {error!r}") from error
    case.assert_same_fits(outputs, expected, f"predictions for {what} and for a writeable one")


def _each_array(function, values):
    """Apply a function to an array, or to each array in a list or an object array."""
    if values is None:
        return None
    if isinstance(values, np.ndarray) and values.dtype != object:
        return function(values)
    if isinstance(values, list):
        return [function(value) for value in values]
    return as_objects([function(value) for value in values])


def _read_only(values):
    def copied(array):
        array = array.copy()
        array.flags.writeable = False
        return array

    return _each_array(copied, values)


def _memory_mapped(values, path: Path):
    """Memory-map each array from a file, also in an object array, which joblib would load."""
    arrays = []
    _each_array(arrays.append, values)
    joblib.dump(arrays, path)
    mapped = iter(joblib.load(path, mmap_mode="r"))
    return _each_array(lambda _: next(mapped), values)
