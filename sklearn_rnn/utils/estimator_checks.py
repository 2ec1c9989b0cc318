"""`check_sequence_estimator`: scikit-learn's `check_estimator` for estimators of sequences."""

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
        Declarations about the estimator, as for `check_sequence_estimator`.

    Yields
    ------
    estimator : estimator object
        The estimator.
    check : callable
        A function to call with the estimator. It raises if the check fails, and raises
        `unittest.SkipTest` if the check doesn't apply to the estimator.

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

    This is `sklearn.utils.estimator_checks.parametrize_with_checks` for sequences instead of
    tables. pytest reports a check that doesn't apply to an estimator as skipped, with the reason.

    Parameters
    ----------
    estimators : list of estimator objects
        The estimators to check.
    expected_failed_checks : callable, default=None
        Called with each estimator. Returns a dict that maps the names of checks that are expected
        to fail to the reasons. These checks are marked as xfail.
    xfail_strict : bool, default=None
        Whether a test fails if its check is expected to fail but passes. None leaves this to
        pytest's configuration.
    **declared : bool or int
        Declarations about the estimators, as for `check_sequence_estimator`: ``array``, ``ragged``,
        ``padded``, ``any_length``, ``multivariate``, ``per_timestep``, ``timestep_weights`` and
        ``shortest``.

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
            if name in expected:
                # The caller expects this failure and gives the reason, as in scikit-learn.
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
    """Check that an estimator follows the conventions for sequences.

    This is `sklearn.utils.estimator_checks.check_estimator` for 3-D arrays, lists of sequences of
    different lengths, and targets per timestep instead of tables. It relies only on scikit-learn's
    public conventions, so it works with any classifier, regressor or transformer, and with
    Pipelines and other meta-estimators.

    Parameters
    ----------
    estimator : estimator object
        The estimator to check. It is cloned, not fitted. Choose a small one: its clones are fitted
        100 to 150 times, to 15 short sequences. Each ``random_state`` is set to 0.
    expected_failed_checks : dict, default=None
        Maps the names of checks that are expected to fail to the reasons.
    on_skip : {"warn"} or None, default="warn"
        Whether to issue a SkipTestWarning for each check that doesn't apply to the estimator.
    on_fail : {"raise", "warn"} or None, default="raise"
        What to do if a check fails unexpectedly. "raise" raises its exception. "warn" issues an
        EstimatorCheckFailedWarning and continues. None continues.
    callback : callable, default=None
        Called after each check with the items of its dict in the results as keyword arguments. Not
        available with ``on_fail="raise"``.
    **declared : bool or int
        Declarations about the estimator, where it differs from the defaults:

        - ``array`` (default None): Whether 3-D arrays (n_samples, n_timesteps, n_features) are
          accepted. None reads the tag ``input_tags.three_d_array``, which a Pipeline doesn't pass
          on.
        - ``ragged`` (default True): Whether lists and 1-D object arrays of sequences of different
          lengths are accepted. Each sequence is an array (n_timesteps_i, n_features). If False, the
          estimator must refuse them.
        - ``padded`` (default True): Whether 3-D arrays may be padded with NaN at the end of
          sequences. If False, the estimator must refuse NaN, unless the tag
          ``input_tags.allow_nan`` is set.
        - ``any_length`` (default True): Whether prediction accepts any number of timesteps. If
          False, it must refuse sequences longer than in `fit`.
        - ``multivariate`` (default True): Whether timesteps may have several features. If False,
          the estimator must refuse several features.
        - ``per_timestep`` (default None): Whether y and the results are per timestep instead of per
          sequence. None reads the parameter ``return_sequences``, and means False without such a
          parameter.
        - ``timestep_weights`` (default True): Whether sample_weight may be per timestep if y is.
          Ignored if `fit` has no sample_weight.
        - ``shortest`` (default 1): The minimum length of a sequence. The estimator must refuse
          shorter ones.

    Returns
    -------
    results : list of dict
        For each check ``"estimator"``, ``"check_name"``, ``"exception"`` (or None), ``"status"``
        ("passed", "failed", "skipped" or "xfail"), ``"expected_to_fail"`` and
        ``"expected_to_fail_reason"``.

    Raises
    ------
    Exception
        With ``on_fail="raise"``, the exception of the first check that fails: an AssertionError, or
        an exception of the estimator.
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
    """Return the part of a test's name for a check (its function's name) or an estimator (repr)."""
    return _name_of(value) if isinstance(value, partial) else re.sub(r"\s", "", repr(value))
