"""Getting sequences into shape for an estimator."""

from sklearn_rnn.preprocessing._windows import sliding_windows

__all__ = ["sliding_windows"]
