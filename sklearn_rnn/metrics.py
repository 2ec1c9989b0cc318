"""scikit-learn's metrics and scorers for targets per timestep."""

from contextlib import nullcontext
from copy import deepcopy
from numbers import Real

import numpy as np
from sklearn.metrics import get_scorer, make_scorer

from sklearn_rnn._input.content import STEPS
from sklearn_rnn._input.errors import renamed
from sklearn_rnn._input.hyperparameters import check_choice, check_flag
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn._input.targets import flatten_targets, read_per_step, read_weights

__all__ = ["flatten_sequences", "make_sequence_scorer"]

RESPONSES = ("predict", "predict_proba", "predict_log_proba", "decision_function")
AVERAGES = ("step", "sequence")


def flatten_sequences(y_true, y_pred, sample_weight=None, *, X=None):
    """Concatenate the targets and predictions of all valid timesteps.

    Any metric takes the result: ``f1_score(*flatten_sequences(y, model.predict(X), X=X))``.

    Parameters
    ----------
    y_true, y_pred : array-like or list of arrays
        Targets and predictions per timestep: arrays (n_samples, n_timesteps) or
        (n_samples, n_timesteps, n_outputs), or lists or 1-D object arrays of arrays
        (n_timesteps_i,) or (n_timesteps_i, n_outputs). The two may have different containers.
    sample_weight : array-like or list of arrays, default=None
        One weight per sequence, (n_samples,), which counts for all its timesteps; or one weight per
        timestep. Timesteps of weight zero are left out of the result, as if they were absent: their
        targets may be NaN, or of a class that no other target has.
    X : array-like or list of arrays, default=None
        The sequences that y_pred was predicted for. Only their lengths are used: those of the
        arrays in a list, or those before the padding of an array, which is trailing timesteps with
        nothing but NaN or None. Without X, the lengths come from y_true or y_pred if one of them is
        a list. Otherwise NaN or None at the end of either is padding, and every other value counts.

    Returns
    -------
    y_true, y_pred : ndarray of shape (n_valid_timesteps,) or (n_valid_timesteps, n_outputs)
        The values of the first sequence, then the values of the second, and so on.
    sample_weight : ndarray of shape (n_valid_timesteps,)
        The weights. Returned only if sample_weight was given.

    Raises
    ------
    ValueError, TypeError
        If the numbers of sequences or of timesteps differ, if a sequence is empty, or if weights
        are negative, not finite, or all zero. The error names the sequence. Without X also if
        y_true and y_pred are arrays, and the labels of a sequence end with a negative integer, an
        empty string, False, or the largest value of an unsigned type. These may be labels or
        padding, unless NaN in the other array shows where the padding is.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import mean_absolute_error
    >>> from sklearn_rnn.metrics import flatten_sequences
    >>> y_true = [[1.0, 2.0, 3.0], [5.0]]
    >>> y_pred = np.array([[1.0, 2.0, 4.0], [9.0, np.nan, np.nan]])
    >>> flatten_sequences(y_true, y_pred)
    (array([1., 2., 3., 5.]), array([1., 2., 4., 9.]))
    >>> mean_absolute_error(*flatten_sequences(y_true, y_pred))
    1.25
    """
    if X is not None:
        steps, naming = as_sequences(X, STEPS), nullcontext()
    else:
        steps, source = _steps_of_targets(y_true, y_pred)
        naming = renamed({"X": source})
    with naming:
        flat = flatten_targets(y_true, steps, "y_true"), flatten_targets(y_pred, steps, "y_pred")
        if sample_weight is None:
            return flat
        weights = read_weights(sample_weight, steps, per_step=True)
        kept = weights > 0
        return (*(values[kept] for values in flat), weights[kept])


def _steps_of_targets(y_true, y_pred) -> tuple[Sequences, str]:
    """Find the lengths of the sequences; return them and the argument that they come from."""
    given = {"y_true": read_per_step(y_true, "y_true"), "y_pred": read_per_step(y_pred, "y_pred")}
    steps = {}
    for name, values in given.items():
        with renamed({"X": name}):
            steps[name] = as_sequences(values, STEPS)
        if steps[name].is_list:
            return steps[name], name
    true, predicted = steps.values()
    if true.arrays.shape[:2] == predicted.arrays.shape[:2]:
        lengths = np.minimum(true.lengths, predicted.lengths)
        for name, other in (("y_true", predicted), ("y_pred", true)):
            if not other.is_padded:
                _refuse_doubtful_ends(steps[name].arrays, lengths, name)
        true.lengths = lengths
    return true, "y_true"


def _refuse_doubtful_ends(labels: np.ndarray, lengths: np.ndarray, name: str) -> None:
    """Raise if labels end with a value that the estimators, or users, put into padding."""
    if labels.dtype.kind == "f":
        return
    last = labels[np.arange(len(labels)), lengths - 1]
    for sample, values in enumerate(last.tolist()):
        for value in values:
            if _may_be_padding(value, labels.dtype):
                raise ValueError(
                    f"{name}[{sample}] ends with {value!r}, which may be a label or padding: give "
                    "X, which has the lengths of the sequences."
                )


def _may_be_padding(value, dtype: np.dtype) -> bool:
    if dtype.kind == "u":
        return value == np.iinfo(dtype).max
    if isinstance(value, Real):
        return value is False or value < 0
    return value in ("", b"")


def make_sequence_scorer(
    metric, *, response_method="predict", greater_is_better=True, averaged_by="step", **kwargs
):
    """Make a scorer for targets per timestep from any of scikit-learn's metrics.

    Use it wherever scikit-learn takes a scorer: as ``scoring`` of `GridSearchCV`, `cross_validate`
    and similar tools, alone or in a dict of scorers, and in `sklearn_rnn.callbacks.EarlyStopping`.
    The estimator or pipeline must predict for every timestep: `RNNRegressor` and `RNNClassifier`
    with ``return_sequences=True``, or any other estimator that returns lists of arrays or padded
    arrays.

    Parameters
    ----------
    metric : str or callable
        The name of one of scikit-learn's scorers, such as "f1_macro" or "neg_mean_absolute_error";
        a metric ``metric(y_true, y_pred, **kwargs)``, such as the ones in `sklearn.metrics`; or a
        scorer that `sklearn.metrics.make_scorer` made.
    response_method : str or list of str, default="predict"
        The method of the estimator that gives the metric its y_pred, as in `make_scorer`. Names and
        scorers have their own response_method, greater_is_better and kwargs; set these three only
        with a metric.
    greater_is_better : bool, default=True
        True for a score, False for a loss. The scorer returns the negative of a loss.
    averaged_by : {"step", "sequence"}, default="step"
        "step" computes the metric over all valid timesteps together, as `flatten_sequences` returns
        them. A long sequence then counts more than a short one. "sequence" computes the metric of
        each sequence, and returns their mean.
    **kwargs
        More arguments of the metric, such as ``average="macro"``.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` returns a number, or an array if the metric
        does. Greater is better. y and sample_weight may have any container that `RNNRegressor`
        takes. With ``averaged_by="sequence"``, the mean is weighted by the weights of the
        sequences. If the weights are per timestep, they weight the timesteps within each sequence,
        and the weight of a sequence is the mean of its weights. Timesteps of weight zero are left
        out, whatever their targets. With metadata routing,
        ``scorer.set_score_request(sample_weight=True)`` requests the weights.

    Raises
    ------
    ValueError, TypeError
        If there is no scorer of that name, or if an argument is invalid. The scorer raises them if
        there is not one target and one prediction per valid timestep.

    Notes
    -----
    The lengths of the sequences come from X, as in `flatten_sequences`. A pipeline may change the
    values and the features of X, but not the number of timesteps.

    With ``averaged_by="sequence"``, the metric sees one sequence at a time, in which classes may be
    missing. If that matters, as for ``"macro"`` averages and `log_loss`, pass the metric its
    ``labels``. And a metric may be NaN for a sequence of a single timestep, as R² is: then the mean
    is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import fbeta_score
    >>> from sklearn.model_selection import KFold, cross_val_score
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.metrics import make_sequence_scorer
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((length, 1)) for length in rng.integers(2, 9, size=60)]
    >>> y = [np.cumsum(x) > 0 for x in X]
    >>> model = RNNClassifier(
    ...     return_sequences=True, learning_rate_init=0.02, tol=0.01, random_state=0
    ... )
    >>> scores = cross_val_score(model, X, y, cv=KFold(3), scoring=make_sequence_scorer("f1"))
    >>> bool((scores > 0.8).all())
    True
    >>> make_sequence_scorer(fbeta_score, beta=2, averaged_by="sequence")
    make_sequence_scorer(make_scorer(fbeta_score, response_method='predict', beta=2),
                         averaged_by='sequence')
    """
    check_choice("averaged_by", averaged_by, AVERAGES)
    check_flag("greater_is_better", greater_is_better)
    names = response_method if isinstance(response_method, (list, tuple)) else [response_method]
    if not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"response_method must be the name of a method, or a list of names, not "
            f"{response_method!r}."
        )
    if isinstance(metric, _SequenceScorer) or not (isinstance(metric, str) or callable(metric)):
        raise TypeError(
            "metric must be the name of a scorer, a metric function, or a scorer of scikit-learn, "
            f"not {metric!r}."
        )
    if not isinstance(metric, str) and not hasattr(metric, "set_score_request"):
        metric = make_scorer(
            metric,
            response_method=response_method,
            greater_is_better=greater_is_better,
            **kwargs,
        )
    elif kwargs or response_method != "predict" or not greater_is_better:
        raise ValueError(
            f"{metric!r} is a scorer, which has its own response_method, greater_is_better and "
            "arguments: to set them, give the metric function instead."
        )
    return _SequenceScorer(metric, averaged_by)


def scorer_of_steps(scorer):
    """Return a scorer of scikit-learn as a sequence scorer, and any other callable as it is."""
    is_scikit_learns = isinstance(scorer, type(get_scorer("accuracy")))
    return make_sequence_scorer(scorer) if is_scikit_learns else scorer


class _SequenceScorer:
    """A scorer of scikit-learn that is given flat arrays in place of sequences.

    metric : the scorer or its name
    """

    def __init__(self, metric, averaged_by):
        self.metric = metric
        self.averaged_by = averaged_by
        self._scorer = deepcopy(get_scorer(metric))  # a copy, since requests are set on it

    def __repr__(self):
        return f"make_sequence_scorer({self.metric!r}, averaged_by={self.averaged_by!r})"

    def __call__(self, estimator, X, y, sample_weight=None):
        """Return the score of an estimator's predictions for X."""
        steps = as_sequences(X, STEPS)
        y = flatten_targets(y, steps, "y")
        weights = None
        if sample_weight is not None:
            weights = read_weights(sample_weight, steps, per_step=True)
        flat = _FlatEstimator(estimator, steps, {})
        parts = steps.split(np.arange(len(y)))
        of_sequences = np.ones(len(parts))
        if weights is not None:  # timesteps of weight zero are absent
            of_sequences = np.array([weights[part].mean() for part in parts])
            parts = [part[weights[part] > 0] for part in parts]
        counted = np.flatnonzero(of_sequences)
        parts = [parts[i] for i in counted]
        if self.averaged_by == "step":
            return self._score(flat, X, y, weights, np.concatenate(parts))
        if weights is not None and all(np.ptp(weights[part]) == 0 for part in parts):
            weights = None  # they are constant within each sequence
        scores = [self._score(flat, X, y, weights, part) for part in parts]
        return np.average(scores, axis=0, weights=of_sequences[counted])

    def _score(self, flat, X, y, weights, part: np.ndarray):
        weighted = {} if weights is None else {"sample_weight": weights[part]}
        return self._scorer(flat._only(part), X, y[part], **weighted)

    def set_score_request(self, *, sample_weight):
        """Request sample_weight, or not, as the same method of scikit-learn's scorers does.

        Parameters
        ----------
        sample_weight : bool, str or None
            True requests sample_weight. A string requests metadata of that name in its place.

        Returns
        -------
        self : object
            This scorer.
        """
        self._scorer.set_score_request(sample_weight=sample_weight)
        return self

    def get_metadata_routing(self):
        """Return the metadata request; scikit-learn's routing calls this.

        Returns
        -------
        routing : MetadataRequest
            The request.
        """
        return self._scorer.get_metadata_routing()

    def _accept_sample_weight(self) -> bool:
        # From scikit-learn 1.7 on, a search with sample_weight calls this method of every scorer in
        # a dict, even if the scorer is not one of scikit-learn's.
        return self._scorer._accept_sample_weight()


class _FlatEstimator:
    """A fitted estimator as seen by a scorer that knows no sequences.

    Its methods return the predictions of all valid timesteps, or of a part of them, as one array.
    """

    def __init__(self, estimator, steps: Sequences, flat: dict, part=slice(None)):
        self._estimator = estimator
        self._steps = steps
        self._flat = flat  # the predictions so far, by method
        self._part = part

    def _only(self, part: np.ndarray) -> "_FlatEstimator":
        """The same estimator, with predictions only for this part of the timesteps."""
        return _FlatEstimator(self._estimator, self._steps, self._flat, part)

    @property
    def __class__(self):
        return type(self._estimator)  # scorers name the class in their messages

    def __getattr__(self, name):
        """Return flat predictions for prediction methods; pass on every other attribute."""
        attribute = getattr(self._estimator, name)
        if name not in RESPONSES:
            return attribute

        def response(X):
            if name not in self._flat:
                self._flat[name] = flatten_targets(attribute(X), self._steps, f"{name}(X)")
            return self._flat[name][self._part]

        response.__name__ = name  # scorers look at the name to interpret the values
        return response
