"""Check that an estimator of sequences does what its users expect, as `check_estimator` can't."""

import re
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from unittest import SkipTest

from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning

from sklearn_rnn.utils import (
    _container_checks,
    _error_checks,
    _fit_checks,
    _input_checks,
    _invariance_checks,
    _target_checks,
    _weight_checks,
)
from sklearn_rnn.utils._case import Case

_MODULES = (
    _container_checks,
    _fit_checks,
    _invariance_checks,
    _weight_checks,
    _target_checks,
    _input_checks,
    _error_checks,
)

# All the checks, in the order in which they are run.
SEQUENCE_CHECKS = tuple(
    value
    for module in _MODULES
    for name, value in vars(module).items()
    if name.startswith("check_")
)


def sequence_checks_generator(estimator, **declared) -> Iterator[tuple]:
    """Yield all the checks for an estimator.

    Parameters
    ----------
    estimator : estimator object
        The estimator to check; it is cloned, not fitted.
    **declared
        What the estimator accepts, as for `check_sequence_estimator`.

    Yields
    ------
    estimator : estimator object
        The estimator.
    check : callable
        To be called with the estimator. Raises if the check fails, and `unittest.SkipTest` if the
        estimator doesn't do what the check is about.

    Raises
    ------
    TypeError
        If a class is given instead of an instance, or something unknown is declared.
    ValueError
        If the estimator takes neither arrays nor lists.

    Examples
    --------
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.utils.estimator_checks import sequence_checks_generator
    >>> estimator, check = next(sequence_checks_generator(RNNRegressor(max_iter=3)))
    >>> check.func.__name__
    'check_3d_array'
    >>> check(estimator)
    """
    if isinstance(estimator, type):
        raise TypeError(f"Give an instance, such as {estimator.__name__}(), instead of the class.")
    name = type(estimator).__name__
    Case(name, estimator, declared)  # raises if there is nothing to check
    for check in SEQUENCE_CHECKS:
        yield estimator, partial(check, name, **declared)


def parametrize_with_sequence_checks(
    estimators,
    *,
    expected_failed_checks: Callable | None = None,
    xfail_strict: bool | None = None,
    **declared: bool | int | None,
):
    """Make a pytest test of every check for every estimator.

    What `sklearn.utils.estimator_checks.parametrize_with_checks` is for tables, for sequences. A
    check of what an estimator doesn't do is reported by pytest as skipped, with the reason.

    Parameters
    ----------
    estimators : list of estimator objects
        The estimators to check.
    expected_failed_checks : callable, default=None
        Called with each estimator; returns a dict with the names of the checks that are expected
        to fail, and why. They are marked as xfail.
    xfail_strict : bool, default=None
        Whether a check that is expected to fail, and passes, fails the test. None leaves it to
        pytest's configuration.
    **declared : bool or int
        What the estimators do: ``array``, ``ragged``, ``padded``, ``any_length``, ``multivariate``,
        ``per_timestep``, ``timestep_weights`` and ``shortest``, as for `check_sequence_estimator`.

    Returns
    -------
    decorator : pytest.mark.parametrize
        For a test function with the arguments ``estimator`` and ``check``.

    Raises
    ------
    TypeError
        If a class is given instead of an instance.
    ValueError
        If an estimator takes neither arrays nor lists.

    See Also
    --------
    check_sequence_estimator : The same without pytest.

    Examples
    --------
    >>> from sklearn_rnn import RNNClassifier, RNNRegressor
    >>> from sklearn_rnn.utils import parametrize_with_sequence_checks
    >>> @parametrize_with_sequence_checks([RNNClassifier(max_iter=3), RNNRegressor(max_iter=3)])
    ... def test_sequences(estimator, check):
    ...     check(estimator)
    """
    import pytest

    strictness = {} if xfail_strict is None else {"strict": xfail_strict}
    pairs = []
    for estimator in estimators:
        expected = expected_failed_checks(estimator) if expected_failed_checks else {}
        for pair in sequence_checks_generator(estimator, **declared):
            name = _name_of(pair[1])
            if name in expected:  # by whoever checks the estimator, who gives the reason
                mark = pytest.mark.xfail(reason=expected[name], **strictness)
                pairs.append(pytest.param(*pair, marks=mark))
            else:
                pairs.append(pair)
    return pytest.mark.parametrize(("estimator", "check"), pairs, ids=_id_of)


def check_sequence_estimator(
    estimator,
    *,
    expected_failed_checks: dict[str, str] | None = None,
    on_skip: str | None = "warn",
    on_fail: str | None = "raise",
    callback: Callable | None = None,
    **declared: bool | int | None,
) -> list[dict]:
    """Check that an estimator of sequences keeps to the conventions for sequences.

    What `sklearn.utils.estimator_checks.check_estimator` is for tables, for 3-D arrays, lists of
    sequences of different lengths, and targets per timestep. It goes by scikit-learn's public
    conventions alone, so the estimator may be anybody's: a classifier, a regressor, a transformer,
    or a Pipeline or another meta-estimator of these.

    Parameters
    ----------
    estimator : estimator object
        The estimator to check; it is cloned, not fitted. Small and quick to fit is best: it is
        fitted 100 to 150 times, to 15 short sequences. Each ``random_state`` is set to 0.
    expected_failed_checks : dict, default=None
        The names of the checks that are expected to fail, and why.
    on_skip : {"warn"} or None, default="warn"
        Whether to give a SkipTestWarning for each check that is about something that the estimator
        doesn't do.
    on_fail : {"raise", "warn"} or None, default="raise"
        What to do when a check fails that isn't expected to: raise its exception and end, give an
        EstimatorCheckFailedWarning and go on, or just go on.
    callback : callable, default=None
        Called after each check with what stands in its dict in the results, as keyword arguments.
        Not with ``on_fail="raise"``.
    **declared : bool or int
        What the estimator does, as far as it isn't what is expected by default:

        - ``array`` (default None): Whether 3-D arrays (n_samples, n_timesteps, n_features) are
          accepted. None goes by the tag ``input_tags.three_d_array``, which a Pipeline doesn't pass
          on.
        - ``ragged`` (default True): Whether lists, and 1-D arrays of objects, of sequences of
          different lengths are accepted: each an array (n_timesteps_i, n_features). If not, they
          have to be refused.
        - ``padded`` (default True): Whether 3-D arrays may be padded with NaN at the end of
          sequences. If not, NaN has to be refused (unless the tag ``input_tags.allow_nan`` is set).
        - ``any_length`` (default True): Whether the number of timesteps is free when predicting. If
          not, sequences longer than in `fit` have to be refused.
        - ``multivariate`` (default True): Whether timesteps may have several features. If not, they
          have to be refused.
        - ``per_timestep`` (default None): Whether y, and what the estimator returns, is per
          timestep instead of per sequence. None goes by the parameter ``return_sequences``, and is
          False if there is none.
        - ``timestep_weights`` (default True): Whether sample_weight may be per timestep where y is.
          Without a sample_weight in `fit`, it doesn't matter.
        - ``shortest`` (default 1): The fewest timesteps that a sequence may have. Shorter ones have
          to be refused.

    Returns
    -------
    results : list of dict
        For each check ``"estimator"``, ``"check_name"``, ``"exception"`` (or None), ``"status"``
        ("passed", "failed", "skipped" or "xfail"), ``"expected_to_fail"`` and
        ``"expected_to_fail_reason"``.

    Raises
    ------
    Exception
        With ``on_fail="raise"``, that of the first check that fails: an AssertionError, or
        whatever the estimator raises.
    TypeError
        If a class is given instead of an instance.
    ValueError
        If the estimator takes neither arrays nor lists, or an option has an unknown value.

    See Also
    --------
    parametrize_with_sequence_checks : A pytest test for each check.

    Examples
    --------
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.utils import check_sequence_estimator
    >>> model = RNNRegressor(hidden_size=3, max_iter=2)
    >>> results = check_sequence_estimator(model, on_skip=None)
    >>> sorted({result["status"] for result in results})
    ['passed', 'skipped']
    """
    if on_skip not in ("warn", None):
        raise ValueError(f"on_skip must be 'warn' or None, got {on_skip!r}.")
    if on_fail not in ("raise", "warn", None):
        raise ValueError(f"on_fail must be 'raise', 'warn' or None, got {on_fail!r}.")
    if callback is not None and on_fail == "raise":
        raise ValueError("callback cannot be used with on_fail='raise'; set on_fail=None.")
    expected = expected_failed_checks or {}
    results = []
    for _, check in sequence_checks_generator(estimator, **declared):
        result = _run(estimator, check, expected)
        if result["status"] == "failed" and on_fail == "raise":
            raise result["exception"]
        if result["status"] in ("failed", "xfail") and on_fail == "warn":
            warnings.warn(EstimatorCheckFailedWarning(**result), stacklevel=2)
        if result["status"] == "skipped" and on_skip == "warn":
            message = f"Skipping {result['check_name']}: {result['exception']}"
            warnings.warn(message, SkipTestWarning, stacklevel=2)
        results.append(result)
        if callback:
            callback(**result)
    return results


def _run(estimator, check, expected: dict[str, str]) -> dict:
    name = _name_of(check)
    exception, status = None, "passed"
    try:
        check(estimator)
    except SkipTest as skipped:
        exception, status = skipped, "skipped"
    except Exception as failure:
        exception, status = failure, "xfail" if name in expected else "failed"
    return {
        "estimator": estimator,
        "check_name": name,
        "exception": exception,
        "status": status,
        "expected_to_fail": name in expected,
        "expected_to_fail_reason": expected.get(name, "Check is not expected to fail"),
    }


def _name_of(check: partial) -> str:
    return check.func.__name__


def _id_of(value) -> str:
    """A test's name: of a check its function's, of an estimator how it is written, in one line."""
    return _name_of(value) if isinstance(value, partial) else re.sub(r"\s", "", repr(value))
