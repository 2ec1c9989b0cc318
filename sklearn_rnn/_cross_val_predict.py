"""`cross_val_predict` for sequences, public as `sklearn_rnn.model_selection.cross_val_predict`."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from sklearn_rnn._input.hyperparameters import check_choice
from sklearn_rnn._input.labels import fill_of
from sklearn_rnn._input.sequences import as_objects
from sklearn_rnn._training.hooks import take
from sklearn_rnn._wrapped_scorer import RESPONSES


def cross_val_predict(  # noqa: PLR0913 (the parameters are scikit-learn's)
    estimator,
    X,
    y=None,
    *,
    groups=None,
    cv=None,
    n_jobs=None,
    verbose=0,
    params=None,
    pre_dispatch="2*n_jobs",
    method="predict",
):
    """Predict each sequence by an estimator that was fitted without it.

    This is `sklearn.model_selection.cross_val_predict` for sequences. With one target per sequence
    the two return the same. With targets per timestep, scikit-learn's function can't join lists,
    and it takes timesteps for labels if it joins probabilities.

    Parameters
    ----------
    estimator : estimator
        `RNNRegressor`, `RNNClassifier`, or any other estimator of sequences, such as a pipeline or
        a search. It is cloned for each fold.
    X : array-like or list of arrays
        The sequences, in any container that the estimator takes.
    y : array-like or list of arrays, default=None
        The targets, one per sequence or one per timestep.
    groups : array-like of shape (n_samples,), default=None
        The groups of the sequences for a splitter such as `GroupKFold`. With metadata routing, put
        them into ``params`` instead.
    cv : int, splitter or iterable, default=None
        As in scikit-learn: the number of folds, a splitter, or pairs (train, test) of indices. Each
        sequence must be in exactly one test set. None means 5 folds. Folds are stratified if there
        is one label per sequence; for labels per timestep give a `StratifiedSequenceKFold`.
    n_jobs : int, default=None
        The number of folds to work on at the same time. None means 1 unless in a
        `joblib.parallel_config` context, -1 means all processors.
    verbose : int, default=0
        How much joblib prints.
    params : dict, default=None
        More arguments of ``fit``, such as ``sample_weight``. Those with one entry per sequence are
        split like X. With metadata routing, also arguments of the splitter.
    pre_dispatch : int or str, default="2*n_jobs"
        The number of jobs that are dispatched at a time.
    method : {"predict", "predict_proba", "predict_log_proba", "decision_function"}, \
            default="predict"
        The method that gives the predictions.

    Returns
    -------
    predictions : ndarray or list of ndarray
        The result of the method for each sequence, in the order and in the container in which a
        single estimator would return them. With one prediction per timestep, a list X gives a list,
        and an array X gives an array with padding. The columns of probabilities are all the classes
        in sorted order. For an estimator with a list of `classes_`, such as
        `~sklearn.multioutput.MultiOutputClassifier`, probabilities are a list of arrays, one per
        output.

    Raises
    ------
    ValueError, TypeError
        If an argument can't be used, or the test sets are not a partition of the sequences.

    Warns
    -----
    RuntimeWarning
        If the training data of a fold lack a class. As in scikit-learn, its probability is then 0,
        and its log-probability the lowest finite number.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import roc_auc_score
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.metrics import flatten_sequences
    >>> from sklearn_rnn.model_selection import cross_val_predict
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((length, 1)) for length in rng.integers(3, 9, size=60)]
    >>> y = [np.cumsum(x) > 0 for x in X]
    >>> model = RNNClassifier(
    ...     return_sequences=True, learning_rate_init=0.02, tol=0.01, random_state=0
    ... )
    >>> p = cross_val_predict(model, X, y, cv=3, method="predict_proba")
    >>> p[0].shape == (len(X[0]), 2)
    True
    >>> y_true, y_score = flatten_sequences(y, p, X=X)
    >>> bool(roc_auc_score(y_true, y_score[:, 1]) > 0.9)
    True
    """
    check_choice("method", method, RESPONSES)
    X, y = indexable(X, y)
    n_samples = _length(X)
    of_split, of_fit = _routed(estimator, cv, groups, params or {})
    cv = check_cv(cv, y, classifier=is_classifier(estimator))
    folds = list(cv.split(X, y, **of_split))
    tested = np.concatenate([test for _, test in folds])
    if not np.array_equal(np.sort(tested), np.arange(n_samples)):
        raise ValueError(
            "cross_val_predict needs a partition: cv must put each sequence into exactly one test "
            f"set. Its test sets hold {len(tested)} sequences, {len(np.unique(tested))} of them "
            f"different, and X has {n_samples}."
        )
    of_fit = {name: _Metadata(value, _length(value) == n_samples) for name, value in of_fit.items()}
    parallel = Parallel(n_jobs=n_jobs, verbose=verbose, pre_dispatch=pre_dispatch)
    parts = parallel(
        delayed(_fit_and_respond)(clone(estimator), X, y, fold, of_fit, method) for fold in folds
    )
    responses, classes = zip(*parts, strict=True)
    return _joined(responses, classes, tested, method)


class _Metadata(NamedTuple):
    """An argument of `fit`, and whether it has one entry per sequence."""

    value: Any
    is_per_sample: bool


class _Part(NamedTuple):
    """What a fold's estimator says of its test set, and the classes that it knows."""

    response: Any
    classes: Any  # an array, a list of them, or None


def _length(values) -> int | None:
    """Return the number of entries; None for what is no collection."""
    if hasattr(values, "shape"):
        return values.shape[0] if len(values.shape) else None
    is_collection = hasattr(values, "__len__") and not isinstance(values, (str, bytes, Mapping))
    return len(values) if is_collection else None


def _routed(estimator, cv, groups, params: dict[str, Any]) -> tuple[dict, dict]:
    """Return the arguments of the splitter and of `fit`, as scikit-learn's function has them."""
    if not get_config()["enable_metadata_routing"]:
        return {"groups": groups}, params
    if groups is not None:
        raise ValueError(
            "groups can be passed only if metadata routing is not enabled: give "
            "params={'groups': groups}."
        )
    router = (
        MetadataRouter(owner="cross_val_predict")
        .add(splitter=cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        .add(estimator=estimator, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
    )
    routed = process_routing(router, "fit", **params)
    return routed.splitter.split, routed.estimator.fit


def _fit_and_respond(estimator, X, y, fold, metadata: dict[str, _Metadata], method: str) -> _Part:
    train, test = fold
    targets = () if y is None else (take(y, train),)
    params = {
        name: take(value, train) if is_per_sample else value
        for name, (value, is_per_sample) in metadata.items()
    }
    estimator.fit(take(X, train), *targets, **params)
    response = getattr(estimator, method)(take(X, test))
    return _Part(response, getattr(estimator, "classes_", None))


def _joined(responses: Sequence, classes: Sequence, order: np.ndarray, method: str):
    """Put the responses of all folds together.

    classes : what each fold's estimator knows
    order : (n_samples,), the samples in the order of the responses
    """
    if isinstance(classes[0], list) and method != "predict":  # several outputs, each its own array
        outputs = zip(zip(*responses, strict=True), zip(*classes, strict=True), strict=True)
        return [_joined(*output, order, method) for output in outputs]
    fill = np.nan
    if isinstance(classes[0], np.ndarray):
        every = np.unique(np.concatenate(classes))
        if method == "predict":
            fill = fill_of(every)
            responses = list(map(partial(_refilled, fill=fill), responses, classes))
        elif any(len(known) < len(every) for known in classes):
            _warn_of_missing(classes, every)
            align = partial(_with_columns, every=every, method=method)
            responses = list(map(align, responses, classes))
    if isinstance(responses[0], list):
        joined = [response for part in responses for response in part]
        return [joined[place] for place in np.argsort(order)]
    if responses[0].ndim > (1 if method == "predict" else 2):
        width = max(part.shape[1] for part in responses)
        responses = [_widened(part, width, fill) for part in responses]
    return np.concatenate(responses)[np.argsort(order)]


def _refilled(labels, known: np.ndarray, fill):
    """Give padding the same value in all folds: which one is free depends on the labels."""
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        return labels
    return np.where(labels == fill_of(known), fill, labels)


def _warn_of_missing(classes: Sequence[np.ndarray], every: np.ndarray) -> None:
    n_lacking = sum(len(known) < len(every) for known in classes)
    warnings.warn(
        f"The training data of {n_lacking} of {len(classes)} folds lack some of the {len(every)} "
        "classes, which are then as improbable as can be. Stratified folds have all classes: use "
        "StratifiedKFold, or StratifiedSequenceKFold for labels per timestep.",
        RuntimeWarning,
        stacklevel=4,
    )


def _with_columns(response, known: np.ndarray, every: np.ndarray, method: str):
    """Add columns for the classes that a fold's estimator does not know.

    response : (n, n_known), (n, n_timesteps, n_known), or one array for each sequence
    """
    align = partial(_with_columns, known=known, every=every, method=method)
    if isinstance(response, list):
        return list(map(align, response))
    if response.dtype == object:
        return as_objects(list(map(align, response)))
    if response.ndim < 2 or response.shape[-1] != len(known):
        raise ValueError(
            f"{method} has shape {response.shape}, without one column for each of the {len(known)} "
            f"classes of a fold. All folds must have all {len(every)} classes then: use stratified "
            "folds."
        )
    lowest = 0 if method == "predict_proba" else np.finfo(response.dtype).min
    columns = np.full((*response.shape[:-1], len(every)), lowest, response.dtype)
    columns[..., np.searchsorted(every, known)] = response
    columns[np.isnan(response).all(axis=-1)] = np.nan  # padding
    return columns


def _widened(part: np.ndarray, width: int, fill) -> np.ndarray:
    """Pad predictions per timestep to a width: a pipeline may have padded each fold by itself."""
    if part.shape[1] == width:
        return part
    padding = np.full((len(part), width - part.shape[1], *part.shape[2:]), fill)
    return np.concatenate([part, padding], axis=1)
