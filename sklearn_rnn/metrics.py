"""Any of scikit-learn's metrics for targets per timestep."""

from contextlib import nullcontext
from copy import deepcopy

import numpy as np
from sklearn.metrics import get_scorer, make_scorer

from sklearn_rnn._input.content import STEPS
from sklearn_rnn._input.errors import renamed
from sklearn_rnn._input.hyperparameters import check_choice
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn._input.targets import flatten_targets, read_per_step, read_weights

__all__ = ["flatten_sequences", "make_sequence_scorer"]

RESPONSES = ("predict", "predict_proba", "predict_log_proba", "decision_function")
AVERAGES = ("step", "sequence")


def flatten_sequences(y_true, y_pred, sample_weight=None, *, X=None):
    """Put the targets and predictions of all valid timesteps one after another.

    So that a metric takes them: ``f1_score(*flatten_sequences(y, model.predict(X), X=X))``.

    Parameters
    ----------
    y_true, y_pred : array-like or list of arrays
        What there is per timestep: (n_samples, n_timesteps) or (n_samples, n_timesteps, n_outputs)
        arrays, or lists or 1-D object arrays of (n_timesteps_i,) or (n_timesteps_i, n_outputs)
        arrays. The two may come in different containers.
    sample_weight : array-like or list of arrays, default=None
        A weight per sequence (n_samples,), which all its timesteps get, or one per timestep.
    X : array-like or list of arrays, default=None
        The sequences that y_pred was predicted for, which tell how long each one is: a list by
        its arrays, an array by trailing timesteps that are all NaN (or None). Nothing else of X
        matters. Without X, the lengths are those of a list among y_true and y_pred; or else NaN at
        the end of either of the two is padding, and every other value counts.

    Returns
    -------
    y_true, y_pred : ndarray of shape (n_valid_timesteps,) or (n_valid_timesteps, n_outputs)
        The values of the first sequence, then those of the second, and so on.
    sample_weight : ndarray of shape (n_valid_timesteps,)
        Only if it was given.

    Raises
    ------
    ValueError, TypeError
        If the numbers of sequences or of timesteps differ (the error names the sequence), if a
        sequence is empty, or if weights are negative, not finite, or all zero. Without X also if
        labels in an array end with None, an empty string or a negative number, which may be a label
        or what stands for padding.

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
        return (*flat, read_weights(sample_weight, steps, per_step=True))


def _steps_of_targets(y_true, y_pred) -> tuple[Sequences, str]:
    """Tell the timesteps from the targets; return also the name of what told them."""
    given = {"y_true": read_per_step(y_true, "y_true"), "y_pred": read_per_step(y_pred, "y_pred")}
    steps = {}
    for name, values in given.items():
        with renamed({"X": name}):
            steps[name] = as_sequences(values, STEPS)
        if not isinstance(steps[name].arrays, np.ndarray):
            return steps[name], name
    true, predicted = steps.values()
    if true.arrays.shape[:2] == predicted.arrays.shape[:2]:
        true.lengths = np.minimum(true.lengths, predicted.lengths)
        _refuse_doubtful_ends(predicted.arrays, true.lengths)
    return true, "y_true"


def _refuse_doubtful_ends(labels: np.ndarray, lengths: np.ndarray) -> None:
    """Raise where labels end with what the estimators put in place of padding."""
    if labels.dtype.kind not in "iUO":
        return
    last = labels[np.arange(len(labels)), lengths - 1]
    doubtful = last < 0 if labels.dtype.kind == "i" else last == ""
    if doubtful.any():
        sample, output = np.argwhere(doubtful)[0]
        raise ValueError(
            f"y_pred[{sample}] ends with {last[sample, output]!r}, which is a label or stands for "
            "padding: give X, which tells how long the sequences are."
        )


def make_sequence_scorer(
    metric, *, response_method="predict", greater_is_better=True, averaged_by="step", **kwargs
):
    """Make a scorer of any of scikit-learn's metrics, for targets per timestep.

    It is to be used wherever scikit-learn takes a scorer: as ``scoring`` of `GridSearchCV`,
    `cross_validate` and their like, by itself or in a dict of several, and of
    `sklearn_rnn.callbacks.EarlyStopping`. The estimator, or the pipeline, is one that predicts for
    every timestep: `RNNRegressor` and `RNNClassifier` with ``return_sequences=True``, or any other
    that returns lists of arrays or padded arrays.

    Parameters
    ----------
    metric : str or callable
        The name of one of scikit-learn's scorers, such as "f1_macro" or "neg_mean_absolute_error";
        a metric ``metric(y_true, y_pred, **kwargs)``, such as those of `sklearn.metrics`; or a
        scorer that `sklearn.metrics.make_scorer` made.
    response_method : str or list of str, default="predict"
        The method of the estimator whose values the metric takes, as in `make_scorer`. Only for
        a metric, as are the next one and kwargs: names and scorers bring their own.
    greater_is_better : bool, default=True
        Whether the metric is a score; the negative of a loss is taken.
    averaged_by : {"step", "sequence"}, default="step"
        "step" gives the metric of all valid timesteps together, as `flatten_sequences` puts them,
        so that a long sequence counts more than a short one. "sequence" gives the mean of the
        metrics of each sequence.
    **kwargs
        More arguments of the metric, such as ``average="macro"``.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` returns a number, the greater the better (or
        an array, if the metric does). y and sample_weight may be what `RNNRegressor` takes, in any
        of the containers. With ``averaged_by="sequence"`` the mean is weighted by the weights of
        the sequences; where they are per timestep they also weigh the timesteps of their sequence,
        and their mean is the weight of the sequence. With metadata routing,
        ``scorer.set_score_request(sample_weight=True)`` asks for the weights.

    Raises
    ------
    ValueError, TypeError
        If there is no scorer of that name, or an argument has no meaning. The scorer raises them if
        the targets or predictions are not one per valid timestep.

    Notes
    -----
    How long the sequences are is told by X, as in `flatten_sequences`. A pipeline may change the
    values and the features of X, but not the number of timesteps.

    With ``averaged_by="sequence"`` the metric sees one sequence at a time, which need not have all
    the classes: give the metric its ``labels`` where that matters, as it does for ``"macro"``
    averages and `log_loss`.

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
    if isinstance(metric, _SequenceScorer) or not (isinstance(metric, str) or callable(metric)):
        raise TypeError(
            "metric must be the name of a scorer, a metric or a scorer of scikit-learn's, not "
            f"{metric!r}."
        )
    if not isinstance(metric, str) and not hasattr(metric, "set_score_request"):
        metric = make_scorer(
            metric,
            response_method=response_method,
            greater_is_better=greater_is_better,
            **kwargs,
        )
    elif kwargs or response_method != "predict" or greater_is_better is not True:
        raise ValueError(
            f"{metric!r} is a scorer, which has its own response_method, greater_is_better and "
            "arguments: give the metric itself to set them."
        )
    return _SequenceScorer(metric, averaged_by)


class _SequenceScorer:
    """A scorer of scikit-learn's, called with what is flat in place of sequences.

    metric : the scorer or its name
    """

    def __init__(self, metric, averaged_by):
        self.metric = metric
        self.averaged_by = averaged_by
        self._scorer = deepcopy(get_scorer(metric))  # what it asks for is its own

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
        if self.averaged_by == "step":
            return self._score(flat, X, y, weights)
        ends = np.cumsum(steps.lengths)
        parts = list(map(slice, ends - steps.lengths, ends))
        of_sequences = np.ones(len(parts))
        if weights is not None:
            of_sequences = np.array([weights[part].mean() for part in parts])
            if all(np.ptp(weights[part]) == 0 for part in parts):
                weights = None  # which matter between sequences only
        counted = np.flatnonzero(of_sequences)
        scores = [self._score(flat, X, y, weights, parts[i]) for i in counted]
        return np.average(scores, axis=0, weights=of_sequences[counted])

    def _score(self, flat, X, y, weights, part: slice = slice(None)):
        weighted = {} if weights is None else {"sample_weight": weights[part]}
        return self._scorer(flat._only(part), X, y[part], **weighted)

    def set_score_request(self, *, sample_weight):
        """Ask for sample_weight, or not, as scikit-learn's scorers do by the same method.

        Parameters
        ----------
        sample_weight : bool, str or None
            True to have sample_weight, a string to have metadata of that name in its place.

        Returns
        -------
        self : object
            This scorer.
        """
        self._scorer.set_score_request(sample_weight=sample_weight)
        return self

    def get_metadata_routing(self):
        """Return what was asked for; scikit-learn's routing calls this.

        Returns
        -------
        routing : MetadataRequest
            The request.
        """
        return self._scorer.get_metadata_routing()

    def _accept_sample_weight(self) -> bool:
        # A search that is given sample_weight asks this of each scorer in a dict, without looking
        # whether it is one of scikit-learn's own.
        return "sample_weight" in self.get_metadata_routing().score.requests


class _FlatEstimator:
    """A fitted estimator, as a scorer sees it that knows no sequences.

    Its predictions are those of all valid timesteps, or of a part of these, in one array.
    """

    def __init__(self, estimator, steps: Sequences, flat: dict, part: slice = slice(None)):
        self._estimator = estimator
        self._steps = steps
        self._flat = flat  # what was predicted already, by method
        self._part = part

    def _only(self, part: slice) -> "_FlatEstimator":
        """The same, as if nothing else had been predicted."""
        return _FlatEstimator(self._estimator, self._steps, self._flat, part)

    @property
    def __class__(self):
        return type(self._estimator)  # for messages that name it

    def __getattr__(self, name):
        """Everything else is the estimator's."""
        attribute = getattr(self._estimator, name)
        if name not in RESPONSES:
            return attribute

        def response(X):
            if name not in self._flat:
                self._flat[name] = flatten_targets(attribute(X), self._steps, f"{name}(X)")
            return self._flat[name][self._part]

        response.__name__ = name  # by which scorers know what to make of the values
        return response
