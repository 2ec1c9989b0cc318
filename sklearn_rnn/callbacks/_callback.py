"""What the callbacks have in common."""

import os
from pathlib import Path

from sklearn_rnn._base import BaseRNN


class Callback:
    """The hooks of the protocol, which do nothing."""

    def setup(self, estimator, context):
        """Refuse other estimators than those of this package."""
        if not isinstance(estimator, BaseRNN):
            raise TypeError(
                f"{type(self).__name__} is for RNNRegressor and RNNClassifier, not for "
                f"{type(estimator).__name__}: set it on the RNN estimator inside."
            )

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""


class FileCallback(Callback):
    """A callback that writes to `path`."""

    def __getstate__(self):
        return {**vars(self), "path": os.fspath(self.path)}  # a Path is of one operating system

    def __setstate__(self, state):
        vars(self).update({**state, "path": Path(state["path"])})


def is_epoch(context) -> bool:
    return context.task_name == "epoch"
