"""What the callbacks have in common."""

import os
from pathlib import Path

from sklearn_rnn._base import BaseRNN


class Callback:
    """The base of callbacks for `RNNRegressor` and `RNNClassifier`, whose hooks do nothing.

    A subclass overrides the hooks of scikit-learn's protocol (`sklearn.callback.FitCallback`) that
    it needs. ``on_fit_task_begin`` and ``on_fit_task_end`` are called for a fit and for each of its
    epochs: ``context.task_name`` is "fit" or "epoch", and ``context.task_id`` is the number of the
    epoch, counted from 0. If ``on_fit_task_end`` returns True after an epoch, training stops.

    These two hooks may have the keyword-only arguments ``fitted_estimator`` (a copy of the
    estimator as if training had ended there), ``X``, ``y`` and ``metadata``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.callbacks import Callback
    >>> class Losses(Callback):
    ...     def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
    ...         if context.task_name == "epoch":
    ...             print(f"Epoch {context.task_id + 1}: {fitted_estimator.loss_:.2f}")
    >>> X = np.linspace(-1, 1, 30).reshape(10, 3, 1)
    >>> model = RNNRegressor(max_iter=2, learning_rate="cosine", random_state=0)
    >>> model = model.set_callbacks(Losses()).fit(X, X.sum(axis=(1, 2)))
    Epoch 1: 0.86
    Epoch 2: 0.60
    """

    def setup(self, estimator, context):
        """Refuse other estimators than those of this package, before the fit.

        Parameters
        ----------
        estimator : estimator
            The estimator whose ``fit`` was called.
        context : `sklearn.callback.CallbackContext`
            The context of the fit.

        Raises
        ------
        TypeError
            If the estimator is not an `RNNRegressor` or `RNNClassifier`.
        """
        if not isinstance(estimator, BaseRNN):
            raise TypeError(
                f"{type(self).__name__} is for RNNRegressor and RNNClassifier, not for "
                f"{type(estimator).__name__}: set it on the RNN estimator inside."
            )

    def on_fit_task_begin(self, estimator, context):
        """Do nothing.

        Parameters
        ----------
        estimator : estimator
            The estimator that is fitted.
        context : `sklearn.callback.CallbackContext`
            The context of the fit or of the epoch that begins.
        """

    def on_fit_task_end(self, estimator, context):
        """Do nothing.

        Parameters
        ----------
        estimator : estimator
            The estimator that is fitted.
        context : `sklearn.callback.CallbackContext`
            The context of the fit or of the epoch that has ended.

        Returns
        -------
        stop : bool or None
            Whether training stops after this epoch.
        """

    def teardown(self, estimator, context):
        """Do nothing, after the fit, also if it has failed.

        Parameters
        ----------
        estimator : estimator
            The estimator whose ``fit`` was called.
        context : `sklearn.callback.CallbackContext`
            The context of the fit.
        """


class FileCallback(Callback):
    """A callback that writes to `path`."""

    def __getstate__(self):
        return {**vars(self), "path": os.fspath(self.path)}  # a Path is of one operating system

    def __setstate__(self, state):
        vars(self).update({**state, "path": Path(state["path"])})


def is_epoch(context) -> bool:
    return context.task_name == "epoch"
