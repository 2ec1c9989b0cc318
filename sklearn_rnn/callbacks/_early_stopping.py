"""EarlyStopping: stop by any score on the validation data."""

from numbers import Real

from sklearn.base import is_regressor
from sklearn.metrics import check_scoring

from sklearn_rnn._forecast_scorer import scorer_of_forecasts
from sklearn_rnn._input.hyperparameters import (
    NUMBERS_OR,
    check_number,
    check_number_or,
    plain,
)
from sklearn_rnn._training.hooks import ScoredStopping
from sklearn_rnn._training.progress import StoppingRule
from sklearn_rnn.callbacks._callback import Callback, is_epoch
from sklearn_rnn.metrics import scorer_of_steps


class EarlyStopping(Callback):
    """Stop training when any score on the validation data no longer improves.

    This works like ``early_stopping=True``, but with a score of your choice. The estimator keeps
    the weights that scored best, and ``validation_scores_``, ``best_validation_score_`` and
    ``best_iteration_`` record this score. The validation data are ``X_val``, ``y_val`` and, if
    given, ``sample_weight_val`` of ``fit``. Without them, set ``early_stopping=True`` as well: then
    they are the samples that the estimator holds out, with their ``sample_weight`` if ``fit`` was
    given one (but without ``class_weight``).

    Parameters
    ----------
    scoring : str or callable
        The name of one of scikit-learn's scorers, or a callable ``scorer(estimator, X, y)`` that
        returns a number. Greater is better. With ``return_sequences=True``, scikit-learn's scorers
        score all valid timesteps together, as `sklearn_rnn.metrics.make_sequence_scorer` lets them.
        Targets over a horizon are scored as by `sklearn_rnn.metrics.make_forecast_scorer`.
    n_iter_no_change : int or "auto", default="auto"
        Training stops after more than this many consecutive epochs without improvement. "auto" is
        10, or as many epochs as have 100 updates if those are more. This takes the place of the
        estimator's parameter.
    tol : float, default=1e-4
        The smallest change of the score that counts as an improvement. This takes the place of the
        estimator's parameter.

    Raises
    ------
    ValueError, TypeError
        If scoring is not a scorer, or a number is out of range. ``fit`` raises ValueError without
        validation data.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.callbacks import EarlyStopping
    >>> X = np.random.default_rng(0).standard_normal((80, 5, 1))
    >>> y = X.sum(axis=(1, 2)) > 0
    >>> model = RNNClassifier(batch_size=16, random_state=0)
    >>> model = model.set_callbacks(EarlyStopping("neg_log_loss"))
    >>> model = model.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    >>> model.best_validation_score_ == max(model.validation_scores_)
    True

    The estimator may also hold out the validation data, for instance in a search:

    >>> from sklearn.model_selection import GridSearchCV
    >>> model = model.set_params(early_stopping=True, learning_rate_init=0.05)
    >>> model = model.set_callbacks(EarlyStopping("neg_log_loss", n_iter_no_change=5))
    >>> search = GridSearchCV(model, {"hidden_size": [4, 8]}, cv=2).fit(X, y)
    >>> max(search.best_estimator_.validation_scores_) < 0  # the log-loss, times -1
    True
    """

    def __init__(self, scoring, *, n_iter_no_change="auto", tol=1e-4):
        if not (isinstance(scoring, str) or callable(scoring)):
            raise TypeError(f"scoring must be the name of a scorer or a callable, not {scoring!r}.")
        check_number_or("n_iter_no_change", n_iter_no_change, *NUMBERS_OR["n_iter_no_change"])
        check_number("tol", tol, Real, 0, None, "left")
        self.scoring = scoring
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol

    def on_fit_task_begin(self, estimator, context):
        """Pass the scorer and the stopping rule to the fit."""
        if is_epoch(context):
            return
        requests = estimator._callback_requests
        if not requests.validates:
            raise ValueError(
                "EarlyStopping needs validation data: give X_val and y_val to fit, or set "
                "early_stopping=True, which holds out some samples."
            )
        scorer = check_scoring(estimator, self.scoring)
        if estimator.return_sequences:  # scikit-learn's scorers would read timesteps as outputs
            scorer = scorer_of_steps(scorer)
        elif is_regressor(estimator):  # and refuse targets with an axis for a horizon
            scorer = scorer_of_forecasts(scorer)
        rule = StoppingRule(plain(self.tol), plain(self.n_iter_no_change), early_stopping=True)
        requests.stopping = ScoredStopping(scorer, rule)
