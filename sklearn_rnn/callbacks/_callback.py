"""What the callbacks have in common."""

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


def is_epoch(context) -> bool:
    return context.task_name == "epoch"
