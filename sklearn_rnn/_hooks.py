"""The estimators' side of scikit-learn's callback protocol: one fit, and its epochs."""

from copy import deepcopy
from typing import Any

from sklearn_rnn._training import Progress, Watcher, put_back_best
from sklearn_rnn.core.network import Network


class FitHooks(Watcher):
    """Calls the hooks of an estimator's callbacks.

    They are handed X, y and the weights as `fit` was, and an estimator as if training had stopped
    there: a copy, so that neither they nor the training can change what the other one has.
    """

    def __init__(self, estimator, X, y, sample_weight, validation: tuple):
        self.estimator = estimator
        self.validation = validation
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.context = estimator._init_callback_context(max_subtasks=int(estimator.max_iter))
        self._arguments = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "metadata": metadata,
            "reconstruction_attributes": self._as_if_stopped,
        }

    def begin(self, network: Network, progress: Progress) -> None:
        """Before the first epoch."""
        self._network, self._progress = network, progress
        self.context.call_on_fit_task_begin(**self._arguments)

    def begin_epoch(self) -> None:
        self._epoch = self.context.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._arguments)

    def end_epoch(self) -> bool:
        return self._epoch.call_on_fit_task_end(**self._arguments)

    def end(self) -> None:
        """After the estimator has got its fitted attributes."""
        self.context.call_on_fit_task_end(**self._arguments)

    def _as_if_stopped(self) -> dict[str, Any]:
        parameters, progress = deepcopy((self._network.parameters, self._progress))
        put_back_best(parameters.vector, progress, self.estimator.early_stopping)
        network = Network(self._network.architecture, parameters)
        attributes = self.estimator._fitted_attributes(network, progress)
        return {**attributes, "_validation_data": self.validation}
