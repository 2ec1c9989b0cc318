"""Scorers of scikit-learn, wrapped so that their metrics get other arrays than the estimator's."""

from collections.abc import Callable
from copy import deepcopy

from sklearn.metrics import get_scorer, make_scorer

from sklearn_rnn._input.hyperparameters import check_flag

RESPONSES = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class WrappedScorer:
    """A scorer around one of scikit-learn's. A subclass has `__call__`.

    metric : the inner scorer or its name
    """

    def __init__(self, metric):
        self.metric = metric
        self._scorer = deepcopy(get_scorer(metric))  # a copy, since requests are set on it

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


def inner_scorer(metric, response_method, greater_is_better, arguments: dict):
    """Return the name of a scorer as it is, a scorer too, and a metric as a scorer."""
    check_flag("greater_is_better", greater_is_better)
    names = response_method if isinstance(response_method, (list, tuple)) else [response_method]
    if not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"response_method must be the name of a method, or a list of names, not "
            f"{response_method!r}."
        )
    if isinstance(metric, WrappedScorer) or not (isinstance(metric, str) or callable(metric)):
        raise TypeError(
            "metric must be the name of a scorer, a metric function, or a scorer of scikit-learn, "
            f"not {metric!r}."
        )
    if not isinstance(metric, str) and not hasattr(metric, "set_score_request"):
        return make_scorer(
            metric,
            response_method=response_method,
            greater_is_better=greater_is_better,
            **arguments,
        )
    if arguments or response_method != "predict" or not greater_is_better:
        raise ValueError(
            f"{metric!r} is a scorer, which has its own response_method, greater_is_better and "
            "arguments: to set them, give the metric function instead."
        )
    return metric


def is_scikit_learns(scorer) -> bool:
    """Whether a callable is a scorer as scikit-learn makes them."""
    return isinstance(scorer, type(get_scorer("accuracy")))


class RespondingAs:
    """A fitted estimator whose predictions are others than its own.

    respond : given the name of a method that predicts, the method, and X; returns the predictions
    """

    def __init__(self, estimator, respond: Callable):
        self._estimator = estimator
        self._respond = respond

    @property
    def __class__(self):
        return type(self._estimator)  # scorers name the class in their messages

    def __getattr__(self, name):
        """Replace the methods that predict; pass on every other attribute."""
        attribute = getattr(self._estimator, name)
        if name not in RESPONSES:
            return attribute

        def response(X):
            return self._respond(name, attribute, X)

        response.__name__ = name  # scorers look at the name to interpret the values
        return response
