"""TimeLimit: stop after so many seconds or minutes."""

from datetime import UTC, datetime
from numbers import Real

from sklearn_rnn._input.hyperparameters import check_number
from sklearn_rnn.callbacks._callback import Callback, is_epoch


class TimeLimit(Callback):
    """Stop training after a number of seconds.

    Training stops after the epoch in which the limit is reached, as with ``max_iter`` but without a
    warning. If a `Checkpoint` is set too, the next ``fit`` continues from there.

    Parameters
    ----------
    seconds : float
        The limit, counted from the start of ``fit``.

    Raises
    ------
    ValueError, TypeError
        If seconds is not a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.callbacks import TimeLimit
    >>> model = RNNRegressor(max_iter=100_000, tol=0).set_callbacks(TimeLimit(0.01))
    >>> model.fit(np.ones((4, 3, 1)), np.ones(4)).n_iter_ < 100_000
    True
    """

    def __init__(self, seconds):
        check_number("seconds", seconds, Real, 0, None, "neither")
        self.seconds = seconds

    def on_fit_task_end(self, estimator, context):
        """Stop if the limit is reached."""
        if not is_epoch(context):
            return False
        return (datetime.now(UTC) - context.parent.init_time).total_seconds() >= self.seconds
