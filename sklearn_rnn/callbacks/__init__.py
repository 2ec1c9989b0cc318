"""Callbacks for `RNNRegressor` and `RNNClassifier`, set by their ``set_callbacks``.

They follow scikit-learn's protocol, `sklearn.callback.FitCallback`, and also work with scikit-learn
before 1.9, which has no protocol. scikit-learn's own callbacks, `sklearn.callback.ProgressBar` and
`sklearn.callback.ScoringMonitor`, work as well, where there are any: from 1.9 on. Your own
callbacks derive from `Callback`.
"""

from sklearn_rnn.callbacks._callback import Callback
from sklearn_rnn.callbacks._checkpoint import Checkpoint
from sklearn_rnn.callbacks._early_stopping import EarlyStopping
from sklearn_rnn.callbacks._history_logger import HistoryLogger
from sklearn_rnn.callbacks._time_limit import TimeLimit

__all__ = ["Callback", "Checkpoint", "EarlyStopping", "HistoryLogger", "TimeLimit"]
