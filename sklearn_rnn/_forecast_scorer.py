"""Scorers for targets over a horizon, public in `sklearn_rnn.metrics`."""

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.targets import array_or_list
from sklearn_rnn._wrapped_scorer import (
    RespondingAs,
    WrappedScorer,
    inner_scorer,
    is_scikit_learns,
)


def make_forecast_scorer(metric, *, greater_is_better=True, **kwargs):
    """Make a scorer for targets (n_samples, horizon, n_outputs) from any of scikit-learn's metrics.

    scikit-learn's metrics refuse targets of three axes. This scorer gives them the timesteps of the
    horizon and the outputs as one axis, (n_samples, horizon * n_outputs), in the order of time and
    then of the outputs. Use it wherever scikit-learn takes a scorer. Targets with fewer axes pass
    as they are. (Without a scorer, scikit-learn's tools use the estimator's ``score``, R², which
    needs nothing of this.)

    Parameters
    ----------
    metric : str or callable
        The name of one of scikit-learn's scorers, such as "neg_mean_absolute_error"; a metric
        ``metric(y_true, y_pred, **kwargs)``, such as the ones in `sklearn.metrics`; or a scorer
        that `sklearn.metrics.make_scorer` made.
    greater_is_better : bool, default=True
        True for a score, False for a loss. The scorer returns the negative of a loss. Names and
        scorers have their own greater_is_better and kwargs; set these two only with a metric.
    **kwargs
        More arguments of the metric. ``multioutput="raw_values"`` gives an array of
        horizon * n_outputs values.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)`` returns a number, or an array if the metric
        does. Greater is better. With metadata routing,
        ``scorer.set_score_request(sample_weight=True)`` requests the weights.

    Raises
    ------
    ValueError, TypeError
        If there is no scorer of that name, or if an argument is invalid. The scorer raises
        ValueError if the predictions don't have the axes of y. They may have more at the end, such
        as several quantiles, if the metric takes these.

    See Also
    --------
    make_sequence_scorer : For one target per timestep of X.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import mean_absolute_error
    >>> from sklearn.model_selection import KFold, cross_val_score
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.metrics import make_forecast_scorer
    >>> from sklearn_rnn.preprocessing import sliding_windows
    >>> t = np.arange(120)
    >>> series = np.column_stack([np.sin(t / 3), np.cos(t / 3)])
    >>> X, y = sliding_windows(series, window=10, horizon=3)
    >>> y.shape
    (108, 3, 2)
    >>> model = RNNRegressor(hidden_size=16, learning_rate_init=0.03, random_state=0)
    >>> scoring = make_forecast_scorer("neg_mean_absolute_error")
    >>> errors = -cross_val_score(model, X, y, cv=KFold(2), scoring=scoring)
    >>> bool((errors < 0.3).all())
    True
    >>> by_output = make_forecast_scorer(mean_absolute_error, multioutput="raw_values")
    >>> by_output(model.fit(X, y), X, y).reshape(3, 2).shape  # by timestep and output
    (3, 2)
    """
    return _ForecastScorer(inner_scorer(metric, "predict", greater_is_better, kwargs))


def scorer_of_forecasts(scorer):
    """Return a scorer of scikit-learn as a forecast scorer, and any other callable as it is."""
    return make_forecast_scorer(scorer) if is_scikit_learns(scorer) else scorer


class _ForecastScorer(WrappedScorer):
    """A scorer of scikit-learn that gets the axes of the horizon and the outputs as one."""

    def __repr__(self):
        return f"make_forecast_scorer({self.metric!r})"

    def __call__(self, estimator, X, y, sample_weight=None):
        """Return the score of an estimator's predictions for X."""
        y = array_or_list(y, "y", "one target per sequence")
        shape = np.shape(y)
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        if len(shape) < 3:
            return self._scorer(estimator, X, y, **weighted)

        def respond(name, predict, X):
            predicted = np.asarray(predict(X))
            if predicted.shape[:3] != shape[:3] or len(shape) > 3:
                raise ValueError(
                    f"y has shape {shape} and {name}(X) is {describe(predicted)}: both must be "
                    "(n_samples, horizon, n_outputs)."
                )
            return _with_one_axis(predicted)

        flat = RespondingAs(estimator, respond)
        return self._scorer(flat, X, _with_one_axis(np.asarray(y)), **weighted)


def _with_one_axis(values: np.ndarray) -> np.ndarray:
    """Join the axes of the horizon and of the outputs."""
    return values.reshape(len(values), -1, *values.shape[3:])
