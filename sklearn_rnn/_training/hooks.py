"""The estimators' side of scikit-learn's callback protocol: one fit, and its epochs."""

from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any

from sklearn_rnn._training.epochs import Ending, Progress, Watcher, put_back_best
from sklearn_rnn.core.network import Network


@dataclass(frozen=True)
class Stopping:
    """Early stopping by a scorer, in place of the estimator's own."""

    scorer: Callable
    tol: float
    n_iter_no_change: int

    @property
    def options(self) -> dict[str, Any]:
        """What it changes in the training options."""
        names = ("tol", "n_iter_no_change")
        return {"early_stopping": True, **{name: getattr(self, name) for name in names}}


class FitHooks(Watcher):
    """Calls the hooks of an estimator's callbacks.

    They are handed X, y and the weights as `fit` was, and an estimator as if training had stopped
    there: a copy, so that neither they nor the training can change what the other one has.
    """

    def __init__(self, estimator, X, y, sample_weight, validation: tuple):
        self.estimator = estimator
        self.validation = validation
        self.stopping: Stopping | None = None
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.context = estimator._init_callback_context(max_subtasks=int(estimator.max_iter))
        self._arguments = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "metadata": metadata,
            "reconstruction_attributes": self._as_if_stopped,
        }

    def begin(self, network: Network, progress: Progress) -> int:
        """Before the first epoch; return how many there are to be.

        Callbacks of this package may leave two things on the estimator: `_stopping` (EarlyStopping)
        and `_resume_from` (Checkpoint).
        """
        self._network, self._progress = network, progress
        self.context.call_on_fit_task_begin(**self._arguments)
        self.stopping = vars(self.estimator).pop("_stopping", None)
        saved = vars(self.estimator).pop("_resume_from", None)
        n_epochs = int(self.estimator.max_iter)
        return n_epochs if saved is None else n_epochs - self._resume(saved)

    def _resume(self, saved) -> int:
        """Take over what a checkpoint holds; return how many epochs that saves."""
        network, progress = self._network, self._progress
        n_before = len(progress.loss_curve)
        vars(progress).update(vars(saved.progress))
        last = progress.last_parameters
        network.parameters.vector[...] = saved.parameters.vector if last is None else last
        network.refresh()
        progress.last_parameters = None
        if progress.ending is Ending.CONVERGED:
            return int(self.estimator.max_iter)
        return len(progress.loss_curve) - n_before

    def begin_epoch(self) -> None:
        self._epoch = self.context.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._arguments)

    def end_epoch(self) -> bool:
        return self._epoch.call_on_fit_task_end(**self._arguments)

    def end(self) -> None:
        """After the estimator has got its fitted attributes."""
        self.context.call_on_fit_task_end(**self._arguments)

    def score(self, network: Network) -> float:
        """Score the validation data by the scorer of a callback."""
        X, y, sample_weight = self.validation
        fitted = copy(self.estimator)
        fitted._architecture = network.architecture
        fitted._parameters = deepcopy(network.parameters)
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(self.stopping.scorer(fitted, X, y, **weighted))

    def _as_if_stopped(self) -> dict[str, Any]:
        parameters, progress = deepcopy((self._network.parameters, self._progress))
        early_stopping = self.estimator.early_stopping or self.stopping is not None
        put_back_best(parameters.vector, progress, early_stopping)
        network = Network(self._network.architecture, parameters)
        attributes = self.estimator._fitted_attributes(network, progress)
        return {**attributes, "_validation_data": self.validation}
